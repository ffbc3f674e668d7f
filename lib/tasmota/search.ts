import { setTimeout as pause } from 'node:timers/promises';
import { TasmotaClient } from '../client/tasmota-client';
import { FlashError } from '../errors';
import { recogniseNewFirmware } from '../protocol/new-firmware';
import { readWebPage } from '../client/web-page';
import type { TasmotaFacts } from '../protocol/tasmota';
import { wording } from '../wordings/wording';

export const LOOK_PAUSE_MS = 1000;
export const LOOK_LIMIT_MS = 4000;
/** A stray answer of something that is just starting is looked past this often. */
const STRANGE_ALLOWED = 3;

/** A Tasmota where it was found. */
export interface FoundTasmota {
  readonly client: TasmotaClient;
  readonly facts: TasmotaFacts;
}

export interface SearchOptions {
  /** Read again before each look: names become known, and so do addresses. */
  readonly urls: () => readonly string[];
  readonly webPassword: string | undefined;
  /** Only this device, where its MAC is known; another one is left alone. */
  readonly mac: string | undefined;
  /** Only after this many boots: what answers before is about to restart. */
  readonly bootedAfter?: number | undefined;
  /** Whether an answer that is no Tasmota's ends the search. */
  readonly isStrict?: boolean;
  /** Between two looks. */
  readonly pauseMs?: number | undefined;
  readonly onStranger?: (url: string, facts: TasmotaFacts) => void;
}

/**
 * Looks at all of these addresses again and again until the Tasmota that is meant answers at one.
 * @throws FlashError `tasmota-password-wrong`, `tasmota-other-firmware`; the signal's reason
 */
export async function searchTasmota(options: SearchOptions, signal: AbortSignal): Promise<FoundTasmota> {
  const strange = new Map<string, number>();
  for (;;) {
    const looks = options.urls().map((url) => look(url, options, strange, signal));
    for (const found of await Promise.all(looks)) if (found) return found;
    await pause(options.pauseMs ?? LOOK_PAUSE_MS, undefined, { signal });
  }
}

async function look(
  url: string,
  { webPassword, mac, bootedAfter, isStrict, onStranger }: SearchOptions,
  strange: Map<string, number>,
  signal: AbortSignal,
): Promise<FoundTasmota | undefined> {
  const client = new TasmotaClient(url, webPassword);
  const outcome = await client.facts({ signal, limitMs: LOOK_LIMIT_MS });
  signal.throwIfAborted();
  if ('problem' in outcome) {
    if (outcome.problem === 'silent' || !isStrict) return undefined;
    const times = (strange.get(url) ?? 0) + 1;
    strange.set(url, times);
    if (times >= STRANGE_ALLOWED) throw await otherFirmware(url, signal);
    return undefined;
  }
  const facts = outcome.answer;
  const isOther = mac !== undefined && facts.mac !== undefined && facts.mac !== mac.toUpperCase();
  if (isOther) onStranger?.(url, facts);
  const isBefore = bootedAfter !== undefined && facts.bootCount !== undefined && facts.bootCount <= bootedAfter;
  return isOther || isBefore ? undefined : { client, facts };
}

async function otherFirmware(url: string, signal: AbortSignal): Promise<FlashError> {
  const page = await readWebPage(new URL('/', url), { signal, limitMs: LOOK_LIMIT_MS });
  const kind = typeof page === 'string' ? 'other' : recogniseNewFirmware(page).kind;
  const names = {
    tasmota: 'firmware-tasmota-mute',
    esphome: 'firmware-esphome',
    espurna: 'firmware-espurna',
    other: 'firmware-other',
  } as const;
  return new FlashError('tasmota-other-firmware', { url, firmware: wording(names[kind]) });
}
