import { FlashError } from '../../errors';
import type { FirmwareSources } from '../firmware/firmware';
import type { FlashHost } from '../host/host';
import { checkAddress } from './address';
import type { Check } from './check';
import { checkClock } from './clock';
import { checkFirmware } from './firmware';
import { thisMachine, type Machine } from './machine';
import { checkNetworks } from './network';
import { checkPorts } from './ports';
import { checkRadio } from './radio';
import { checkSelf } from './self';
import { checkTls } from './tls';
import { checkWifi, type WifiPresence } from './wifi';

export interface PreflightOptions {
  readonly wifi: WifiPresence;
  /** Undefined where no firmware is chosen; then none is examined. */
  readonly sources?: FirmwareSources | undefined;
  readonly signal: AbortSignal;
  /** This one, unless told. */
  readonly machine?: Machine;
}

export interface PreflightReport {
  readonly checks: readonly Check[];
  /** `warning`: nothing is certain to fail, but something may. */
  readonly verdict: 'ready' | 'warning' | 'not-ready';
  /** The verdict as a sentence for people. */
  readonly text: string;
}

/**
 * Looks at all that can be looked at before a flash, without touching a device. What it finds is no error: it throws
 * only when it is cancelled. Takes under a second, and the time that the firmware takes to come.
 *
 * @throws FlashError `cancelled`
 */
export async function preflight(host: FlashHost, options: PreflightOptions): Promise<PreflightReport> {
  const { wifi, sources, signal } = options;
  // Opens the host, which also looks for its address.
  const ports = await checkPorts(host, sources?.intermediate !== 'one-hop');
  const machine = options.machine ?? thisMachine();
  const [tls, self, radio, firmware] = await Promise.all([
    checkTls(host),
    checkSelf(host, machine, signal),
    checkRadio(host, signal),
    sources ? checkFirmware(host, sources, signal) : undefined,
  ]);
  if (signal.aborted) throw new FlashError('cancelled');
  const leadsHere = self.length > 0 && self.every(({ ok }) => ok !== false);
  const address = checkAddress(host, machine, leadsHere);
  return reportOf([
    address,
    ...ports,
    tls,
    ...self,
    ...checkNetworks(host, machine),
    checkWifi(wifi),
    radio,
    ...(firmware ? [firmware] : []),
    checkClock(machine.now),
  ]);
}

function reportOf(checks: readonly Check[]): PreflightReport {
  const wrong = checks.filter(({ ok }) => ok === false);
  const doubtful = checks.filter(({ ok }) => ok === 'warn');
  const [first] = wrong.length > 0 ? wrong : doubtful;
  if (!first) {
    return { checks, verdict: 'ready', text: 'Ready: everything that can be checked before a flash is in order.' };
  }
  if (wrong.length > 0) {
    const what = wrong.length > 1 ? `Not ready, for ${wrong.length} reasons; the first` : 'Not ready';
    return { checks, verdict: 'not-ready', text: `${what}: ${first.text}` };
  }
  const what = doubtful.length > 1 ? `Ready, with ${doubtful.length} warnings; the first` : 'Ready, with a warning';
  return { checks, verdict: 'warning', text: `${what}: ${first.text}` };
}
