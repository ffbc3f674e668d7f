import type { Message } from '../../lib/flash/job/ticket';

/**
 * Takes the Wi-Fi password out of a message, so that neither a result nor a Catch message holds it.
 * @returns the password, where there was one
 */
export function takePassword(message: Message): string | undefined {
  const { password } = message;
  delete message['password'];
  return typeof password === 'string' ? password : undefined;
}

/** The device that a message is about, where it says so. */
export function deviceOf(message: Message): string | undefined {
  // All digits, as many ids are, it may come as a number.
  const deviceid = typeof message['deviceid'] === 'number' ? String(message['deviceid']) : message['deviceid'];
  return typeof deviceid === 'string' && deviceid.trim() !== '' ? deviceid.trim() : undefined;
}

/** The event of Home Assistant that asks for a flash. */
const FLASH_EVENT = 'sonota_flash';

/**
 * Takes what Home Assistant's event `sonota_flash` says as the message's own, so that the node "Events: all" of
 * node-red-contrib-home-assistant-websocket can be wired to a stage as it is. What the message says itself wins.
 *
 * Whoever may fire an event can say this, and everybody in Home Assistant can read it: so it names a firmware node, never
 * files or images, and a password in it is thrown away.
 */
export function adoptEvent(message: Message): void {
  const payload = message['payload'] as { event_type?: unknown; event?: unknown } | null | undefined;
  if (typeof payload !== 'object' || payload?.event_type !== FLASH_EVENT) return;
  const { event } = payload;
  if (typeof event !== 'object' || event === null) return;
  const said = event as Record<string, unknown>;
  delete said['password'];
  const isTaken: Record<string, (value: unknown) => boolean> = {
    deviceid: (value) => typeof value === 'string' || typeof value === 'number',
    firmware: (value) => typeof value === 'string',
    queue: (value) => typeof value === 'string',
    cancel: (value) => value === true,
  };
  for (const [name, isFit] of Object.entries(isTaken)) {
    if (message[name] === undefined && isFit(said[name])) message[name] = said[name];
  }
}
