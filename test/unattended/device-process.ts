import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { OwnNetwork } from '../../lib/virtual/device/radio';
import type { VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import type { Air, Place } from '../lab/air';
import type { FromDevice, ToDevice, Want } from './device';

const RADIO = 'wlan0';

/** A network that a device makes, and the bridge that is it. */
export interface DeviceNetwork extends OwnNetwork {
  readonly bridge: string;
}

/**
 * A virtual Sonoff in a namespace of its own; its radio is a veth. Emits `opened` and `closed` with each DeviceNetwork,
 * `message` with all that the device tells.
 */
export class DeviceProcess extends EventEmitter<{
  opened: [DeviceNetwork];
  closed: [DeviceNetwork];
  message: [FromDevice];
}> {
  readonly log: string[] = [];
  readonly ended: Promise<void>;
  /** The sha256 of its final image, from its first boot on. */
  flashSha256: string | undefined;
  private readonly child: ChildProcess;
  private network: DeviceNetwork | undefined;
  private isAtHome = false;

  constructor(
    private readonly air: Air,
    readonly place: Place,
    /** Its address at home, with its prefix. */
    private readonly homeAddress: string,
    options: Partial<VirtualSonoffOptions>,
  ) {
    super();
    air.addRadio(place, RADIO);
    const [command, args] = air.inside(place, process.execPath, join(__dirname, 'device.js'), JSON.stringify(options));
    this.child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: FromDevice) => this.take(message));
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()));
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.send({ type: 'stop' });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.ended;
    clearTimeout(timer);
  }

  private take(message: FromDevice): void {
    if (message.type === 'ask') this.send({ type: 'granted', id: message.id, address: this.move(message.want) });
    else if (message.type === 'flashed') this.flashSha256 = message.flashSha256;
    else this.log.push(`${message.type} ${'text' in message ? message.text : message.result}`);
    this.emit('message', message);
  }

  private send(message: ToDevice): void {
    if (this.child.connected) this.child.send(message);
  }

  private move(want: Want): string | undefined {
    switch (want.call) {
      case 'openAccessPoint': {
        this.network = { ...want.network, bridge: `ap-${this.place}` };
        this.air.open(this.network.bridge);
        this.air.join(this.place, RADIO, this.network.bridge, `${this.network.address}/24`);
        this.emit('opened', this.network);
        return undefined;
      }
      case 'closeAccessPoint': {
        const { network } = this;
        this.network = undefined;
        if (!network) return undefined;
        this.air.leave(this.place, RADIO);
        this.air.close(network.bridge);
        this.emit('closed', network);
        return undefined;
      }
      case 'joinHome':
        this.isAtHome = true;
        this.air.join(this.place, RADIO, 'home', this.homeAddress);
        return this.homeAddress.split('/')[0];
      case 'leaveHome':
        if (this.isAtHome) this.air.leave(this.place, RADIO);
        this.isAtHome = false;
        return undefined;
    }
  }
}
