import { createHash } from 'node:crypto';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { NewlibRand } from '../../lib/virtual/device/rand';
import { takeFrame, textFrame } from '../../lib/virtual/wire/websocket-frames';
import { WEBSOCKET_REQUEST } from '../server/websocket-device';

/** The size of a device's request (docs/dev/stock-firmware.md#4.2). */
const SECTOR_BYTES = 4096;
const HEADER_END = Buffer.from('\r\n\r\n');

export interface WireDeviceOptions {
  readonly deviceid: string;
  /** The plain port of the cloud, on 127.0.0.1. */
  readonly port: number;
  /** The time to erase and write a sector. */
  readonly sectorMs: number;
}

/** The times that one device saw, in ms. */
export interface WireDeviceTimes {
  /** From its dispatch request to the upgrade command. */
  readonly toUpgrade: number;
  /** Each range, from its request to its last byte. */
  readonly ranges: readonly number[];
}

/**
 * A device of the class that dials the plain port and downloads by ranges, with as little work as can be: what it costs
 * must not hide what the server costs. It never checks what it gets.
 */
export class WireDevice {
  private readonly apikey = '11111111-2222-4333-8444-555555555555';
  private readonly rand = new NewlibRand();
  private session: Wire | undefined;

  constructor(private readonly options: WireDeviceOptions) {}

  /**
   * From its dispatch to its acknowledgement; the session stays open.
   *
   * @param beforeAcknowledging waited for when it has the whole image
   */
  async flash(beforeAcknowledging: () => Promise<void> = async () => undefined): Promise<WireDeviceTimes> {
    const begun = performance.now();
    const { binList, sequence, apikey } = await this.upgradeCommand();
    const toUpgrade = performance.now() - begun;
    const ranges = await this.download(new URL(binList[1]?.downloadUrl ?? ''));
    await beforeAcknowledging();
    const { deviceid } = this.options;
    this.session?.write(textFrame(JSON.stringify({ error: 0, userAgent: 'device', apikey, deviceid, sequence })));
    return { toUpgrade, ranges };
  }

  leave(): void {
    this.session?.destroy();
  }

  private async upgradeCommand(): Promise<{ binList: { downloadUrl: string }[]; sequence: string; apikey: string }> {
    const wire = (this.session = await Wire.dial(await this.dispatch()));
    wire.write(WEBSOCKET_REQUEST);
    await wire.head();
    const { deviceid } = this.options;
    let apikey = this.apikey;
    const ask = async (action: string, more: object): Promise<void> => {
      wire.write(textFrame(JSON.stringify({ userAgent: 'device', apikey, deviceid, action, ...more })));
      const answer = await wire.message();
      if (action === 'register') apikey = String(answer['apikey']);
    };
    await ask('register', { version: 2, romVersion: '2.0.1', model: 'ITA-GZ1-GL', ts: this.rand.next() % 1000 });
    await ask('date', {});
    await ask('update', { params: { switch: 'off', fwVersion: '2.0.1', rssi: -61, staMac: macOf(deviceid) } });
    await ask('query', { params: ['timers'] });
    for (;;) {
      const { action, params, sequence } = await wire.message();
      if (action !== 'upgrade') continue;
      return { ...(params as { binList: { downloadUrl: string }[] }), sequence: String(sequence), apikey };
    }
  }

  private async dispatch(): Promise<number> {
    const { deviceid, port } = this.options;
    const statement = { accept: 'ws;2', version: 2, ts: this.rand.next() % 1000, deviceid, apikey: this.apikey };
    const body = JSON.stringify({ ...statement, model: 'ITA-GZ1-GL', romVersion: '2.0.1' });
    const wire = await Wire.dial(port);
    wire.write(
      'POST /dispatch/device HTTP/1.1\r\nHost: eu-disp.coolkit.cc\r\nContent-Type: application/json\r\n' +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    const { length } = await wire.head();
    const told = JSON.parse((await wire.take(length)).toString()) as { port: number };
    wire.destroy();
    return told.port;
  }

  /** An image by ranges on one connection. @returns times of each, in ms */
  async download({ port, pathname }: URL): Promise<number[]> {
    const wire = await Wire.dial(Number(port));
    const times: number[] = [];
    for (let at = 0, total = Infinity; at < total; at += SECTOR_BYTES) {
      const begun = performance.now();
      wire.write(this.request(pathname, at, Math.min(at + SECTOR_BYTES, total) - 1));
      const head = await wire.head();
      await wire.take(head.length);
      times.push(performance.now() - begun);
      if (head.total === 0) throw new Error(`${this.options.deviceid} was refused its image`);
      total = head.total;
      if (this.options.sectorMs > 0) await pause(this.options.sectorMs);
    }
    wire.destroy();
    return times;
  }

  private request(path: string, first: number, last: number): string {
    const { deviceid } = this.options;
    const ts = this.rand.next();
    const sign = createHash('sha256').update(`${deviceid}${ts}${this.apikey}`).digest('hex');
    return (
      `GET ${path}?deviceid=${deviceid}&ts=${ts}&sign=${sign} HTTP/1.1\r\nHost: dl.itead.cn\r\n` +
      `Range: bytes=${first}-${last}\r\nUser-Agent: itead-device\r\n\r\n`
    );
  }
}

/** A connection as a row of bytes that are waited for. */
class Wire {
  private received: Buffer = Buffer.alloc(0);
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.wake());
    socket.on('data', (bytes) => {
      this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
      this.wake();
    });
  }

  static dial(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(new Wire(socket)));
      socket.once('error', reject);
    });
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The next bytes, so many. */
  async take(count: number): Promise<Buffer> {
    await this.until(() => this.received.length >= count);
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  /** The head of an HTTP answer; `length` of its body, `total` of the whole file, 0 where it tells none. */
  async head(): Promise<{ length: number; total: number }> {
    await this.until(() => this.received.includes(HEADER_END));
    const text = (await this.take(this.received.indexOf(HEADER_END) + HEADER_END.length)).toString('latin1');
    const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
    return { length: number(/content-length: (\d+)/i), total: number(/content-range: bytes \d+-\d+\/(\d+)/i) };
  }

  /** The next text message of a WebSocket. */
  async message(): Promise<Record<string, unknown>> {
    for (;;) {
      const taken = takeFrame(this.received);
      if (taken) this.received = taken.rest;
      if (taken?.frame.type === 'text') return JSON.parse(taken.frame.text) as Record<string, unknown>;
      if (!taken) {
        const before = this.received.length;
        await this.until(() => this.received.length > before);
      }
    }
  }

  private async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.socket.destroyed) throw new Error('the connection was lost');
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

function macOf(deviceid: string): string {
  return `5C:CF:7F:${deviceid.slice(-6).replace(/..(?=.)/g, '$&:')}`.toUpperCase();
}
