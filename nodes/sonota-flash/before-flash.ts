import type { FirmwareSources } from '../../lib/firmware/firmware';
import type { StageName } from '../../lib/flash/routes';
import { certainFailure } from '../../lib/preflight/certain';
import { preflight, type SaidReport } from '../../lib/preflight/preflight';
import { hosts, wifiPresence } from '../shared/hosts';
import type { StageGiven } from '../shared/stage-step';
import { readUnlock } from '../shared/stages/diy';
import type { FlashForm } from './flash-form';

type Given = StageGiven<FlashForm> & { readonly signal: AbortSignal };

/** No image at all: the check then says which one is missing. */
const NO_FIRMWARE: FirmwareSources = {};

/** All that can be looked at before a person holds a button, for this node and message. */
export async function checkFlash({ host, form, said, signal }: Given): Promise<SaidReport> {
  const wifi = wifiPresence(host, said, form.provision.wifi);
  const sources = form.upgrade.firmware(said) ?? NO_FIRMWARE;
  const method = form.provision.method(said);
  const unlocksLocally = method !== 'cloud' && (readUnlock(said) ?? form.diy.unlock) === 'local';
  const options = { wifi, sources, method, unlocksLocally, signal };
  return hosts.whileListening(host.id, () => preflight(host.flashHost, options));
}

/**
 * Ends a message whose flash is certain to fail before it starts. One that is resumed behind the set-up has a device
 * that waits: there every stage checks what it needs.
 *
 * @throws FlashError the code of the check; what cannot be read of form and message
 */
export async function refuseHopeless({ stage, ...given }: Given & { readonly stage: StageName }): Promise<void> {
  if (stage !== 'provision') return;
  const failure = certainFailure(await checkFlash(given));
  if (failure) throw failure;
}
