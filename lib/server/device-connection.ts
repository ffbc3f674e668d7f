import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import { DeviceSession, type SessionAction, type SessionDevice, type SessionEvent } from '../protocol/session';
import type { UpgradeOffer } from '../protocol/upgrade';
import { RateLimit } from './rate-limit';
import { redactKeys } from './redact';
import { quoted, wording, type Wording } from '../wordings/wording';

/** How a device came: over TLS, or over the plain port of old firmware. */
export type Via = 'tls' | 'plain';

/**
 * A device pings every 145-152 s and gives up after two unanswered pings (docs/dev/stock-firmware.md#3.3); one that has
 * been silent for longer than that is gone, though nothing said so.
 */
export const SILENCE_LIMIT_MS = 330_000;

/**
 * An upgrading device sends nothing at all (docs/dev/stock-firmware.md#3.8). The slowest download that is known takes 3
 * minutes.
 */
export const UPGRADE_SILENCE_LIMIT_MS = 900_000;

/**
 * A device registers as soon as its WebSocket is open, and again 2 to 4 s after a refusal
 * (docs/dev/stock-firmware.md#3.4, #3.5).
 */
export const REGISTER_LIMIT_MS = 10_000;

/** After so many messages that are not its protocol, a peer is no Sonoff. */
export const MALFORMED_LIMIT = 20;

/** A session starts with some ten messages in a second (docs/dev/stock-firmware.md#3.5); later they are few. */
export const MESSAGES_PER_SECOND = 20;

interface DeviceConnectionEvents {
  registered: [device: SessionDevice];
  /** It is closed, since it has not registered within its time. */
  unregistered: [seconds: number];
  /** It takes an upgrade from now on; once a connection. */
  ready: [];
  /** Its verdict on an upgrade. */
  acknowledged: [error: number, sequence: string];
  /** Parameters of an update, such as fwVersion, rssi, staMac. */
  reported: [params: Record<string, unknown>];
  /** A message that is not its protocol; the reason quotes nothing of it. */
  malformed: [reason: Wording];
  /** Every text message in either direction, fit for a log. */
  message: [direction: 'in' | 'out', text: string];
  closed: [];
}

/** Times in ms. */
interface SessionLimits {
  readonly registerMs: number;
  readonly silenceMs: number;
  readonly upgradeSilenceMs: number;
  readonly malformed: number;
  readonly messagesPerSecond: number;
}

export interface DeviceConnectionOptions {
  peer: string;
  via: Via;
  /** Whether the peer that registers may be the device that it names. */
  admits?: (device: SessionDevice) => boolean;
  limits?: Partial<SessionLimits>;
}

/** One device's WebSocket: its session, and the timers and the socket that the session itself knows nothing of. */
export class DeviceConnection extends EventEmitter<DeviceConnectionEvents> {
  readonly peer: string;
  readonly via: Via;
  readonly connectedAt = new Date();
  readonly #ws: WebSocket;
  /** The key that the device must use in this session. A secret. */
  readonly sessionKey = randomUUID();
  readonly #session: DeviceSession;
  readonly #limits: SessionLimits;
  readonly #rate: RateLimit;
  #malformed = 0;
  #upgrading = false;
  #grace: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  readonly #registerLimit: NodeJS.Timeout;

