import { parseResult, RESULT_PATH } from '../../protocol/diy/result-report';
import { signatureMatches, type OtaRequest } from '../../protocol/ota-request';
import type { PostTaker } from '../../server/device-post';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { ImageProvider, ProviderParts } from './image-provider';
import { DiyDownload } from './diy-download';

/** With or without its slash, which one device leaves out (docs/dev/diy-mode.md#1.11). */
const TARGET = /^\/?(d[\da-f]{8}\.bin)$/;

/** The image of a device in DIY mode, for that device alone, and what it reports of it. */
export class DiyImages implements ImageProvider {
  constructor(private readonly host: Pick<ProviderParts, 'jobs' | 'devices'>) {}

  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal | undefined {
    const [, name] = TARGET.exec(request.path) ?? [];
    if (name === undefined) return undefined;
    const download = DiyDownload.named(name);
    if (!download || !this.isOwn(download)) return { status: 404, reason: 'no flash of this device is open' };
    if (!this.isFrom(download, request, peer)) return { status: 403, reason: 'this image is for another device' };
    const { evidence } = download.job;
    const { class: otaClass, range, randPosition } = request;
    return {
      bytes: download.image.bytes,
      observer: {
        request: () => {
          const first = range ? { first: range.first } : {};
          const position = randPosition === undefined ? {} : { randPosition };
          const { size } = download;
          evidence.add({ kind: 'image-requested', role: 'final', class: otaClass, ...first, size, ...position });
          download.requested(randPosition);
        },
        sent: (from, to) => download.sentPart(from, to),
        ended: () => undefined,
      },
    };
  }

  ownsTarget(target: string): boolean {
    return !target.startsWith('/') && TARGET.test(target);
  }

  takerOf(path: string, peer: string): PostTaker | undefined {
    const download = path === RESULT_PATH ? DiyDownload.from(peer) : undefined;
    if (!download || !this.isOwn(download)) return undefined;
    return (body) => {
      const error = parseResult(body);
      if (error !== undefined) {
        download.job.evidence.add({ kind: 'result-reported', error });
        download.reported(error);
      }
      return { error: 0 };
    };
  }

  /** Several hosts may share a port: each answers for its own jobs. */
  private isOwn({ job }: DiyDownload): boolean {
    return this.host.jobs.byId(job.id) === job;
  }

  /** By its address, or by the signature of its own key, where that is known. */
  private isFrom({ job, peer: expected }: DiyDownload, { ts, sign }: OtaRequest, peer: string): boolean {
    if (peer === expected) return true;
    const apikey = job.deviceid === undefined ? undefined : this.host.devices.factoryKey(job.deviceid);
    if (job.deviceid === undefined || apikey === undefined || ts === undefined || sign === undefined) return false;
    return signatureMatches({ deviceid: job.deviceid, ts, sign }, apikey);
  }
}
