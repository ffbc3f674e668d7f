import { identify, REHEARSAL_MARK, type Project } from '../../image';
import type { Job } from '../job/job';

/** The kind of a final image: one of a rehearsal is no firmware, whatever the virtual Sonoff takes it for. */
export type InstalledFirmware = Project | 'rehearsal';

/** An image is large, is looked at each time that its job is shown, and is the same for many jobs. */
const known = new WeakMap<Buffer, InstalledFirmware>();

/** The kind of a job's final image, if it is known. */
export function projectOf({ firmware: { final } }: Job): InstalledFirmware | undefined {
  if (!final) return undefined;
  const { bytes } = final;
  const project = known.get(bytes) ?? (bytes.includes(REHEARSAL_MARK) ? 'rehearsal' : identify(bytes).project);
  known.set(bytes, project);
  return project;
}
