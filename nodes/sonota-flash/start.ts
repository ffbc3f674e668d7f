import { STAGES, type StageName } from '../../lib/flash/job/stages';
import type { FlashHost } from '../../lib/flash/host/host';
import { whereToBegin } from '../../lib/flash/queue/retry';
import type { StageGiven } from '../shared/stage-step';
import type { FlashForm } from './flash-form';

/**
 * With which stage a message begins: the one that it names, else where its device is known to be, else with the set-up.
 *
 * @throws FlashError `value-invalid`
 */
export function startOf({ host, form, said }: StageGiven<FlashForm>): StageName {
  // A name that leads nowhere is refused now, not when a device has been set up.
  form.upgrade.firmware(said);
  const named = said.choice('stage', STAGES);
  if (named) return named;
  const deviceid = said.deviceId() ?? form.provision.only;
  return deviceid === undefined ? 'provision' : whereItIs(host.flashHost, deviceid);
}

function whereItIs({ jobs, devices }: FlashHost, deviceid: string): StageName {
  const job = jobs.latest(deviceid);
  if (job && job.stage !== 'done' && whereToBegin(job) === 'finalstage') return 'finalstage';
  if (job?.visit) return 'finalstage';
  if (job && jobs.awaitingNewFirmware().includes(job)) return 'newfirmware';
  return devices.get(deviceid) === undefined ? 'provision' : 'cloud';
}
