import { EventEmitter } from 'node:events';
import type { FlashError } from '../../errors';
import { isLoopback, isOwnAddress } from '../../net/addresses';
import type { DispatchRequest } from '../../protocol/dispatch';
import type { DeviceStatement } from '../../protocol/device-statement';
import type { DeviceConnection } from '../../server/device-connection';
import { Claims, type RejectedClaim } from './claims';
import { DeviceDirectory } from './device-directory';
import { DeviceKeys } from './device-keys';
import { RecentDevices } from './recent-devices';

/** The facts that a device stated when it dispatched, and its address. */
export type DispatchSighting = DispatchRequest & { peer: string };

/** Something that went wrong with a peer before (or without) a session; `peer` is an IPv4 address. */
export interface PeerTrouble {
  readonly peer: string;
  readonly error: FlashError;
}

/** A peer stated a device's id with a key that is not known to be the device's. */
export interface RefusedClaim {
  readonly deviceid: string;
  readonly peer: string;
  readonly claim: RejectedClaim;
}

/** The memory of a device beyond its connections and the directory's facts. */
interface DeviceMemory {
  apikey?: string;
  dispatched?: DispatchSighting;
}

const PEERS_KEPT = 1000;
/**
 * Behind one address there may be a whole house. Without a limit, one peer could open sessions of devices that do not
 * exist for as long as there is memory, and none of them may be closed to make room.
 */
export const SESSIONS_OF_PEER = 64;

interface DevicesEvents {
  ready: [connection: DeviceConnection];
  gone: [connection: DeviceConnection];
  dispatched: [dispatch: DispatchSighting];
  refused: [claim: RefusedClaim];
  /** This peer has too many sessions. */
  crowded: [peer: string];
  trouble: [trouble: PeerTrouble];
}

/** The devices that have dialled this host: their identities, open sessions and ready ones. */
export class Devices extends EventEmitter<DevicesEvents> {
  private readonly connections = new Map<string, DeviceConnection>();
  /** Each device with its facts and place, as far as any source has seen it. */
  readonly directory = new DeviceDirectory(() => this.held());
  private readonly known = new RecentDevices<DeviceMemory>(() => this.held());
  private readonly peersSince = new Map<string, Date>();
  private readonly claims: Claims;
  /** Grows whenever the host ceases to listen: what came before is no concern of what comes after. */
  private round = 0;

  /**
   * @param keys what is known of them from earlier runs of the process
   * @param inWork the devices of open jobs
   * @param isOwn whether a peer is this machine, which may have any number of sessions
   * @param isAnothers whether a device is in the work of another host that listens on the same ports
   */
  constructor(
    private readonly keys = new DeviceKeys(),
    private readonly inWork: () => readonly string[] = () => [],
    private readonly isOwn: (peer: string) => boolean = isOwnAddress,
    private readonly isAnothers: (deviceid: string) => boolean = () => false,
  ) {
    super();
    this.claims = new Claims(keys);
    // Every stage that waits listens here, and as many may wait as there are devices.
    this.setMaxListeners(0);
  }

  /**
   * A device's answer in its access point: from now on it is known by this key, which also signs its downloads. A
   * session in its name with another key is closed.
   */
  pin(deviceid: string, apikey: string): void {
    this.knownDevice(deviceid).apikey = apikey;
    this.claims.pin(deviceid, apikey);
    const session = this.connections.get(deviceid);
    if (!session?.device || session.device.apikey === apikey) return;
    this.connections.delete(deviceid);
    session.close();
  }

  /** Whether the device's access point stated this very key. */
  isPinnedTo(deviceid: string, apikey: string): boolean {
    return this.keys.isPinnedTo(deviceid, apikey) === true;
  }

  /** Two addresses that state this id with different keys, where nothing shows which one is the device. */
  rivals(deviceid: string): readonly [string, string] | undefined {
    return this.claims.rivals(deviceid);
  }

  /** A person wants the only one that states this id, though its key is not the one that was read. */
  acceptOnlyClaimant(deviceid: string): void {
    this.claims.acceptOnlyClaimant(deviceid);
  }

  /**
   * Whether a peer may do this in the name of the device; emits `refused` where the key is another one. A device that
   * still states a session key of ours may dispatch, and registers with its own key when asked to.
   */
  admits({ deviceid, apikey }: DeviceStatement, peer: string, to: 'dispatch' | 'register'): boolean {
    const session = this.connections.get(deviceid);
    // It is still there, however long it has been silent.
    if (session?.device) this.claims.of(deviceid, session.device.apikey, session.peer);
    const claim = this.claims.of(deviceid, apikey, peer);
    if (claim.as === 'device') return to === 'dispatch' || this.hasRoomFor(deviceid, apikey, peer);
    if (claim.as === 'session') return to === 'dispatch';
    this.emit('refused', { deviceid, peer, claim });
    return false;
  }

  factoryKey(deviceid: string): string | undefined {
    return this.known.get(deviceid)?.apikey;
  }

  lastDispatch(deviceid: string): DispatchSighting | undefined {
    return this.known.get(deviceid)?.dispatched;
  }

