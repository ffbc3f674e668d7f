import type { DeviceContext } from '../device/context';
import { queryParams, updateParams } from '../device/models';
import { dataFrame, PING_FRAME, textFrame } from '../wire/websocket-frames';
import type { Wire } from '../wire/wire';

/** The messages of the stock firmware in a session, each in its own words (docs/dev/stock-firmware.md#3.5, #3.6). */
export class SessionWriter {
  /** undefined before the register's reply: its own key is used until then. */
  sessionKey: string | undefined;

  constructor(
    private readonly device: DeviceContext,
    private readonly wire: Wire,
  ) {}

  /** The key that it states before it has one of this session: the factory key, unless a behaviour made it keep another. */
  get ownKey(): string {
    return this.device.kept.sessionKey ?? this.device.identity.apikey;
  }

  /** Takes one element of the random sequence. */
  register(): void {
    const { model, romVersion } = this.device.identity;
    this.ask('register', { version: 2, romVersion, model, ts: this.device.rand.next() % 1000 });
  }

  date(): void {
    this.ask('date', {});
  }

  update(): void {
    this.ask('update', { params: updateParams(this.device.identity) });
  }

  query(): void {
    this.ask('query', { params: queryParams(this.device.identity) });
  }

  acknowledge(error: number, sequence: string): void {
    this.device.log(`acknowledges with ${error}`);
    const { deviceid } = this.device.identity;
    this.say({ error, userAgent: 'device', apikey: this.sessionKey, deviceid, sequence });
  }

  ping(): void {
    this.wire.write(PING_FRAME);
  }

  /** Sends what no device sends: broken JSON, JSON of a wrong shape, a binary frame. */
  garbage(): void {
    this.wire.write(textFrame('{"error":0,"userAgent":"dev'));
    this.wire.write(textFrame('[1,"two",null]'));
    this.wire.write(textFrame('{"action":7,"deviceid":[],"params":null}'));
    this.wire.write(dataFrame(0x82, Buffer.from('00ff10deadbeef', 'hex')));
  }

  private ask(action: string, more: Record<string, unknown>): void {
    const { deviceid } = this.device.identity;
    this.say({ userAgent: 'device', apikey: this.sessionKey ?? this.ownKey, deviceid, action, ...more });
  }

  private say(message: Record<string, unknown>): void {
    this.wire.write(textFrame(JSON.stringify(message)));
  }
}
