import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import type { DeviceStatement } from '../../protocol/device-statement';
import type { OtaRequest } from '../../protocol/ota-request';
import { CloudServer, type Dispatched } from '../../server/cloud-server';
import { ConnectionLimits, type Limit } from '../../server/connection-limits';
import type { DeviceConnection, Via } from '../../server/device-connection';
import { DeviceServers, type ListenSettings, type OpenPorts } from '../../server/device-servers';
import { ImageServer } from '../../server/image-server';
import { TlsFront, type HandshakeFailed } from '../../server/tls-front';
import type { TlsIdentity } from '../../server/tls-identity';
import type { PostTaker } from '../../server/device-post';
import type { ImageGrant, ImageRefusal } from '../../server/transfer';
import { SerialQueue } from '../../timing/serial-queue';

/** The name of a host for people, and the tabs on which they find the nodes that use it. */
export interface HostLabel {
  readonly host: string;
  readonly tab: string;
}

/** A host as its listener sees it. */
export interface ListeningHost {
  label(): HostLabel;
  /** Since when it has an open job for the device, in ms; undefined where it has none. */
  jobSince(deviceid: string): number | undefined;
  /** Since when it has waited for FinalStage, in ms; Infinity where it does not. */
  awaitsFinalStageSince(): number;
  needsFinalStagePort(): boolean;
  isOwnAddress(peer: string): boolean;
  /** This machine's address for a device on whose connection it is `localAddress`. */
  addressFor(localAddress: string): string;
  admits(device: DeviceStatement, peer: string, to: 'dispatch' | 'register'): boolean;
  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal;
  /** Whether a device of its own got this target to ask for, though it has no leading slash. */
  ownsTarget(target: string): boolean;
  /** The taker of what a device of its own posts to this path. */
  takerOf(path: string, peer: string): PostTaker | undefined;

  cloudDialled(peer: string, via: Via): void;
  imagesDialled(peer: string): void;
  /** A bare connection from where FinalStage can be. @returns whether it is the one that this host waits for */
  finalStageDialled(peer: string): boolean;
  handshakeFailed(failure: HandshakeFailed): void;
  dispatched(dispatch: Dispatched): void;
  /** A session was opened, or was open when the host came. */
  connected(connection: DeviceConnection): void;
  malformed(error: FlashError, peer: string): void;
  browser(peer: string): void;
  refused(peer: string, limit: Limit): void;
  trouble(error: Error): void;
}

const EVERY_ADDRESS = '0.0.0.0';

/** Event: `freed` when a host has released ports, for hosts that could not have them. */
export const sharedPorts = new EventEmitter<{ freed: [] }>().setMaxListeners(0);

/** All that there are in this process. */
const listeners = new Map<string, SharedListener>();
let unshared = 0;

/**
 * Lets a host listen: hosts with the same ports share what listens there.
 *
 * @param place of the TLS identity, which hosts that share have in common
 * @throws FlashError `port-in-use`, `port-of-other-host`
 */
export async function joinListener(
  host: ListeningHost,
  settings: ListenSettings,
  { folder, identity }: { folder: string | undefined; identity: TlsIdentity },
): Promise<SharedListener> {
  const { bind, httpsPort, legacyPort, httpPort, finalStagePort } = settings;
  // A host that takes any free port wants one of its own.
  const own = folder === undefined || httpsPort === 0 || httpPort === 0 ? (unshared += 1) : '';
  const key = [bind, httpsPort, legacyPort, httpPort, finalStagePort, folder, own].join(' ');
  const listener = listeners.get(key) ?? new SharedListener(settings, identity, () => listeners.delete(key));
  listeners.set(key, listener);
  await listener.join(host);
  return listener;
}

