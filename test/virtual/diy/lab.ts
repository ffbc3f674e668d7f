import { once } from 'node:events';
import net from 'node:net';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { sha256 } from '../images';
import { opened } from '../lab';
import { appImage } from './image';
import type { ImageServer } from './image-server';

export const ID = '10000a1b2c';
export const IMAGE = appImage(20_004);

/** A virtual DIY device a hundred times as fast as a real one, set up for DIY mode earlier, not yet switched on. */
export function diySonoff(options: Partial<VirtualDiyOptions> = {}): VirtualDiySonoff {
  const device = new VirtualDiySonoff({
    ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: ID, startsIn: 'diy' },
    ...options,
  });
  opened({ close: () => device.stop() });
  return device;
}

/** Such a device, switched on, and the port of its HTTP API. */
export async function inDiyMode(
  options: Partial<VirtualDiyOptions> = {},
): Promise<{ device: VirtualDiySonoff; port: number }> {
  const device = diySonoff(options);
  const { lanPort: port } = await device.start();
  return { device, port };
}

export interface LanReply {
  readonly seq: number;
  readonly error: number;
  readonly data?: unknown;
}

/** A request by hand, as bytes. */
export function request(command: string, body: object | string, lengthName = 'Content-Length'): string {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  return (
    `POST /zeroconf/${command} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
    `${lengthName}: ${Buffer.byteLength(json)}\r\n\r\n${json}`
  );
}

/** Sends bytes and collects all that comes back until the device closes; `undefined` where it resets. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string | undefined> {
  const socket = net.connect(port, '127.0.0.1');
  opened({ close: () => Promise.resolve(void socket.destroy()) });
  let received = '';
  let isReset = false;
  socket.setNoDelay(true);
  socket.on('data', (data) => (received += data.toString('latin1')));
  socket.on(
    'error',
    (error: NodeJS.ErrnoException) => (isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE'),
  );
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return isReset ? undefined : received;
}

/** The whole reply to a command; asks again while the device resets, as it does with a connection that comes too soon. */
export async function replyTo(port: number, bytes: string): Promise<string> {
  for (;;) {
    const reply = await exchange(port, bytes);
    if (reply !== undefined) return reply;
  }
}

/** The JSON of the reply to a command with the device's own id. */
export async function command(port: number, name: string, data: object = {}, deviceid: string = ID): Promise<LanReply> {
  return jsonIn(await replyTo(port, request(name, { deviceid, data })));
}

export function jsonIn(reply: string): LanReply {
  return JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4)) as LanReply;
}

/** Orders a flash of what the server has. */
export async function flash(port: number, images: ImageServer, sha = sha256(images.image)): Promise<LanReply> {
  return await command(port, 'ota_flash', { downloadUrl: images.url, sha256sum: sha });
}

/** A connection that stays open and keeps what it receives. */
export async function openConnection(port: number): Promise<{ socket: net.Socket; received: () => string }> {
  const socket = net.connect(port, '127.0.0.1');
  opened({ close: () => Promise.resolve(void socket.destroy()) });
  let received = '';
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (data) => (received += data.toString('latin1')));
  await once(socket, 'connect');
  return { socket, received: () => received };
}
