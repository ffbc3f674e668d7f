import { EventEmitter } from 'node:events';
import type { FlashError } from '../../errors';
import type { DispatchRequest } from '../../protocol/dispatch';
import type { DeviceConnection } from '../../server/device-connection';

/** What a device told when it dispatched, and from where. */
export type Dispatched = DispatchRequest & { peer: string };

/** Something that went wrong with a peer before (or without) a session; `peer` is an IPv4 address. */
export interface Trouble {
  readonly peer: string;
  readonly error: FlashError;
}

/** What is remembered of a device beyond its connections. */
interface KnownDevice {
  apikey?: string;
  mac?: string;
  dispatched?: Dispatched;
}

const REMEMBERED_AT_MOST = 1000;

/**
 * The devices that have dialled this host: who they are, whose session is open, whose is ready.
 *
 * Events: `ready` and `gone` (a DeviceConnection), `dispatched` (Dispatched), `trouble` (Trouble).
 */
export class Devices extends EventEmitter {
  private readonly connections = new Map<string, DeviceConnection>();
  private readonly known = new Map<string, KnownDevice>();
  private readonly troubledSince = new Map<string, Date>();

  constructor() {
    super();
    // Every stage that waits listens here, and as many may wait as there are devices.
    this.setMaxListeners(0);
  }

  /** A device's answer in its access point: its factory key signs its download requests later. */
  rememberKey(deviceid: string, apikey: string): void {
    this.knownDevice(deviceid).apikey = apikey;
  }

  factoryKey(deviceid: string): string | undefined {
    return this.known.get(deviceid)?.apikey;
  }

  /** The station's MAC address as the device reported it. */
  mac(deviceid: string): string | undefined {
    return this.known.get(deviceid)?.mac;
  }

  lastDispatch(deviceid: string): Dispatched | undefined {
    return this.known.get(deviceid)?.dispatched;
  }

  dispatched(request: DispatchRequest, peer: string): void {
    const dispatched = { ...request, peer };
    this.knownDevice(request.deviceid).dispatched = dispatched;
    this.rememberKey(request.deviceid, request.apikey);
    this.emit('dispatched', dispatched);
  }

  /** When trouble with this peer began: a refusing device that was set up long ago dials for ever, and is not news. */
  troubleBegan(peer: string): Date | undefined {
    return this.troubledSince.get(peer);
  }

  hadTrouble(peer: string, error: FlashError): void {
    if (!this.troubledSince.has(peer)) this.troubledSince.set(peer, new Date());
    forgetOldest(this.troubledSince);
    this.emit('trouble', { peer, error } satisfies Trouble);
  }

  /** Takes a new WebSocket; a device has one session, so its newer one replaces the older. */
  add(connection: DeviceConnection): void {
    connection.on('registered', (device: { deviceid: string; apikey: string }) => {
      const older = this.connections.get(device.deviceid);
      this.connections.set(device.deviceid, connection);
      this.rememberKey(device.deviceid, device.apikey);
      if (older && older !== connection) older.close();
    });
    connection.on('reported', ({ staMac }) => {
      const deviceid = connection.device?.deviceid;
      if (deviceid !== undefined && typeof staMac === 'string') this.knownDevice(deviceid).mac = staMac;
    });
    connection.on('ready', () => this.emit('ready', connection));
    connection.on('closed', () => {
      const deviceid = connection.device?.deviceid;
      if (deviceid !== undefined && this.connections.get(deviceid) === connection) this.connections.delete(deviceid);
      this.emit('gone', connection);
    });
  }

  get(deviceid: string): DeviceConnection | undefined {
    return this.connections.get(deviceid);
  }

  /** Every device whose session is ready for an upgrade, in the order of their coming. */
  ready(): DeviceConnection[] {
    return [...this.connections.values()].filter((connection) => connection.ready);
  }

  private knownDevice(deviceid: string): KnownDevice {
    const known = this.known.get(deviceid) ?? {};
    this.known.set(deviceid, known);
    forgetOldest(this.known);
    return known;
  }
}

/** Anyone on the network can make up devices; what is remembered of them must not grow for ever. */
function forgetOldest(map: Map<string, unknown>): void {
  if (map.size > REMEMBERED_AT_MOST) map.delete(map.keys().next().value as string);
}