/** The servers on one set of ports, and the hosts that listen there. */
export class SharedListener {
  private readonly hosts = new Set<ListeningHost>();
  private readonly connections = new Set<DeviceConnection>();
  private readonly images: ImageServer;
  private readonly servers: DeviceServers;
  /** Opening and closing come one after another, in the order in which hosts come and go. */
  private readonly changes = new SerialQueue();

  constructor(
    private readonly settings: ListenSettings,
    identity: TlsIdentity,
    private readonly abandoned: () => void,
  ) {
    const cloud = this.cloudServer();
    this.images = new ImageServer({
      find: (request, peer) => this.find(request, peer),
      ownsTarget: (target) => [...this.hosts].some((host) => host.ownsTarget(target)),
      takerOf: (path, peer) => this.takerOf(path, peer),
    });
    this.images.on('browser', (peer) => this.tellAll((host) => host.browser(peer)));
    this.images.on('failed', (error) => this.tellAll((host) => host.trouble(error as Error)));
    const limits = new ConnectionLimits({ isOwn: (peer) => [...this.hosts].some((host) => host.isOwnAddress(peer)) });
    limits.on('refused', (peer, limit) => this.tellAll((host) => host.refused(peer, limit)));
    const tlsFront = new TlsFront(identity, (socket, connection) => cloud.handle(socket, 'tls', connection));
    tlsFront.on('handshake-failed', (failure) => this.tellAll((host) => host.handshakeFailed(failure)));
    this.servers = new DeviceServers({ tlsFront, cloud, images: this.images, limits });
    this.servers.on('cloud-dialled', (peer, via) => this.tellAll((host) => host.cloudDialled(peer, via)));
    this.servers.on('image-dialled', (peer) => {
      this.tellAll((host) => host.imagesDialled(peer));
      this.longestWaitingFirst().some((host) => host.finalStageDialled(peer));
    });
    this.servers.on('trouble', (error) => this.tellAll((host) => host.trouble(error)));
  }

  get ports(): OpenPorts | undefined {
    return this.servers.ports;
  }

  /** Images on the wire that would lose their server if this host left. */
  transfersHeldBy(host: ListeningHost): ImageServer['transfersOnWire'] | undefined {
    return this.hosts.size === 1 && this.hosts.has(host) ? this.images.transfersOnWire : undefined;
  }

  whenFinalStageQuiet(): Promise<void> {
    return this.images.whenFinalStageQuiet();
  }

  /** Whether the device is in the work of another host here: it is that one's then. */
  isAnothers(deviceid: string, host: ListeningHost): boolean {
    const worker = this.workerOf(deviceid);
    return worker !== undefined && worker !== host;
  }

  async join(host: ListeningHost): Promise<void> {
    this.hosts.add(host);
    try {
      await this.changes.run(async () => {
        if (!this.servers.ports) await this.servers.open(this.settings);
        // A host may come with a device that is in FinalStage already.
        if (this.needsFinalStagePort()) await this.servers.openFinalStage();
      });
    } catch (thrown) {
      await this.remove(host);
      throw nameHolder(thrown);
    }
    for (const connection of this.connections) host.connected(connection);
  }

  /** The last one to leave closes the ports. */
  async leave(host: ListeningHost): Promise<void> {
    await this.remove(host);
    if (!this.ports) sharedPorts.emit('freed');
  }

  private async remove(host: ListeningHost): Promise<void> {
    this.hosts.delete(host);
    await this.changes.run(async () => {
      if (this.hosts.size > 0) return;
      await this.servers.close();
      // The next one may have come meanwhile, and opens them again.
      if (this.hosts.size === 0) this.abandoned();
    });
  }

  /** @throws FlashError `port-in-use`, `port-of-other-host` */
  async openFinalStage(): Promise<void> {
    try {
      await this.servers.openFinalStage();
    } catch (thrown) {
      throw nameHolder(thrown);
    }
  }

  /** Gives up FinalStage's port when no job can reach it any more: nothing listens longer than it must. */
  async closeFinalStageIfUnused(): Promise<void> {
    const isOnWire = this.images.transfersOnWire.finalstage > 0;
    if (!isOnWire && !this.needsFinalStagePort()) await this.servers.closeFinalStage();
  }

