/** The commands for a device in DIY mode: `POST /zeroconf/<command>` with JSON (docs/dev/diy-mode.md#1.6). */

/** One command with what it needs. */
export type DiyCommand =
  | { readonly name: 'info' }
  | { readonly name: 'ota_unlock' }
  | { readonly name: 'ota_flash'; readonly downloadUrl: string; readonly sha256sum: string }
  | { readonly name: 'wifi'; readonly ssid: string; readonly password: string }
  | { readonly name: 'switch'; readonly switch: 'on' | 'off' }
  | { readonly name: 'signal_strength' };

export type DiyCommandName = DiyCommand['name'];

/** The device reads one request of at most 1024 bytes, head and body together; no head of ours has more than 192. */
export const BODY_LIMIT = 1024 - 192;

/**
 * The only form of address that every stock firmware downloads from: an IPv4 address (its DNS is the maker's), always
 * with its port (without one, some find none), a short plain path (docs/dev/diy-mode.md#1.9, #2.4).
 */
const DOWNLOAD_URL = /^http:\/\/\d{1,3}(\.\d{1,3}){3}:\d{1,5}\/[\w.-]{1,64}$/;

export function pathOf(command: DiyCommandName): string {
  return `/zeroconf/${command}`;
}

/**
 * The body of a request.
 *
 * @param deviceid undefined leaves the key out
 * @throws TypeError where the device could not use it, which is a mistake of the caller
 */
export function bodyOf(command: DiyCommand, deviceid: string | undefined): string {
  const body = JSON.stringify({ ...(deviceid === undefined ? {} : { deviceid }), data: dataOf(command) });
  if (Buffer.byteLength(body) > BODY_LIMIT) throw new TypeError(`${command.name} has more than ${BODY_LIMIT} bytes`);
  return body;
}

/**
 * The ids to name in a request, one after the other until the device knows one: the true one, then none, and at last an
 * empty one, which 3.7.6 resets the connection for and the first versions asked for (docs/dev/diy-mode.md#1.6).
 */
export function deviceidLadder(deviceid: string | undefined): readonly (string | undefined)[] {
  return deviceid === undefined ? [undefined, ''] : [deviceid, undefined, ''];
}

function dataOf(command: DiyCommand): object {
  switch (command.name) {
    case 'info':
    case 'ota_unlock':
    case 'signal_strength':
      return {};
    case 'switch':
      return { switch: command.switch };
    case 'wifi':
      return { ssid: command.ssid, password: command.password };
    case 'ota_flash':
      return flashData(command.downloadUrl, command.sha256sum.toLowerCase());
  }
}

/** The digest in lower case: the device compares text (docs/dev/diy-mode.md#1.10). */
function flashData(downloadUrl: string, sha256sum: string): object {
  if (!DOWNLOAD_URL.test(downloadUrl)) throw new TypeError(`no device downloads from ${downloadUrl}`);
  if (!/^[\da-f]{64}$/.test(sha256sum)) throw new TypeError('sha256sum is not 64 hexadecimal digits');
  return { downloadUrl, sha256sum };
}
