import { setTimeout as pause } from 'node:timers/promises';
import { FlashError, type ErrorCode } from '../errors';
import { isAtLoopback, isLoopback } from '../net/addresses';
import { NEW_FIRMWARE_AP_ADDRESS } from '../protocol/new-firmware';
import { linesFor, WifiConfig, type TasmotaCommand, type TasmotaFacts } from '../protocol/tasmota';
import type { SetUpHost } from './set-up-host';
import type { ProgressTextName, ProgressValues } from '../progress-texts';
import { firstOf } from '../timing/first-of';
import { withinLimit } from '../timing/time-limit';
import { TasmotaAccessPoint } from './tasmota-access-point';
import { NamedHost } from './named-host';
import { searchTasmota, type FoundTasmota } from './search';
import type { SetUpOptions } from './set-up-options';
import {
  chooseModule,
  checkSettings,
  homeCommands,
  wifiCommands,
  type ModuleChoice,
  type TasmotaSettings,
} from './settings';
import type { TermCode } from '../wordings/term';
import { allOf, wording, type Wording } from '../wordings/wording';

export const COMMAND_LIMIT_MS = 8000;
/** Its first try comes within seconds; what is right is connected long before this. */
export const MQTT_LIMIT_MS = 60_000;
export const MQTT_PAUSE_MS = 1000;
/** Names by which every machine calls itself. */
const OWN_NAMES = /^(localhost\.?|127(\.\d+){1,3}|\[?::1\]?|0\.0\.0\.0)$/i;

/** A Tasmota that is set up. No secrets. */
export interface TasmotaSetUp {
  readonly url: string;
  readonly address: string;
  readonly hostname: string | null;
  readonly mac: string | null;
  readonly version: string | null;
  readonly module: { readonly number: number | null; readonly name: string | null };
  readonly topic: string | null;
  readonly name: string | null;
  readonly mqtt: { readonly broker: string | null; readonly state: 'connected' | 'not-set'; readonly connects: number };
  readonly warnings: readonly { readonly code: ErrorCode; readonly text: string }[];
}

/**
 * Sets one Tasmota up: in its own access point it is given the Wi-Fi and nothing else; once it is at home, everything
 * else. It can be repeated at any time, with any Tasmota: no flash depends on it.
 *
 * @throws FlashError `tasmota-*`, `wifi-credentials-missing`, `cancelled`
 */
export async function setUpTasmota(host: SetUpHost, options: SetUpOptions, signal: AbortSignal): Promise<TasmotaSetUp> {
  checkSettings(options.settings);
  refuseOwnBroker(host, options);
  const run = new SetUpRun(host, options);
  const limit = { seconds: options.timeoutSeconds, whenOver: () => run.whyOver() };
  return await withinLimit(signal, limit, (limited) => run.run(limited));
}

class SetUpRun {
  private readonly accessPoint: TasmotaAccessPoint;
  /** The device, as soon as it has described itself. */
  private known: TasmotaFacts | undefined;
  private where = '';
  private atHome: NamedHost | undefined;
  /** Set while everything else is done and its first connection is waited for. */
  private silentBroker: { url: string; broker: string } | undefined;
  /** The `WifiConfig` that it gets back in the end: its own, if that is known. */
  private wifiConfigBefore: number = WifiConfig.retry;

  constructor(
    host: SetUpHost,
    private readonly options: SetUpOptions,
  ) {
    this.accessPoint = new TasmotaAccessPoint(host, options);
  }

  async run(signal: AbortSignal): Promise<TasmotaSetUp> {
    const { settings: settings, device } = this.options;
    const start = await firstOf<FoundTasmota | TasmotaFacts>(signal, [
      (either) => this.searchAtHome(either),
      (either) => this.throughAccessPoint(either),
    ]);
    const isFromAccessPoint = !('client' in start);
    const before = isFromAccessPoint ? await this.untilAtHome(start, signal) : start;
    const choice = chooseModule(settings, device.model);
    const commands = homeCommands(settings, {
      choice,
      hasDeviceName: before.facts.deviceName !== undefined,
      wifiConfig: isFromAccessPoint || this.wasCutShort(before.facts) ? this.wifiConfigBefore : undefined,
    });
    const found = commands.length === 0 ? before : await this.configure(before, commands, signal);
    this.requireKept(found, choice);
    const facts = await this.untilConnected(found, signal);
    this.report('tasmota-done', this.named(found), 1);
    return summaryOf(found.client.url, facts, settings, choice);
  }