  constructor(ws: WebSocket, { peer, via, admits, limits }: DeviceConnectionOptions) {
    super();
    this.peer = peer;
    this.via = via;
    this.#ws = ws;
    this.#session = new DeviceSession({ sessionKey: this.sessionKey, ...(admits ? { admits } : {}) });
    this.#limits = {
      registerMs: REGISTER_LIMIT_MS,
      silenceMs: SILENCE_LIMIT_MS,
      upgradeSilenceMs: UPGRADE_SILENCE_LIMIT_MS,
      malformed: MALFORMED_LIMIT,
      messagesPerSecond: MESSAGES_PER_SECOND,
      ...limits,
    };
    this.#rate = new RateLimit({ perSecond: this.#limits.messagesPerSecond });
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary));
    ws.on('ping', () => this.open && this.#isInTime() && this.#heard());
    ws.on('error', (error) => this.#broken(error));
    ws.on('close', () => this.#closed());
    this.#registerLimit = setTimeout(() => this.#tooLate(), this.#limits.registerMs);
    this.#heard();
  }

  /** The device registered on this connection, once there is one. `apikey` in it is a secret. */
  get device(): SessionDevice | undefined {
    return this.#session.device;
  }

  get ready(): boolean {
    return this.#session.ready;
  }

  /** Whether the connection still stands, as far as this side knows. */
  get open(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  /**
   * Sends an upgrade command.
   *
   * @throws FlashError `upgrade-malformed`, or `unexplained` where the device is not ready
   */
  upgrade(offer: UpgradeOffer): void {
    this.#feed({ type: 'upgrade', offer, now: new Date() });
    this.#upgrading = true;
    this.#heard();
  }

  /**
   * Ends the connection immediately, without a close frame, which some firmware misreads (docs/dev/stock-firmware.md#3.2).
   */
  close(): void {
    this.#ws.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    // Frames that came in one piece with the one that ended the connection.
    if (!this.open || !this.#isInTime()) return;
    this.#heard();
    if (isBinary) return this.#feed({ type: 'binary' });
    const text = (data as Buffer).toString('utf8');
    this.emit('message', 'in', redactKeys(text));
    this.#feed({ type: 'message', text, now: new Date() });
  }

  #feed(event: SessionEvent): void {
    for (const action of this.#session.handle(event)) this.#act(action);
  }

  #act(action: SessionAction): void {
    switch (action.type) {
      case 'send':
        return this.#send(action.text);
      case 'wait-for-query':
        clearTimeout(this.#grace);
        this.#grace = setTimeout(() => this.#feed({ type: 'query-grace-over' }), action.ms);
        return;
      case 'registered':
        clearTimeout(this.#registerLimit);
        this.emit('registered', action.device);
        return;
      case 'refused':
        // The answer was that it is not registered; the host has recorded its key.
        return;
      case 'ready':
        this.emit('ready');
        return;
      case 'acknowledged':
        this.#upgrading = false;
        this.#heard();
        this.emit('acknowledged', action.error, action.sequence);
        return;
      case 'reported':
        this.emit('reported', action.params);
        return;
      case 'malformed':
        return this.#complain(action.reason);
    }
  }

  /** Messages that come faster than any device sends are ignored; a peer that keeps that up is dropped. */
  #isInTime(): boolean {
    if (this.#rate.take() !== undefined) return true;
    this.#complain(wording('messages-too-fast', { count: this.#limits.messagesPerSecond }));
    return false;
  }

  #complain(reason: Wording): void {
    this.#malformed += 1;
    this.emit('malformed', reason);
    if (this.#malformed >= this.#limits.malformed) this.close();
  }

  #send(text: string): void {
    if (!this.open) return;
    this.emit('message', 'out', redactKeys(text));
    this.#ws.send(text, { binary: false, compress: false, fin: true });
  }

  /** A frame that breaks the WebSocket protocol, or a lost connection: either way there is nothing more to be had. */
  #broken(error: Error & { code?: string }): void {
    if (error.code?.startsWith('WS_ERR_')) this.emit('malformed', quoted(error.message));
    this.close();
  }

  #heard(): void {
    clearTimeout(this.#silence);
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    const limit = this.#upgrading ? this.#limits.upgradeSilenceMs : this.#limits.silenceMs;
    this.#silence = setTimeout(() => this.close(), limit);
  }

  #tooLate(): void {
    this.emit('unregistered', this.#limits.registerMs / 1000);
    this.close();
  }

  #closed(): void {
    clearTimeout(this.#registerLimit);
    clearTimeout(this.#grace);
    clearTimeout(this.#silence);
    this.emit('closed');
  }
}
