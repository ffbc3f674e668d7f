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
