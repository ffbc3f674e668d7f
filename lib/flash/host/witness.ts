import type { FlashError } from '../../errors';
import type { DeviceConnection } from '../../server/device-connection';
import type { HandshakeFailed } from '../../server/tls-front';
import type { Dispatched } from '../../server/cloud-server';
import type { Devices } from './devices';
import type { JobBook } from '../job/job-book';
import type { StrangerAct, Unstamped } from '../verdict/observation';

/** Text before a device has said who it is. A session begins with three messages. */
const EARLY_MESSAGES = 10;

/**
 * Writes what the cloud's servers see into the evidence of the jobs that it concerns. Who dials is not known at first:
 * that goes to every job that waits for a device to come.
 */
export class Witness {
  constructor(
    private readonly jobs: JobBook,
    private readonly devices: Devices,
  ) {}

  dialled(peer: string, port: 'tls' | 'plain' | 'images'): void {
    if (port !== 'images') return this.toAllWaiting(() => ({ kind: 'dialled', peer, port }));
    for (const job of this.jobs.all()) {
      if (job.isOpen && job.download && job.facts.ip === peer) job.evidence.add({ kind: 'dialled', peer, port });
    }
  }

  handshakeFailed({ peer, failure, code, reason, helloSeen }: HandshakeFailed): void {
    const since = this.devices.troubleBegan(peer)?.getTime() ?? Infinity;
    this.toAllWaiting((stageBeganAt) => ({
      kind: 'tls-failed',
      peer,
      failure,
      code,
      reason,
      helloSeen,
      ...(since <= stageBeganAt ? { isOld: true } : {}),
    }));
  }

  dispatched({ peer, via, deviceid, model, romVersion }: Dispatched): void {
    const seen = { kind: 'dispatched', peer, via, deviceid, model, romVersion } as const;
    const own = this.jobs.openJob(deviceid);
    const waiting = this.jobs.awaitingDevice();
    for (const job of waiting) job.evidence.add(seen);
    if (own && !waiting.includes(own)) own.evidence.add(seen);
  }

  /** Somebody who is not the device was refused; not known whose job it was after. */
  stranger(peer: string, act: StrangerAct): void {
    this.toAllAtWork(() => ({ kind: 'stranger', peer, act }));
  }

  malformed(error: FlashError, peer: string): void {
    const reason = String(error.values['reason'] ?? error.message);
    this.toAllWaiting(() => ({ kind: 'malformed', peer, reason }));
  }

  /** Follows a session to its end. */
  connected(connection: DeviceConnection): void {
    const { peer, via } = connection;
    const early: Unstamped[] = [];
    const tell = (seen: Unstamped): void => {
      const { device } = connection;
      if (device) this.jobs.openJob(device.deviceid)?.evidence.add(seen);
      else if (early.length < EARLY_MESSAGES) early.push(seen);
    };
    connection.on('message', (direction, text) => tell({ kind: 'message', direction, text }));
    connection.on('registered', () => {
      for (const seen of early.splice(0)) tell(seen);
      tell({ kind: 'registered', peer, via });
    });
    connection.on('acknowledged', (error) => tell({ kind: 'acknowledged', error }));
    connection.on('malformed', (reason) => tell({ kind: 'malformed', peer, reason }));
    connection.on('closed', () => tell({ kind: 'session-lost' }));
  }

  private toAllAtWork(seen: () => Unstamped): void {
    for (const { evidence } of this.jobs.all().filter(({ isOpen, running }) => isOpen && running)) {
      evidence.addOnce(seen());
    }
  }

  private toAllWaiting(seen: (stageBeganAt: number) => Unstamped): void {
    for (const { evidence } of this.jobs.awaitingDevice()) evidence.add(seen(evidence.stageBeganAt ?? 0));
  }
}
