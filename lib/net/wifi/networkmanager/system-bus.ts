import { EventEmitter } from 'node:events';
import { DBusError, Message, systemBus, type MessageBus } from '@jellybrick/dbus-next';
import { FlashError } from '../../../errors';
import { within } from '../within';
import { quoted, wording, type Wording } from '../../../wordings/wording';

const DBUS = 'org.freedesktop.DBus';
const DBUS_PATH = '/org/freedesktop/DBus';
/** A service that has not answered by then hangs. */
export const CALL_LIMIT_MS = 10_000;
export const CONNECT_LIMIT_MS = 5000;

export interface Call {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: unknown[];
  readonly destination: string;
}

/** The part of the library's bus that its types hide: the only place that reports its end. */
interface WithConnection {
  readonly _connection: EventEmitter & { readonly stream?: { readonly writable: boolean; destroy(): void } };
}

/**
 * A connection to the system bus that always answers: a call fails when the bus goes, and when its service hangs.
 * Emits `signal` with each signal that was asked for, and `gone` when the bus has gone.
 */
export class SystemBus extends EventEmitter<{ signal: [message: Message]; gone: [] }> {
  isGone = false;

  private constructor(private readonly bus: MessageBus) {
    super();
    this.setMaxListeners(0);
    bus.on('message', (message) => {
      // METHOD_CALL 1, METHOD_RETURN 2, ERROR 3, SIGNAL 4
      if (message.type === 4) this.emit('signal', message);
    });
    const connection = (bus as unknown as WithConnection)._connection;
    connection.on('end', this.ended);
    // A message that the library cannot read is an error too, but no end.
    asEmitter(bus).on('error', () => {
      if (!connection.stream?.writable) this.ended();
    });
  }

  /** @throws FlashError `wifi-service-away` where there is no system bus, `cancelled` */
  static async connect(signal: AbortSignal): Promise<SystemBus> {
    const bus = systemBus();
    let isIn = false;
    const away = (reason: Wording): FlashError => new FlashError('wifi-service-away', { reason });
    try {
      await within(
        { signal, limitMs: CONNECT_LIMIT_MS },
        () => away(wording('bus-silent')),
        async () => {
          await new Promise<void>((resolve, reject) => {
            bus.once('connect', resolve);
            // Stays: an error that comes later finds `ended` too, but one between must not be thrown at nobody.
            asEmitter(bus).on('error', (error: NodeJS.ErrnoException) => {
              reject(away(error.code === 'ENOENT' ? wording('bus-absent') : quoted(error.message)));
            });
          });
        },
      );
      isIn = true;
      return new SystemBus(bus);
    } finally {
      if (!isIn) dropConnection(bus);
    }
  }

  /** This connection's own name, such as `:1.42`; unique as long as the bus lives. */
  get name(): string {
    return this.bus.name ?? '';
  }

  /**
   * Calls a method. @throws DBusError as the service answers
   * @throws FlashError `wifi-service-away` without an answer
   */
  async call({ path, interface: iface, member, signature = '', body = [], destination }: Call): Promise<unknown[]> {
    const away = (reason: Wording): FlashError => new FlashError('wifi-service-away', { reason });
    if (this.isGone) throw away(wording('bus-gone'));
    const gone = new AbortController();
    const onGone = (): void => gone.abort(away(wording('bus-gone')));
    this.once('gone', onGone);
    try {
      const message = new Message({ destination, path, interface: iface, member, signature, body });
      const limits = { signal: gone.signal, limitMs: CALL_LIMIT_MS };
      const reply = await within(
        limits,
        () => away(wording('call-unanswered', { member })),
        () => this.bus.call(message),
      );
      return reply?.body ?? [];
    } finally {
      this.off('gone', onGone);
    }
  }

  /** Asks the bus for the signals of a match rule. */
  async match(rule: string): Promise<void> {
    await this.own('AddMatch', 's', [rule]);
  }

  async unmatch(rule: string): Promise<void> {
    await this.own('RemoveMatch', 's', [rule]).catch(() => undefined);
  }

  async hasOwner(name: string): Promise<boolean> {
    const [answer] = await this.own('NameHasOwner', 's', [name]);
    return answer === true;
  }

  close(): void {
    this.ended();
    dropConnection(this.bus);
  }

  private own(member: string, signature: string, body: unknown[]): Promise<unknown[]> {
    return this.call({ destination: DBUS, path: DBUS_PATH, interface: DBUS, member, signature, body });
  }

  private readonly ended = (): void => {
    if (this.isGone) return;
    this.isGone = true;
    this.emit('gone');
  };
}

/** A D-Bus error, whatever copy of the library threw it. */
export function isDBusError(error: unknown): error is DBusError {
  return error instanceof DBusError;
}

/** The library's types leave out that it emits `error`. */
function asEmitter(bus: object): EventEmitter {
  return bus as EventEmitter;
}

/** Not `disconnect`, which waits for the other end, and throws where no connection was made. */
function dropConnection(bus: MessageBus): void {
  (bus as unknown as WithConnection)._connection.stream?.destroy();
}
