import type { StageHost } from './stage-host';
import type { SourceOptions } from '../../firmware/image-source';
import type { StageContext } from '../run/stage-runs';

/** How a stage loads images: until it is cancelled, out of the host's library, with downloads as its progress. */
export function imageOptions(context: StageContext, host: StageHost): SourceOptions {
  return {
    signal: context.signal,
    library: host.library,
    onFetch: ({ role, source, received, total }) => {
      const size = total ?? 'an unknown number of';
      context.report('fetch-firmware', { image: role, source, received, size });
    },
  };
}
