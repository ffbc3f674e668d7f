import { type RawClient } from './serving';

/** What a stock device opens its WebSocket with, letter by letter (docs/dev/stock-firmware.md#3.1). */
export const WEBSOCKET_REQUEST =
  'GET /api/ws HTTP/1.1\r\nHost: iotgo.iteadstudio.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: ITEADTmobiM0x1DabcEsnw==\r\nSec-WebSocket-Version: 13\r\n\r\n';

export const FACTORY_KEY = '11111111-2222-4333-8444-555555555555';
export const DEVICE_ID = '100008db17';

/**
 * A masked frame as a device sends it: the mask is all zero, so the payload is in clear
 * (docs/dev/stock-firmware.md#3.2).
 */
export function frame(payload: string, first = 0x81): Buffer {
  const body = Buffer.from(payload);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), body]);
}

export const PING = Buffer.from('898000000000', 'hex');

/** A WebSocket client that sees frames as bytes. */
export class WebSocketDevice {
  sessionKey = '';

  private constructor(readonly wire: RawClient) {}

  /** Opens the WebSocket; gives the server's whole answer too. */
  static async open(wire: RawClient, request = WEBSOCKET_REQUEST): Promise<{ device: WebSocketDevice; reply: string }> {
    wire.write(request);
    await wire.until(() => wire.text.includes('\r\n\r\n'));
    const reply = wire.text;
    wire.clear();
    return { device: new WebSocketDevice(wire), reply };
  }

  say(message: object): void {
    this.wire.write(frame(JSON.stringify({ userAgent: 'device', deviceid: DEVICE_ID, ...message })));
  }

  /** The next frame, which must have come in one piece: first byte, and payload. */
  async next(): Promise<{ first: number; text: string }> {
    await this.wire.until(() => this.wire.segments.length > 0);
    const bytes = this.wire.bytes;
    const [first = 0, length = 0] = bytes;
    const [from, size] = length < 126 ? [2, length] : [4, bytes.readUInt16BE(2)];
    const rest = bytes.subarray(from + size);
    this.wire.clear();
    if (rest.length > 0) this.wire.segments.push(rest);
    return { first, text: bytes.toString('utf8', from, from + size) };
  }

  async answer(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.next()).text) as Record<string, unknown>;
  }

  async register(deviceid = DEVICE_ID): Promise<void> {
    const device = { version: 2, romVersion: '1.5.5', model: 'ITA-GZ1-GL', ts: 710 };
    this.say({ action: 'register', apikey: FACTORY_KEY, deviceid, ...device });
    this.sessionKey = String((await this.answer())['apikey']);
  }

  async becomeReady(deviceid = DEVICE_ID): Promise<void> {
    await this.register(deviceid);
    await this.asks(deviceid);
  }

  /** What it asks once it has registered; then it is ready. */
  async asks(deviceid = DEVICE_ID): Promise<void> {
    const apikey = this.sessionKey;
    for (const request of [
      { action: 'date' },
      { action: 'update', params: { switch: 'off', fwVersion: '1.5.5', rssi: -61, staMac: 'AA:BB:CC:00:11:22' } },
      { action: 'query', params: ['timers'] },
    ]) {
      this.say({ apikey, deviceid, ...request });
      await this.answer();
    }
  }
}
