import { once } from 'node:events';
import net from 'node:net';
import type { DeviceContext } from '../../lib/virtual/device/context';
import type { VirtualDevice } from '../../lib/virtual/device/virtual-device';
import { VirtualSonoff, type VirtualSonoffOptions, type VirtualState } from '../../lib/virtual/virtual-sonoff';
import { finalImage, userImage } from './images';
import { type CloudScript, RawCloud } from './raw-cloud';
import { type ImageScript, RawImages } from './raw-images';

export const USER1 = userImage(12_000 - (12_000 % 16), 0x11);
export const USER2 = userImage(10_000 - (10_000 % 16), 0x22);
export const FINAL = finalImage(20_004);

const open: { close(): Promise<void> }[] = [];

/** Closes whatever a test has opened; call it in afterEach. */
export async function closeAll(): Promise<void> {
  for (const thing of open.splice(0).reverse()) await thing.close();
}

export function opened<T extends { close(): Promise<void> }>(thing: T): T {
  open.push(thing);
  return thing;
}

export async function rawCloud(script: CloudScript = {}, secure = true): Promise<RawCloud> {
  return await opened(new RawCloud(script, secure)).listen();
}

export async function rawImages(script: ImageScript = {}): Promise<RawImages> {
  const images = {
    '/user1': USER1,
    '/user2': USER2,
    '/ota/image_user2-0x81000.bin': USER2,
    '/ota/image_arduino.bin': FINAL,
  };
  return await opened(new RawImages(images, script)).listen();
}

/** A virtual Sonoff a hundred times as fast as a real one, not yet switched on. */
export function sonoff(options: Partial<VirtualSonoffOptions> = {}): VirtualSonoff {
  const device = new VirtualSonoff({
    apAddress: '127.0.0.1',
    apPort: 0,
    speed: 100,
    deviceid: '10000a1b2c',
    ...options,
  });
  opened({ close: () => device.stop() });
  return device;
}

/** A device that was provisioned for this cloud, switched on. */
export async function onCloud(cloud: RawCloud, options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff> {
  const device = sonoff({ provisioned: { serverName: '127.0.0.1', port: cloud.port }, ...options });
  await device.start();
  return device;
}

/** Resolves when the device is in this state. */
export async function reaches(device: VirtualDevice<DeviceContext>, state: VirtualState): Promise<void> {
  if (device.state === state) return;
  await new Promise<void>((resolve) => {
    device.on('state', (entered: VirtualState) => entered === state && resolve());
  });
}

/** Resolves with the first line of the log, old or new, that matches. */
export async function logs(device: VirtualDevice<DeviceContext>, pattern: RegExp): Promise<string> {
  return (
    device.log.find((line) => pattern.test(line)) ??
    (await new Promise<string>((resolve) => {
      device.on('log', (line: string) => pattern.test(line) && resolve(line));
    }))
  );
}

/** Talks to the access point in raw bytes and collects whatever it answers. */
export class RawClient {
  received = '';
  readonly closed: Promise<void>;
  private constructor(readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => (this.received += bytes.toString('latin1')));
    this.closed = once(socket, 'close').then(() => undefined);
    opened({ close: () => Promise.resolve(void socket.destroy()) });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  async answer(): Promise<string> {
    while (!/\r\n\r\n.*}/s.test(this.received)) await once(this.socket, 'data');
    return this.received;
  }
}

export function postAp(body: object | string, lengthName = 'Content-Length'): string {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  return `POST /ap HTTP/1.1\r\nHost: 10.10.7.1\r\n${lengthName}: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}
