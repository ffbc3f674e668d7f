import type { StageHost } from './stage-host';
import type { SourceOptions } from '../../firmware/image-source';
import type { StageContext } from '../run/task';
import { imageNamed } from '../../image';
import { wording } from '../../wordings/wording';

/** How a stage loads images: until it is cancelled, out of the host's library, with downloads as its progress. */
export function imageOptions(context: StageContext, host: StageHost): SourceOptions {
  return {
    signal: context.signal,
    library: host.library,
    onFetch: ({ role, source, received, total }) => {
      const size = total ?? wording('unknown-number');
      context.report('fetch-firmware', { image: imageNamed(role), source, received, size });
    },
  };
}
