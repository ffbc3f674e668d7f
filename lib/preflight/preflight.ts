import { FlashError } from '../errors';
import type { FirmwareSources } from '../firmware/firmware';
import type { FlashHost } from '../flash/host/host';
import { knownChoice } from '../flash/routes/choice';
import type { ProvisionMethod } from '../flash/stage/provision-method';
import { checkAddress } from './address';
import type { Check, SaidCheck } from './check';
import { checkClock } from './clock';
import { checkFirmware, checkFirmwareForAny, checkFirmwareForDiy, firmwareNotChosen } from './firmware';
import { thisMachine, type Machine } from './machine';
import { checkNetworks } from './network';
import { phrase, textOf, type Phrase } from './phrases';
import { checkPorts } from './ports';
import { checkRadio } from './radio';
import { checkSelf } from './self';
import { checkTls } from './tls';
import { checkUnlockPorts } from './unlock-ports';
import { checkWifi, type WifiPresence } from './wifi';

export interface PreflightOptions {
  readonly wifi: WifiPresence;
  /** Undefined where no firmware is chosen; then none is examined. */
  readonly sources?: FirmwareSources | undefined;
  /** How a device is to be flashed: DIY mode needs neither a pair nor FinalStage. Default: the emulated cloud. */
  readonly method?: ProvisionMethod;
  /** Whether that it is not examined is to be said. */
  readonly mentionsFirmware?: boolean;
  /** Whether devices may be unlocked by this machine, which takes two more ports. */
  readonly unlocksLocally?: boolean;
  readonly signal: AbortSignal;
  /** Default: this one. */
  readonly machine?: Machine;
}

export interface PreflightReport {
  readonly checks: readonly Check[];
  /** `warning`: nothing is certain to fail, but something may. */
  readonly verdict: 'ready' | 'warning' | 'not-ready';
  /** The verdict as a sentence for people. */
  readonly text: string;
}

/** A report that can be said in other languages. */
export interface SaidReport extends PreflightReport {
  readonly checks: readonly SaidCheck[];
  readonly said: Phrase;
}

const FIRMWARE_CHECKS: Readonly<Record<ProvisionMethod, typeof checkFirmware>> = {
  automatic: checkFirmwareForAny,
  cloud: checkFirmware,
  diy: checkFirmwareForDiy,
};

/**
 * Looks at all that can be looked at before a flash, without touching a device. What it finds is no error: it throws
 * only when it is cancelled. Takes under a second, and the time that the firmware takes to come.
 *
 * @throws FlashError `cancelled`
 */
export async function preflight(host: FlashHost, options: PreflightOptions): Promise<SaidReport> {
  const { wifi, sources, method = 'cloud', signal } = options;
  // Opens the host, which also looks for its address.
  const route = knownChoice(sources ?? {});
  const ports = await checkPorts(host, method !== 'diy' && (route === undefined || route.lock !== undefined));
  const unlockPorts = options.unlocksLocally ? await checkUnlockPorts(host) : [];
  const machine = options.machine ?? (await thisMachine(signal));
  const [tls, self, radio, firmware] = await Promise.all([
    checkTls(host),
    checkSelf(host, machine, signal),
    checkRadio(host, machine, signal),
    sources ? FIRMWARE_CHECKS[method](host, sources, signal) : undefined,
  ]);
  if (signal.aborted) throw new FlashError('cancelled');
  const leadsHere = self.length > 0 && self.every(({ ok }) => ok !== false);
  const address = checkAddress(host, machine, leadsHere);
  return reportOf([
    address,
    ...ports,
    ...unlockPorts,
    tls,
    ...self,
    ...checkNetworks(host, machine),
    checkWifi(wifi),
    radio,
    ...(firmware ? [firmware] : options.mentionsFirmware ? [firmwareNotChosen()] : []),
    checkClock(machine.now),
  ]);
}

function reportOf(checks: readonly SaidCheck[]): SaidReport {
  const wrong = checks.filter(({ ok }) => ok === false);
  const doubtful = checks.filter(({ ok }) => ok === 'warn');
  const [first, ...others] = wrong.length > 0 ? wrong : doubtful;
  const verdict = wrong.length > 0 ? 'not-ready' : first ? 'warning' : 'ready';
  const said = first ? aboutFirst(verdict, first, others.length + 1) : phrase('ready');
  return { checks, verdict, text: textOf(said), said };
}

function aboutFirst(verdict: PreflightReport['verdict'], { said: { text } }: SaidCheck, count: number): Phrase {
  const name = verdict === 'not-ready' ? 'not-ready' : 'ready-but';
  return count > 1 ? phrase(`${name}-many`, { count, first: text }) : phrase(name, { first: text });
}
