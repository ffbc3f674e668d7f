import { inSameNetwork, isLoopback } from '../../net/addresses';
import { DEVICE_NETMASK } from '../../protocol/device-networks';
import { finalStageImage } from '../../protocol/finalstage';
import type { OtaRequest } from '../../protocol/ota-request';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import { FinalStageSession, type DeliveryTry, type FinalStageImage } from '../job/finalstage-session';
import type { Job } from '../job/job';
import type { ImageProvider, ProviderParts } from './image-provider';

/** The images for FinalStage: the final one, and user2 where the device ran from that half. */
export class FinalStageImages implements ImageProvider {
  constructor(private readonly host: Pick<ProviderParts, 'jobs' | 'whenStored'>) {}

  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal | undefined {
    const image = request.class === 'finalstage' ? finalStageImage(request.path) : undefined;
    return image && this.forFinalStage(image, peer);
  }

  /**
   * A bare connection: FinalStage looks in this way whether we are there before it asks.
   * @returns whether a job waits for it
   */
  dialled(peer: string): boolean {
    const job = this.awaiting(peer);
    if (job) {
      job.evidence.add({ kind: 'finalstage-dialled' });
      job.finalStage.dialled();
    } else {
      this.strangerIn(peer, 'finalstage-dial');
    }
    return job !== undefined;
  }

  private forFinalStage(image: FinalStageImage, peer: string): ImageGrant | ImageRefusal {
    const job = this.awaiting(peer) ?? this.provenBy(peer);
    const loaded = job?.firmware[image];
    if (!job) this.strangerIn(peer, 'finalstage-image');
    if (!job || !loaded) return { status: 404, reason: 'no job waits for FinalStage' };
    const { finalStage: session, evidence } = job;
    const size = loaded.bytes.length;
    let delivery: DeliveryTry | undefined;
    return {
      bytes: loaded.bytes,
      observer: {
        request: () => {
          evidence.add({ kind: 'finalstage-requested', image, size });
          delivery = session.requested(image, size);
          return this.host.whenStored();
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
  private provenBy(peer: string): (Job & { finalStage: FinalStageSession }) | undefined {
    const session = new FinalStageSession();
    const job = this.host.jobs
      .all()
      .filter((one) => one.holdsFinalStage && !one.mayBeInFinalStage && one.download?.mayBeWritten)
      .find((one) => isFinalStageOf(one, session, peer));
    if (!job?.download) return undefined;
    job.download.taken();
    return Object.assign(job, { finalStage: session });
  }

  /** The job whose FinalStage this peer can be: the one that was joined automatically, else the one that has waited longest. */
  private awaiting(peer: string): (Job & { finalStage: FinalStageSession }) | undefined {
    const all = this.host.jobs.awaitingFinalStage().filter((job): job is Job & { finalStage: FinalStageSession } => {
      return job.finalStage !== undefined && isFinalStageOf(job, job.finalStage, peer);
    });
    return all.find(({ finalStage: session }) => session.isJoined) ?? all[0];
  }

  /** Keeps what another client did that only FinalStage may do. Devices at home dial the same port for their upgrade. */
  private strangerIn(peer: string, act: 'finalstage-dial' | 'finalstage-image'): void {
    for (const { finalStage: session, evidence } of this.host.jobs.awaitingFinalStage()) {
      const isInside = session !== undefined && inSameNetwork(peer, session.peer, DEVICE_NETMASK);
      if (isInside || act === 'finalstage-image') evidence.addOnce({ kind: 'stranger', peer, act });
    }
  }
}

/**
 * FinalStage dials from its own access point's address. Its network is open: a phone in it that took the final image to
 * the end would pass for a device that has it. In a rehearsal it dials from where the device had its session; where that
 * is not known, an address on loopback tells nothing.
 */
function isFinalStageOf({ facts: { ip } }: Job, session: FinalStageSession, peer: string): boolean {
  if (!isLoopback(peer)) return peer === session.peer;
  if (ip !== undefined && isLoopback(ip)) return peer === ip;
  return isLoopback(session.peer);
}