  /** Why the time is over: what was waited for last. */
  whyOver(): FlashError {
    const { apUrl, homeUrl, timeoutSeconds: seconds } = this.options;
    const { known, where } = this;
    if (this.silentBroker) return new FlashError('tasmota-mqtt-failed', this.silentBroker);
    if (!known) return new FlashError('tasmota-unreachable', { url: homeUrl ?? apUrl, seconds });
    const { hostname = wording('unknown'), mac = wording('unknown') } = known;
    return new FlashError('tasmota-lost', { hostname, mac, where: where || wording('any-address'), seconds });
  }

  /** Only a set-up leaves it so that it opens its door wherever it loses its Wi-Fi. */
  private wasCutShort({ wifiConfig }: TasmotaFacts): boolean {
    return this.options.isResumed === true && wifiConfig === WifiConfig.manager;
  }

  /** Gives it the home Wi-Fi in its access point; resolves with what it was there. */
  private async throughAccessPoint(signal: AbortSignal): Promise<TasmotaFacts> {
    return await this.accessPoint.visit(signal, async (found, inside) => {
      const { wifiConfig } = found.facts;
      // The remains of an interrupted set-up are not the settings that it came with.
      if (wifiConfig !== undefined && wifiConfig !== WifiConfig.manager) this.wifiConfigBefore = wifiConfig;
      await send(found, wifiCommands(this.options.settings), inside);
      this.known = found.facts;
      return found.facts;
    });
  }

  private async untilAtHome(known: TasmotaFacts, signal: AbortSignal): Promise<FoundTasmota> {
    return await firstOf<FoundTasmota>(signal, [
      (either) => this.searchAtHome(either, { name: 'tasmota-wifi-sent', fraction: 0.3 }),
      (either) => this.accessPoint.comesBack(known, either),
    ]);
  }

  /** Gives it everything else, and waits until it is back with that. */
  private async configure(
    found: FoundTasmota,
    commands: readonly TasmotaCommand[],
    signal: AbortSignal,
  ): Promise<FoundTasmota> {
    this.known = found.facts;
    this.report('tasmota-at-home', this.named(found), 0.5);
    await send(found, commands, signal);
    return await this.searchAtHome(signal, { name: 'tasmota-settings-sent', fraction: 0.6, last: found.client.url });
  }

  /**
   * Looks at every address at which it may be at home.
   * @param waiting what to say meanwhile; without it, nothing is known of the device yet
   */
  private async searchAtHome(
    signal: AbortSignal,
    waiting?: { name: ProgressTextName; fraction: number; last?: string },
  ): Promise<FoundTasmota> {
    const { device, homeUrl, settings: settings } = this.options;
    const urls = (): string[] => {
      const all = homeUrl === undefined ? this.guesses(waiting?.last) : [homeUrl];
      this.where = all.join(', ');
      const hostname = this.known?.hostname ?? wording('the-device');
      const values = { where: this.where || wording('its-name'), hostname };
      if (waiting) this.report(waiting.name, values, waiting.fraction);
      else if (homeUrl !== undefined) this.report('look-for-tasmota-at', values, 0);
      return all;
    };
    const onStranger = (url: string, { mac = '?' }: TasmotaFacts): void =>
      this.report('tasmota-stranger', { url, mac }, 0);
    return await searchTasmota(
      {
        urls,
        webPassword: settings.webPassword,
        mac: this.known?.mac ?? device.mac,
        bootedAfter: waiting ? this.known?.bootCount : undefined,
        // Behind an address that is only a guess there may be anything.
        isStrict: homeUrl !== undefined && !waiting,
        pauseMs: this.options.lookPauseMs,
        onStranger,
      },
      signal,
    );
  }

  private guesses(last: string | undefined): string[] {
    const { apUrl, device } = this.options;
    const { ip, mac } = device;
    // An answer at an address alone may be any host's: without its MAC the device is not looked for there.
    const isKnown = (this.known?.mac ?? mac) !== undefined;
    const lastIp = ip === undefined || isLoopback(ip) || !isKnown ? [] : [`http://${ip}`];
    // In a rehearsal its access point and its place at home are one machine; what it was before has booted less often.
    const rehearsed = this.known?.bootCount !== undefined && isAtLoopback(apUrl) ? [apUrl] : [];
    const all = [...(last === undefined ? [] : [last]), ...lastIp, ...this.byName(), ...rehearsed];
    return [...new Set(all)].filter((url) => url !== `http://${NEW_FIRMWARE_AP_ADDRESS}`);
  }

  /** A new topic is a new name. */
  private byName(): readonly string[] {
    const hostname = this.known?.hostname;
    if (hostname === undefined) return [];
    if (this.atHome?.hostname !== hostname) this.atHome = new NamedHost(hostname);
    return this.atHome.urls;
  }

