import { inSameNetwork, isLoopback } from '../../net/addresses';
import { finalStageImage } from '../../protocol/finalstage';
import { signatureMatches, type OtaRequest } from '../../protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import type { Devices } from './devices';
import { FinalStageVisit, type DeliveryTry, type FinalStageImage } from '../job/finalstage-visit';
import type { Job } from '../job/job';
import type { JobBook } from '../job/job-book';
import type { UpgradeDownload } from '../job/upgrade-download';
import { ProbeImages } from './probe-images';
import type { Seen } from '../verdict/observation';

const UPGRADE_PATH = /^\/sonota\/([^/]+)\/(user1|user2)\.bin$/;

/**
 * Where the device of a job fetches its image; the path alone counts, its Host header is constant
 * (docs/dev/stock-firmware.md#4.1).
 */
export function upgradePath(deviceid: string, role: 'user1' | 'user2'): string {
  return `/sonota/${deviceid}/${role}.bin`;
}

/**
 * Decides who may fetch which image: only images of an open job, only its device or FinalStage
 * (docs/dev/design.md#3.5).
 */
export class ImageDesk {
  readonly probes = new ProbeImages();

  /** Resolves when what happened so far would outlive the process, or after a moment in vain. */
  whenKept: () => Promise<void> = async () => undefined;

  constructor(
    private readonly jobs: JobBook,
    private readonly devices: Devices,
  ) {}

  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal {
    const [, deviceid, role] = UPGRADE_PATH.exec(request.path) ?? [];
    if (deviceid !== undefined && role !== undefined) {
      return this.forUpgrade(deviceid, role as 'user1' | 'user2', request, peer);
    }
    const image = finalStageImage(request.path);
    if (image && request.class === 'finalstage') return this.forFinalStage(image, peer);
    return this.probes.find(request.path, peer) ?? { status: 404, reason: 'there is nothing here' };
  }

  /**
   * A bare connection: FinalStage looks in this way whether we are there before it asks.
   * @returns whether a job waits for it
   */
  dialled(peer: string): boolean {
    const job = this.awaiting(peer);
    if (job) {
      job.evidence.add({ kind: 'finalstage-dialled' });
      job.visit.dialled();
    } else {
      this.strangerIn(peer, 'finalstage-dial');
    }
    return job !== undefined;
  }

  private forUpgrade(
    deviceid: string,
    role: 'user1' | 'user2',
    request: OtaRequest,
    peer: string,
  ): ImageGrant | ImageRefusal {
    const job = this.jobs.openJob(deviceid);
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
    const session = this.devices.get(deviceid);
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
    const apikey = this.devices.factoryKey(deviceid);
    if (apikey === undefined) return undefined;
    return ts !== undefined && sign !== undefined && signatureMatches({ deviceid, ts, sign }, apikey);
  }

  private forFinalStage(image: FinalStageImage, peer: string): ImageGrant | ImageRefusal {
    const job = this.awaiting(peer) ?? this.provenBy(peer);
    const loaded = job?.firmware[image];
    if (!job) this.strangerIn(peer, 'finalstage-image');
    if (!job || !loaded) return { status: 404, reason: 'no job waits for FinalStage' };
    const { visit, evidence } = job;
    const size = loaded.bytes.length;
    let delivery: DeliveryTry | undefined;
    return {
      bytes: loaded.bytes,
      observer: {
        request: () => {
          evidence.add({ kind: 'finalstage-requested', image, size });
          delivery = visit.requested(image, size);
          return this.whenKept();
        },
        sent: (_from, to) => delivery?.sent(to),
        stalled: (bytes) => {
          if (delivery?.isOvertaken === false) evidence.add({ kind: 'finalstage-stalled', image, bytes });
          delivery?.stalled();
        },
        ended: ({ complete, bytes, closedByDevice }) => {
          // A device that lost its power in the last moment has acknowledged more than it wrote, and closes nothing.
          const how = complete ? (closedByDevice ? 'delivered' : 'acknowledged') : 'broken';
          if (delivery?.isOvertaken === false) evidence.add({ kind: 'finalstage-ended', image, how, bytes });
          delivery?.ended(how);
        },
      },
    };
  }

  /**
   * A device that asks as FinalStage has written the upgrade, whatever became of its acknowledgement: with the process
   * that it was sent to, or with the Wi-Fi. Then that request is its acknowledgement.
   */
  private provenBy(peer: string): (Job & { visit: FinalStageVisit }) | undefined {
    const visit = new FinalStageVisit();
    const job = this.jobs
      .all()
      .filter((one) => one.holdsFinalStage && !one.visit && one.download?.mayBeWritten)
      .find((one) => isFinalStageOf(one, visit, peer));
    if (!job?.download) return undefined;
    job.download.taken();
    return Object.assign(job, { visit });
  }

  /** The job whose FinalStage this peer can be: the one that was joined by itself, else that has waited longest. */
  private awaiting(peer: string): (Job & { visit: FinalStageVisit }) | undefined {
    const all = this.jobs.awaitingFinalStage().filter((job): job is Job & { visit: FinalStageVisit } => {
      return job.visit !== undefined && isFinalStageOf(job, job.visit, peer);
    });
    return all.find(({ visit }) => visit.isJoined) ?? all[0];
  }

  /** Keeps what another client did that only FinalStage may do. Devices at home dial the same port for their upgrade. */
  private strangerIn(peer: string, act: 'finalstage-dial' | 'finalstage-image'): void {
    for (const { visit, evidence } of this.jobs.awaitingFinalStage()) {
      const isInside = visit !== undefined && inSameNetwork(peer, visit.peer, '255.255.255.0');
      if (isInside || act === 'finalstage-image') evidence.addOnce({ kind: 'stranger', peer, act });
    }
  }
}

/**
 * FinalStage dials from its own access point's address. Its network is open: a phone in it that took the final image to
 * the end would pass for a device that has it. In a rehearsal it dials from where the device had its session; where that
 * is not known, an address on loopback tells nothing.
 */
function isFinalStageOf({ facts: { ip } }: Job, visit: FinalStageVisit, peer: string): boolean {
  if (!isLoopback(peer)) return peer === visit.peer;
  if (ip !== undefined && isLoopback(ip)) return peer === ip;
  return isLoopback(visit.peer);
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
