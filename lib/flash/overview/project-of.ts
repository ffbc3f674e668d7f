import { identify, type Project } from '../../image';
import type { LoadedImage } from '../firmware/firmware';
import type { Job } from '../job/job';

/** An image is large, and is looked at each time that its job is shown. */
const projects = new WeakMap<LoadedImage, Project>();

/** What the final image of a job is, where that is known. */
export function projectOf({ firmware: { final } }: Job): Project | undefined {
  if (!final) return undefined;
  const known = projects.get(final) ?? identify(final.bytes).project;
  projects.set(final, known);
  return known;
}
