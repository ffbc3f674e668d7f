import { randomInt } from 'node:crypto';
import { type Duplex } from 'node:stream';
import { type Identity, stateOf } from './identity';
import { jsonHas, jsonNumber, jsonText } from './literal';
import { fault, report } from './report';
import { DeviceWebSocket } from './websocket';

const FIRST_PING_MS = 7_000;

/** Downloads what the command offers; resolves with the code that the device acknowledges. */
export type Upgrade = (command: string) => Promise<number>;

/**
 * One WebSocket session: register, date, update, query, then commands (stock-firmware 3.4, 3.5). Resolves when an
 * upgrade was acknowledged with 0 and `restart` is through, which still finds the line open; throws when the line is lost or the firmware would drop it.
 */
export async function session(
  device: Identity,
  stream: Duplex,
  upgrade: Upgrade,
  restart: () => Promise<void>,
): Promise<void> {
  const socket = await DeviceWebSocket.open(stream);
  const talk = new Talk(device, socket);
  try {
    talk.register();
    for (;;) {
      const text = await socket.next();
      if (!talk.concerns(text)) continue;
      if (!jsonHas(text, 'action')) talk.answered(text);
      else if (jsonText(text, 'action') !== 'upgrade') talk.command(text);
      else if (await talk.upgrade(text, upgrade)) return await restart();
    }
  } finally {
    talk.stop();
    socket.close();
  }
}

class Talk {
  /** The key that the server chose; from then on every message must carry it. */
  #key: string | undefined;
  #asked: 'register' | 'date' | 'update' | 'query' | undefined;
  #pings: NodeJS.Timeout | undefined;
  readonly #sequences = new Set<string>();

  constructor(
    readonly device: Identity,
    readonly socket: DeviceWebSocket,
  ) {
    this.#pingEvery(FIRST_PING_MS);
  }

  register(): void {
    const { apikey, deviceid, romVersion, model, rand } = this.device;
    const ts = rand.next() % 1000;
    this.#asked = 'register';
    this.socket.send({ userAgent: 'device', apikey, deviceid, action: 'register', version: 2, romVersion, model, ts });
  }

  /** Whether the firmware takes notice of a message at all; what it passes over in silence is a fault of the server. */
  concerns(text: string): boolean {
    const key = jsonText(text, 'apikey');
    const mine = jsonText(text, 'deviceid') === this.device.deviceid;
    const known = this.#key === undefined ? key?.length === 36 && key !== this.device.apikey : key === this.#key;
    if (!mine || !known) fault(`a message with a wrong deviceid or apikey: ${redact(text)}`);
    return mine && known;
  }

  answered(text: string): void {
    const error = jsonNumber(text, 'error');
    if (error !== 0) throw new Error(`the server answered ${this.#asked} with error ${error}`);
    const bare = !jsonHas(text, 'params') && !jsonHas(text, 'date');
    if (this.#asked === 'register' && bare) this.#registered(text);
    else if (this.#asked === 'date' && isDate(jsonText(text, 'date')))
      this.#ask('update', { params: stateOf(this.device) });
    else if (this.#asked === 'update' && bare) this.#ask('query', { params: ['timers'] });
    else if (this.#asked === 'query' && jsonHas(text, 'params')) this.#ready();
    else fault(`an answer to ${this.#asked} that the firmware cannot use: ${redact(text)}`);
  }

  /** Takes an upgrade command; true when the device will restart into what it downloaded. */
  async upgrade(text: string, upgrade: Upgrade): Promise<boolean> {
    const sequence = jsonText(text, 'sequence');
    if (this.#key === undefined || sequence === undefined || sequence.length > 29 || this.#sequences.has(sequence)) {
      fault(`an upgrade without a session or with a sequence that is missing, too long or used: ${sequence}`);
      return false;
    }
    this.#sequences.add(sequence);
    report('upgrade', { sequence, version: jsonText(text, 'version') });
    // The send queue is locked from here to the verdict: no pings, no updates.
    this.stop();
    const error = await upgrade(text);
    this.socket.send({ error, userAgent: 'device', apikey: this.#key, deviceid: this.device.deviceid, sequence });
    report('acknowledged', { error });
    this.#pingEvery(FIRST_PING_MS);
    return error === 0;
  }

  command(text: string): void {
    fault(`a command nobody asked for: ${jsonText(text, 'action')}`);
    const reply = { userAgent: 'device', apikey: this.#key, deviceid: this.device.deviceid };
    this.socket.send({ error: 0, ...reply, sequence: jsonText(text, 'sequence') ?? 'invalid sequence' });
  }

  stop(): void {
    clearInterval(this.#pings);
  }

  #registered(text: string): void {
    this.#key = jsonText(text, 'apikey')!;
    const seconds = jsonNumber(text, 'hb') === 1 ? jsonNumber(text, 'hbInterval') : undefined;
    if (seconds !== undefined) this.#pingEvery(seconds * 1000 + randomInt(7000));
    report('registered', { hbInterval: seconds });
    this.#ask('date', {});
  }

  #ready(): void {
    this.#asked = undefined;
    report('ready');
  }

  #ask(action: 'date' | 'update' | 'query', more: object): void {
    this.#asked = action;
    const { deviceid } = this.device;
    this.socket.send({ userAgent: 'device', apikey: this.#key, deviceid, action, ...more });
  }

  #pingEvery(ms: number): void {
    this.stop();
    this.#pings = setInterval(() => {
      try {
        this.socket.ping();
      } catch {
        this.socket.close();
      }
    }, ms);
  }
}

/** Exactly three digits of milliseconds and a Z, 24 characters. */
function isDate(text: string | undefined): boolean {
  return text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
}

function redact(text: string): string {
  return text.replace(/("apikey"\s*:\s*")[^"]*/g, '$1…').slice(0, 200);
}
