import { isObject } from '../../protocol/json';
import { redactKeys } from '../../server/redact';
import type { Job } from './job';
import { reportOf } from './report-line';
import { read } from '../../storage/schema';
import type { Observation } from '../observation';
import { observation } from '../verdict/observation-schema';

/** Raised when the lines change in a way that an older reader would misread. */
const BUNDLE_VERSION = 1;

const DEVICE_ID = /\b10[0-9a-f]{4}([0-9a-f]{4})\b/gi;
const MAC = /\b((?:[0-9a-f]{2}[:-]){2}[0-9a-f]{2})(?:[:-][0-9a-f]{2}){3}\b/gi;
const PRIVATE_FIELD = /("(?:ssid|bssid|password|passwd|apikey)"\s*:\s*")(?:[^"\\]|\\.)*/gi;
/** Where free text stands; elsewhere a Wi-Fi called "range" is not what a word means. */
const FREE_TEXT = new Set(['text', 'reason', 'message']);

/**
 * A job's evidence to attach to a bug report: JSON lines, the first of which tells versions, the job and the verdict,
 * each other one observation. Wi-Fi names, passwords and keys are left out; a device id is shortened to its last 4.
 *
 * @param about `versions` of what runs, by name; `secrets` that must not show, beside those that the job knows
 */
export function bundleOf(
  job: Job,
  about: { versions: Readonly<Record<string, string>>; secrets: readonly (string | undefined)[] },
): string {
  const { evidence } = job;
  const secrets = [...evidence.secrets, ...about.secrets].filter(
    (word) => word !== undefined && word !== '',
  ) as string[];
  const snapshot = job.snapshot();
  const own = { versions: about.versions, report: reportOf(snapshot), job: snapshot, verdict: evidence.verdict() };
  const header = { bundle: BUNDLE_VERSION, ...own };
  const lines = [header, ...evidence.all].map((line) => JSON.stringify(redacted(line, '', job.deviceid, secrets)));
  return `${lines.join('\n')}\n`;
}

/** The observations of a bundle, for the rules to judge again. A line that is none, or of a newer kind, is left out. */
export function observationsIn(bundle: string): Observation[] {
  const [, ...lines] = bundle.split('\n').filter((line) => line !== '');
  return lines.flatMap((line) => read(observation, stamped(line)).value ?? []);
}

/** A line with its time in ms, or what is none. */
function stamped(line: string): unknown {
  try {
    const seen: unknown = JSON.parse(line);
    return isObject(seen) ? { ...seen, at: Date.parse(String(seen['at'])) } : undefined;
  } catch {
    return undefined;
  }
}

function redacted(value: unknown, key: string, deviceid: string | undefined, secrets: readonly string[]): unknown {
  if (key === 'at' && isInstant(value)) return new Date(value).toISOString();
  if (typeof value === 'string') return redactText(value, deviceid, FREE_TEXT.has(key) ? secrets : []);
  if (Array.isArray(value)) return value.map((one) => redacted(one, key, deviceid, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, redacted(one, name, deviceid, secrets)]));
}

/** Whatever a stage found may be called `at`. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
}

function redactText(text: string, deviceid: string | undefined, secrets: readonly string[]): string {
  let clean = redactKeys(text).replace(PRIVATE_FIELD, '$1…').replace(MAC, '$1:…');
  for (const secret of secrets) clean = clean.replaceAll(secret, '…');
  if (deviceid !== undefined) clean = clean.replaceAll(deviceid, `…${deviceid.slice(-4)}`);
  return clean.replace(DEVICE_ID, '…$1');
}
