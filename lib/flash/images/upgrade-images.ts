import { signatureMatches, type OtaRequest } from '../../protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { Job } from '../job/job';
import type { UpgradeDownload } from '../job/upgrade-download';
import type { Seen } from '../observation';
import type { ImageProvider, ProviderParts } from './image-provider';

const UPGRADE_PATH = /^\/sonota\/([^/]+)\/(user1|user2)\.bin$/;

/**
 * Where the device of a job fetches its image; the path alone counts, its Host header is constant
 * (docs/dev/stock-firmware.md#4.1).
 */
export function upgradePath(deviceid: string, role: 'user1' | 'user2'): string {
  return `/sonota/${deviceid}/${role}.bin`;
}

/** The pair of an upgrade, which the stock firmware fetches. */
export class UpgradeImages implements ImageProvider {
  constructor(private readonly host: Pick<ProviderParts, 'jobs' | 'devices'>) {}

  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal | undefined {
    const [, deviceid, role] = UPGRADE_PATH.exec(request.path) ?? [];
    if (deviceid === undefined || role === undefined) return undefined;
    return this.forUpgrade(deviceid, role as 'user1' | 'user2', request, peer);
  }

  private forUpgrade(
    deviceid: string,
    role: 'user1' | 'user2',
    request: OtaRequest,
    peer: string,
  ): ImageGrant | ImageRefusal {
    const job = this.host.jobs.openJob(deviceid);
    const image = job?.firmware[role];
    const download = job?.download;
    if (!image || !download) return { status: 404, reason: 'no upgrade of this device is open' };
    if (!this.isFrom(job, download, request, peer)) return { status: 403, reason: 'this image is for another device' };
    const { evidence } = job;
    const size = image.bytes.length;
    const begunAt = Date.now();
    let noted = 0;
    return {
      bytes: image.bytes,
      observer: {
        request: () => {
          evidence.add({ ...requestSeen(role, request), size });
          download.requested(role, size, request.class);
        },
        sent: (_from, to) => {
          if (request.class === 'no-range' && to >= 2 * noted) {
            noted = to;
            evidence.add({ kind: 'image-sent', role, class: request.class, bytes: to, ms: Date.now() - begunAt });
          }
          download.sentUpTo(to);
        },
        ended: ({ complete, bytes }) => {
          if (request.class === 'range') return;
          const ms = Date.now() - begunAt;
          evidence.add({ kind: 'image-ended', role, class: request.class, complete, bytes, ms });
        },
      },
    };
  }

  /**
   * The device is known by its signature or, since no rule says that all firmware signs alike, by the address of its
   * session. Where one request was signed by it, all of them are.
   */
  private isFrom(
    { deviceid = '', evidence, facts }: Job,
    download: UpgradeDownload,
    request: OtaRequest,
    peer: string,
  ): boolean {
    const session = this.host.devices.get(deviceid);
    // Its session is gone with a restart of ours; its download continues.
    const isAtItsAddress = session ? session.peer === peer : facts.ip === peer;
    const isSigned = this.isSigned(deviceid, request);
    if (isSigned) download.isSigned = true;
    else if (isSigned === false && (request.sign !== undefined || download.isSigned)) {
      evidence.addOnce({ kind: 'stranger', peer, act: 'wrong-signature' });
    }
    return isSigned === true || (isAtItsAddress && !(isSigned === false && download.isSigned));
  }

  /** Whether the device's own key signed this; undefined where its key is not known. */
  private isSigned(deviceid: string, { ts, sign }: OtaRequest): boolean | undefined {
    const apikey = this.host.devices.factoryKey(deviceid);
    if (apikey === undefined) return undefined;
    return ts !== undefined && sign !== undefined && signatureMatches({ deviceid, ts, sign }, apikey);
  }
}

function requestSeen(
  role: 'user1' | 'user2',
  { class: otaClass, range, randPosition }: OtaRequest,
): Omit<Seen<'image-requested'>, 'at' | 'size'> {
  return {
    kind: 'image-requested',
    role,
    class: otaClass,
    ...(range ? { first: range.first } : {}),
    ...(randPosition === undefined ? {} : { randPosition }),
  };
}
