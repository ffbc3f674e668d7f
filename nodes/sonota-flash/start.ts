import { STAGES, type StageName } from '../../lib/flash/routes';
import type { FlashHost } from '../../lib/flash/host/host';
import { nextStage } from '../../lib/flash/job/next-stage';
import type { StageGiven } from '../shared/stage-step';
import { readUnlock } from '../shared/stages/diy';
import type { FlashForm } from './flash-form';

/**
 * The stage with which a message starts: the one that it names, else by the state of its device, else the set-up.
 * A device that has an address of its own is at home already, in DIY mode.
 *
 * @throws FlashError `value-invalid`, `url-invalid`
 */
export function startOf({ host, form, said }: StageGiven<FlashForm>): StageName {
  // A firmware that a later stage could not use is refused now, not when a device has been set up.
  form.upgrade.firmware(said);
  readUnlock(said);
  const named = said.choice('stage', STAGES);
  if (named) return named;
  if (form.provision.method(said) !== 'cloud' && said.httpUrl('address') !== undefined) return 'diy';
  const deviceid = said.deviceId() ?? form.provision.only;
  return deviceid === undefined ? 'provision' : whereItIs(host.flashHost, deviceid);
}

function whereItIs({ jobs, devices }: FlashHost, deviceid: string): StageName {
  const job = jobs.latest(deviceid);
  if (job && job.stage !== 'done' && job.resumableStage) return job.resumableStage;
  // Between two stages: its device is on its way to the next one.
  const next = job?.isOpen && job.hasLeft(job.lastStage) ? nextStage(job.lastStage, job.snapshot()) : undefined;
  return next ?? (devices.get(deviceid) === undefined ? 'provision' : 'cloud');
}
