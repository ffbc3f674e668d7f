import type { Message } from '../../lib/flash/job/pending-message';
import { Values } from './values';

/** The event of Home Assistant that asks for a flash. */
const FLASH_EVENT = 'sonota_flash';

/** The values of a message that came in, without its Wi-Fi password, which is kept here alone. */
export class MessageValues extends Values {
  private readonly secret: Values;

  /** @param password where it was taken out of the message before */
  constructor(
    readonly message: Message,
    password?: unknown,
  ) {
    super(message, 'msg.');
    this.secret = new Values({ password: message['password'] ?? password }, 'msg.');
    delete message['password'];
  }

  /** The Wi-Fi password that came with the message; empty for an open Wi-Fi. */
  password(): string | undefined {
    return this.secret.exactText('password');
  }

  /**
   * Takes what Home Assistant's event `sonota_flash` says as the message's own, so that the node "Events: all" of
   * node-red-contrib-home-assistant-websocket can be wired to a node as it is. What the message says itself wins.
   *
   * Anyone who may fire an event can say this, and everyone in Home Assistant can read it: so it names a firmware node,
   * never files or images, and a password in it is thrown away.
   *
   * @throws FlashError `value-invalid` where it says something that cannot be read: then nothing may start
   */
  adoptEvent(): void {
    const { message } = this;
    const { event_type: type, event } = plain(message['payload']);
    if (type !== FLASH_EVENT) return;
    const said = plain(event);
    delete said['password'];
    const values = new Values(said, 'event.');
    const readers: Record<string, (key: string) => unknown> = {
      deviceid: (key) => values.deviceId(key),
      count: (key) => values.count(key),
      all: (key) => values.flag(key) || undefined,
      firmware: (key) => values.text(key),
      queue: (key) => values.text(key),
      cancel: (key) => values.flag(key) || undefined,
    };
    for (const [key, read] of Object.entries(readers)) {
      if (message[key] !== undefined) continue;
      const value = read(key);
      if (value !== undefined) message[key] = value;
    }
  }
}

function plain(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