  /** The host of this process that holds a port, if one does. */
  holderOf(port: number, bind: string): HostLabel | undefined {
    if (![bind, this.settings.bind].includes(EVERY_ADDRESS) && bind !== this.settings.bind) return undefined;
    const { https, legacy, http } = this.servers.ports ?? { https: 0, legacy: 0, http: 0 };
    const [host] = this.hosts;
    return [https, legacy, http, this.servers.finalStagePort].includes(port) ? host?.label() : undefined;
  }

  private cloudServer(): CloudServer {
    const cloud = new CloudServer({
      whereToConnect: (via, localAddress, deviceid) => {
        const [host] = this.hostsFor(deviceid);
        const { legacy, https } = this.servers.ports ?? { legacy: 0, https: 0 };
        return { address: host?.addressFor(localAddress) ?? localAddress, port: via === 'plain' ? legacy : https };
      },
      // Each records its own claims, so each is asked.
      admits: (device, peer, to) =>
        this.hostsFor(device.deviceid)
          .map((host) => host.admits(device, peer, to))
          .includes(true),
    });
    cloud.on('dispatched', (dispatch) => {
      for (const host of this.hostsFor(dispatch.deviceid)) host.dispatched(dispatch);
    });
    cloud.on('connected', (connection) => {
      this.connections.add(connection);
      connection.once('closed', () => this.connections.delete(connection));
      this.tellAll((host) => host.connected(connection));
    });
    cloud.on('malformed', (error, peer) => this.tellAll((host) => host.malformed(error, peer)));
    cloud.on('browser', (peer) => this.tellAll((host) => host.browser(peer)));
    return cloud;
  }

  /** The first grant, else the refusal that says most. */
  private find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal {
    let refusal: ImageRefusal | undefined;
    for (const host of this.longestWaitingFirst()) {
      const found = host.find(request, peer);
      if ('bytes' in found) return found;
      if (refusal?.status !== 403) refusal = found;
    }
    return refusal ?? { status: 404, reason: 'there is nothing here' };
  }

  private takerOf(path: string, peer: string): PostTaker | undefined {
    for (const host of this.longestWaitingFirst()) {
      const taker = host.takerOf(path, peer);
      if (taker) return taker;
    }
    return undefined;
  }

  /** The one that has a job for the device; where none has, each. */
  private hostsFor(deviceid: string): ListeningHost[] {
    const worker = this.workerOf(deviceid);
    return worker ? [worker] : [...this.hosts];
  }

  private workerOf(deviceid: string): ListeningHost | undefined {
    const since = (host: ListeningHost): number => host.jobSince(deviceid) ?? Infinity;
    const [first] = [...this.hosts].sort((one, other) => since(one) - since(other));
    return first && since(first) < Infinity ? first : undefined;
  }

  private longestWaitingFirst(): ListeningHost[] {
    return [...this.hosts].sort((one, other) => one.awaitsFinalStageSince() - other.awaitsFinalStageSince());
  }

  private needsFinalStagePort(): boolean {
    return [...this.hosts].some((host) => host.needsFinalStagePort());
  }

  private tellAll(tell: (host: ListeningHost) => void): void {
    for (const host of this.hosts) tell(host);
  }
}

/** A port that another host of this process holds is that host's: no person finds it by looking for a program. */
function nameHolder(thrown: unknown): unknown {
  if (!(thrown instanceof FlashError) || thrown.code !== 'port-in-use') return thrown;
  const { port, bind } = thrown.values as { port: number; bind: string };
  for (const listener of listeners.values()) {
    const holder = listener.holderOf(port, bind);
    if (holder) return new FlashError('port-of-other-host', { port, bind, ...holder }, { cause: thrown });
  }
  return thrown;
}
