import { EventEmitter } from 'node:events';
import type { CloudServer } from './cloud-server';
import type { Via } from './device-connection';
import type { ConnectionLimits } from './connection-limits';
import type { ImageServer } from './image-server';
import { PortListener } from './port-listener';
import { PeerRates } from './rate-limit';
import type { SocketHandler } from './socket-handler';
import type { TlsFront } from './tls-front';

/**
 * New connections to the TLS port from one address, in a second: a handshake costs us some ms, and a device makes two
 * for a session. Those of several devices behind one address are put off, but not for longer than a device waits
 * (docs/dev/stock-firmware.md#2.2), nor so many that they push each other out.
 */
export const HANDSHAKE_RATE = { perSecond: 5, longestWaitMs: 2000 } as const;

/** Where to listen. A port of 0 means any free one, except for `legacyPort`, where it means none. */
export interface ListenSettings {
  readonly bind: string;
  readonly httpsPort: number;
  readonly legacyPort: number;
  readonly httpPort: number;
  /** The port that FinalStage dials, 8080 in every real one. */
  readonly finalStagePort: number;
}

/** The ports that are open; `legacy` is 0 where it is off. */
export interface OpenPorts {
  readonly https: number;
  readonly legacy: number;
  readonly http: number;
}

interface DeviceServersEvents {
  /** A peer dialled a cloud port. */
  'cloud-dialled': [peer: string, via: Via];
  /** A peer dialled a port where FinalStage would. */
  'image-dialled': [peer: string];
  trouble: [error: Error];
}

/** The listeners: the cloud over TLS and plain, the images, and FinalStage's own port while it is needed. */
export class DeviceServers extends EventEmitter<DeviceServersEvents> {
  private readonly tls: PortListener;
  private readonly plain: PortListener;
  private readonly images: PortListener;
  private readonly finalStage: PortListener;
  private opened: { settings: ListenSettings; ports: OpenPorts } | undefined;

  constructor(
    private readonly parts: { tlsFront: TlsFront; cloud: CloudServer; images: ImageServer; limits: ConnectionLimits },
  ) {
    super();
    const onImage = (peer: string): boolean => this.emit('image-dialled', peer);
    this.tls = this.listener(
      (socket, connection) => parts.tlsFront.handle(socket, connection),
      (peer) => this.emit('cloud-dialled', peer, 'tls'),
      new PeerRates(HANDSHAKE_RATE),
    );
    this.plain = this.listener(
      (socket, connection) => parts.cloud.handle(socket, 'plain', connection),
      (peer) => this.emit('cloud-dialled', peer, 'plain'),
    );
    const handleImage: SocketHandler['handle'] = (socket, connection) => parts.images.handle(socket, connection);
    this.images = this.listener(handleImage, onImage);
    this.finalStage = this.listener(handleImage, onImage);
  }

  get ports(): OpenPorts | undefined {
    return this.opened?.ports;
  }

  /** FinalStage's own port, while it is open. */
  get finalStagePort(): number | undefined {
    return this.finalStage.port;
  }

  /**
   * Opens every port, or none.
   * @throws FlashError `port-in-use`, naming the one that could not be opened
   */
  async open(settings: ListenSettings): Promise<OpenPorts> {
    const { bind, httpsPort, legacyPort, httpPort } = settings;
    try {
      const ports = {
        https: await this.tls.listen(httpsPort, bind),
        legacy: legacyPort === 0 ? 0 : await this.plain.listen(legacyPort, bind),
        http: await this.images.listen(httpPort, bind),
      };
      this.opened = { settings, ports };
      return ports;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Listens where FinalStage dials, if the image port is another one.
   * @throws FlashError `port-in-use`
   */
  async openFinalStage(): Promise<void> {
    if (!this.opened) return;
    const { settings, ports } = this.opened;
    if (settings.finalStagePort === ports.http || this.finalStage.port !== undefined) return;
    await this.finalStage.listen(settings.finalStagePort, settings.bind);
  }

  closeFinalStage(): Promise<void> {
    return this.finalStage.close();
  }

  /** Frees every port; takes well under 100 ms, however many devices are connected. */
  async close(): Promise<void> {
    this.opened = undefined;
    const { tlsFront, cloud, images } = this.parts;
    await Promise.all([this.tls.close(), this.plain.close(), this.images.close(), this.finalStage.close()]);
    tlsFront.close();
    cloud.close();
    images.close();
  }

  private listener(
    handle: SocketHandler['handle'],
    onConnection: (peer: string) => void,
    rates?: PeerRates,
  ): PortListener {
    const { limits } = this.parts;
    const listener = new PortListener({ handle }, { limits, ...(rates ? { rates } : {}) });
    listener.on('connection', onConnection);
    listener.on('trouble', (error) => this.emit('trouble', error));
    return listener;
  }
}
