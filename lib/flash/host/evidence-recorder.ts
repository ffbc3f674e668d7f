import type { FlashError } from '../../errors';
import type { DeviceConnection } from '../../server/device-connection';
import type { Limit } from '../../server/connection-limits';
import type { HandshakeFailed } from '../../server/tls-front';
import type { Dispatched } from '../../server/cloud-server';
import type { Devices, RefusedClaim } from '../devices/devices';
import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import type { StrangerAct, NewObservation } from '../observation';
import { quoted } from '../../wordings/wording';

/** The most messages kept of a session before its device has stated its id; a session starts with three. */
const EARLY_MESSAGES = 10;

/**
 * Writes the observations of the cloud's servers into the evidence of the jobs concerned. A peer that dials is not known
 * at first: its observations go to every job that waits for a device.
 */
export class EvidenceRecorder {
  constructor(
    private readonly jobs: JobRegistry,
    private readonly devices: Devices,
  ) {}

  dialled(peer: string, port: 'tls' | 'plain' | 'images'): void {
    if (port !== 'images') {
      return this.toAllWaiting((job) => ({ kind: 'dialled', peer, port, ...this.ageOf(peer, job) }));
    }
    for (const job of this.jobs.all()) {
      if (job.isOpen && job.download && job.facts.ip === peer) job.evidence.add({ kind: 'dialled', peer, port });
    }
  }

  handshakeFailed({ peer, failure, code, reason, helloSeen, isModern }: HandshakeFailed): void {
    const named = this.jobs.awaitingDevice().filter(({ deviceid }) => deviceid !== undefined);
    this.toAllWaiting((job) => ({
      kind: 'tls-failed',
      peer,
      failure,
      code,
      reason,
      helloSeen,
      ...this.ageOf(peer, job),
      ...(isModern ? { isModern } : {}),
      ...(named.some((other) => other !== job) ? { isShared: true } : {}),
    }));
  }

  dispatched({ peer, via, deviceid, apikey, model, romVersion }: Dispatched): void {
    const proof = this.devices.isPinnedTo(deviceid, apikey) ? { isProven: true as const } : {};
    const seen = { kind: 'dispatched', peer, via, deviceid, model, romVersion, ...proof } as const;
    const own = this.jobs.openJob(deviceid);
    const waiting = this.jobs.awaitingDevice();
    for (const job of waiting) job.evidence.add(seen);
    if (own && !waiting.includes(own)) own.evidence.add(seen);
  }

  /** A peer that is not the device was refused; which job it was after is not known. */
  stranger(peer: string, act: StrangerAct): void {
    this.toAllAtWork(() => ({ kind: 'stranger', peer, act }));
  }

  /** Connections of this peer were refused; it may be anyone. */
  refused(peer: string, limit: Limit): void {
    this.toAllAtWork(() => ({ kind: 'connection-refused', peer, limit }));
  }

  /** A peer stated a device's id with a key that is not known to be the device's. */
  claimed({ deviceid, peer, claim }: RefusedClaim): void {
    const rival = claim.as === 'second-key' ? { rival: claim.rival } : {};
    this.jobs.openJob(deviceid)?.evidence.addOnce({ kind: 'stranger', peer, act: claim.as, ...rival });
  }

  malformed(error: FlashError, peer: string): void {
    const reason = error.values.reason ?? quoted(error.message);
    this.toAllWaiting(() => ({ kind: 'malformed', peer, reason }));
  }

  /** Follows a session to its end. */
  connected(connection: DeviceConnection): void {
    const { peer, via } = connection;
    const early: NewObservation[] = [];
    const tell = (seen: NewObservation): void => {
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
    connection.on('closed', () => {
      if (connection.device) tell({ kind: 'session-lost' });
      else this.toAllWaiting(() => ({ kind: 'left-unregistered', peer, via }));
    });
  }

  private toAllAtWork(seen: () => NewObservation): void {
    for (const { evidence } of this.jobs.all().filter(({ isOpen, running }) => isOpen && running)) {
      evidence.addOnce(seen());
    }
  }

  private toAllWaiting(seen: (job: Job) => NewObservation): void {
    for (const job of this.jobs.awaitingDevice()) job.evidence.add(seen(job));
  }

  /** Whether a peer was there before the device was set up. */
  private ageOf(peer: string, { evidence }: Job): { isOld?: true } {
    const first = this.devices.peerSince(peer)?.getTime() ?? Infinity;
    return first <= (evidence.newcomersSince ?? 0) ? { isOld: true } : {};
  }
}