  dispatched(request: DispatchRequest, peer: string): void {
    // Another host that listens here may have admitted it.
    if (!this.isKnownAs(request, peer)) return;
    const dispatched = { ...request, peer };
    this.knownDevice(request.deviceid).dispatched = dispatched;
    this.rememberKey(request.deviceid, request.apikey);
    const { deviceid, model, romVersion: version } = request;
    this.directory.saw({ deviceid, how: 'dispatch', model, version, address: peer });
    this.emit('dispatched', dispatched);
  }

  /** A peer dialled a port of ours. All devices of a rehearsal have one address, which identifies none of them. */
  dialled(peer: string): void {
    if (!isLoopback(peer)) this.notePeer(peer);
  }

  /**
   * Since when this peer has been dialling (on loopback: without success). One that has for long is not the device that was
   * set up just now.
   */
  peerSince(peer: string): Date | undefined {
    return this.peersSince.get(peer);
  }

  hadTrouble(peer: string, error: FlashError): void {
    this.notePeer(peer);
    this.emit('trouble', { peer, error });
  }

  /** Takes a WebSocket; a device has one session, so its newer one replaces the older. */
  add(connection: DeviceConnection): void {
    const { round } = this;
    const isOver = (): boolean => round !== this.round;
    connection.on('registered', (device) => !isOver() && this.registered(connection, device));
    connection.on('reported', ({ staMac }) => {
      const deviceid = connection.device?.deviceid;
      if (isOver() || deviceid === undefined) return;
      if (typeof staMac === 'string') this.directory.saw({ deviceid, how: 'session', mac: staMac });
    });
    connection.on('ready', () => {
      const { deviceid = '' } = connection.device ?? {};
      if (!isOver() && this.get(deviceid) === connection && connection.ready) this.emit('ready', connection);
    });
    connection.on('closed', () => !isOver() && this.gone(connection));
    // It was there before this host.
    if (connection.device) this.registered(connection, connection.device);
  }

  /** The host has closed its ports: connected devices are no longer its own. */
  leave(): void {
    for (const connection of this.connections.values()) {
      const { deviceid = '' } = connection.device ?? {};
      if (!this.isAnothers(deviceid)) connection.close();
      this.gone(connection);
    }
    this.round += 1;
  }

  get(deviceid: string): DeviceConnection | undefined {
    return this.isAnothers(deviceid) ? undefined : this.connections.get(deviceid);
  }

  /** Devices that have a session. */
  connected(): string[] {
    return [...this.connections.keys()].filter((deviceid) => !this.isAnothers(deviceid));
  }

  /** Every device whose session is ready for an upgrade, in the order of their coming. */
  ready(): DeviceConnection[] {
    return this.connected().flatMap((deviceid) => {
      const connection = this.connections.get(deviceid);
      return connection?.ready ? [connection] : [];
    });
  }

  private registered(connection: DeviceConnection, device: DeviceStatement): void {
    this.keys.issued(device.deviceid, connection.sessionKey);
    if (!this.isKnownAs(device, connection.peer)) return;
    const older = this.connections.get(device.deviceid);
    this.connections.set(device.deviceid, connection);
    this.rememberKey(device.deviceid, device.apikey);
    const { deviceid, model, romVersion: version } = device;
    this.directory.saw({ deviceid, how: 'session', model, version, address: connection.peer });
    if (older && older !== connection) older.close();
  }

  private held(): Set<string> {
    return new Set([...this.connections.keys(), ...this.inWork()]);
  }

  private gone(connection: DeviceConnection): void {
    const deviceid = connection.device?.deviceid;
    if (deviceid !== undefined && this.connections.get(deviceid) === connection) this.connections.delete(deviceid);
    this.emit('gone', connection);
  }

  /** Whether it may be the device; emits no `refused`, which `admits` does. */
  private isKnownAs({ deviceid, apikey }: DeviceStatement, peer: string): boolean {
    const { as } = this.claims.of(deviceid, apikey, peer);
    return as === 'device' || as === 'session';
  }

  /** A device whose own key is known, or that renews its session, needs no further room. */
  private hasRoomFor(deviceid: string, apikey: string, peer: string): boolean {
    if (this.isOwn(peer) || this.isPinnedTo(deviceid, apikey) || this.connections.get(deviceid)?.peer === peer)
      return true;
    const sessions = [...this.connections.values()].filter((connection) => connection.peer === peer);
    if (sessions.length < SESSIONS_OF_PEER) return true;
    this.emit('crowded', peer);
    return false;
  }

  private notePeer(peer: string): void {
    if (!this.peersSince.has(peer)) this.peersSince.set(peer, new Date());
    // Anyone on the network can dial; the memory of them must not grow without limit.
    if (this.peersSince.size > PEERS_KEPT) this.peersSince.delete(this.peersSince.keys().next().value as string);
  }

  /** The key that the device states; a session key of ours signs nothing. */
  private rememberKey(deviceid: string, apikey: string): void {
    if (!this.keys.wasIssued(deviceid, apikey)) this.knownDevice(deviceid).apikey = apikey;
  }

  private knownDevice(deviceid: string): DeviceMemory {
    const known = this.known.get(deviceid) ?? {};
    this.known.saw(deviceid, known);
    return known;
  }
}