  /** @throws FlashError `tasmota-refused` where a setting differs from the command */
  private requireKept({ client, facts }: FoundTasmota, choice: ModuleChoice): void {
    const { topic, name, mqtt } = this.options.settings;
    const checks: [what: TermCode, wanted: string | number | undefined, kept: string | number | undefined][] = [
      ['tasmota-module', 'module' in choice ? choice.module : undefined, facts.module],
      ['tasmota-topic', topic || undefined, facts.topic],
      ['tasmota-name', name || undefined, facts.friendlyName],
      ['mqtt-host', mqtt?.host, facts.mqtt.host],
      ['mqtt-port', mqtt?.port, facts.mqtt.port],
      ['mqtt-user', mqtt?.user, facts.mqtt.user],
    ];
    const lost = checks.flatMap(([what, wanted, kept = wording('unknown')]) =>
      wanted === undefined || wanted === kept ? [] : [wording('setting-lost', { what: wording(what), kept, wanted })],
    );
    const reason = allOf(lost, 'settings-lost');
    if (reason) throw refused(client, facts, reason);
  }

  /** @throws FlashError `tasmota-mqtt-failed` */
  private async untilConnected({ client, facts }: FoundTasmota, signal: AbortSignal): Promise<TasmotaFacts> {
    const { mqttLimitMs = MQTT_LIMIT_MS, settings: settings } = this.options;
    const { mqtt } = settings;
    if (!mqtt) return facts;
    const broker = `${mqtt.host}:${mqtt.port}`;
    let now = facts;
    this.silentBroker = { url: client.url, broker };
    for (const until = Date.now() + mqttLimitMs; now.mqtt.connects === 0;) {
      if (Date.now() > until) throw new FlashError('tasmota-mqtt-failed', this.silentBroker);
      this.report('tasmota-mqtt', { hostname: now.hostname ?? '?', broker }, 0.85);
      await pause(this.options.lookPauseMs ?? MQTT_PAUSE_MS, undefined, { signal });
      const outcome = await client.facts({ signal, limitMs: COMMAND_LIMIT_MS });
      if ('answer' in outcome) now = outcome.answer;
    }
    return now;
  }

  private named({ client: { url }, facts }: FoundTasmota): ProgressValues {
    return { url, hostname: facts.hostname ?? wording('of-the-device') };
  }

  private report(name: ProgressTextName, values: ProgressValues, fraction: number): void {
    this.options.report(name, values, fraction);
  }
}

/**
 * To a device, localhost is itself: a broker is never there. A rehearsal's device is on this machine.
 * @throws FlashError `tasmota-setting-unusable`
 */
function refuseOwnBroker({ address }: SetUpHost, { settings: { mqtt }, apUrl, homeUrl }: SetUpOptions): void {
  if (!mqtt || !OWN_NAMES.test(mqtt.host)) return;
  if ([apUrl, homeUrl ?? apUrl].every((url) => isAtLoopback(url))) return;
  const { host } = mqtt;
  const reason =
    address === undefined || isLoopback(address)
      ? wording('broker-is-itself', { host })
      : wording('broker-is-itself-address', { host, address });
  throw new FlashError('tasmota-setting-unusable', { what: wording('mqtt-host'), reason });
}

/** @throws FlashError `tasmota-refused`, `tasmota-password-wrong`; the signal's reason */
async function send(
  { client, facts }: FoundTasmota,
  commands: readonly TasmotaCommand[],
  signal: AbortSignal,
): Promise<void> {
  for (const line of linesFor(commands)) {
    const outcome = await client.ask(line, { signal, limitMs: COMMAND_LIMIT_MS });
    signal.throwIfAborted();
    if ('problem' in outcome) throw refused(client, facts, wording('command-unanswered'));
  }
}

function refused({ url }: { url: string }, facts: TasmotaFacts, reason: Wording): FlashError {
  return new FlashError('tasmota-refused', { url, version: facts.version ?? wording('unknown'), reason });
}

function summaryOf(url: string, facts: TasmotaFacts, { mqtt }: TasmotaSettings, choice: ModuleChoice): TasmotaSetUp {
  const warning = 'warning' in choice ? choice.warning : undefined;
  return {
    url,
    address: new URL(url).hostname,
    hostname: facts.hostname ?? null,
    mac: facts.mac ?? null,
    version: facts.version ?? null,
    module: { number: facts.module ?? null, name: ('name' in choice ? choice.name : undefined) ?? null },
    topic: facts.topic ?? null,
    name: facts.friendlyName ?? null,
    mqtt: {
      broker: mqtt ? `${mqtt.host}:${mqtt.port}` : null,
      state: mqtt ? 'connected' : 'not-set',
      connects: facts.mqtt.connects,
    },
    warnings: warning ? [{ code: warning.code, text: warning.message }] : [],
  };
}
