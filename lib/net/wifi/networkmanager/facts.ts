/** NetworkManager's names and numbers (its D-Bus API, nm-dbus-interface.h). */

import { FlashError, type ErrorCode } from '../../../errors';
import type { WifiReason } from '../../../wordings/wifi';
import { quoted, wording, type Wording } from '../../../wordings/wording';

export const NM = 'org.freedesktop.NetworkManager';
export const NM_PATH = '/org/freedesktop/NetworkManager';
export const NM_DEVICE = `${NM}.Device`;
export const NM_WIRELESS = `${NM}.Device.Wireless`;
export const NM_ACCESS_POINT = `${NM}.AccessPoint`;
export const NM_ACTIVE = `${NM}.Connection.Active`;
export const NM_SETTINGS = `${NM}.Settings`;
export const NM_SETTINGS_PATH = `${NM_PATH}/Settings`;
export const NM_PROFILE = `${NM}.Settings.Connection`;
export const NM_IP4 = `${NM}.IP4Config`;

export const DEVICE_TYPE_WIFI = 2;

/** NMDeviceState. */
export const STATE = {
  unmanaged: 10,
  unavailable: 20,
  disconnected: 30,
  prepare: 40,
  config: 50,
  needAuth: 60,
  activated: 100,
  deactivating: 110,
  failed: 120,
} as const;

/** The permissions that we need (`GetPermissions`). */
export const PERMISSIONS = [`${NM}.network-control`, `${NM}.wifi.scan`] as const;

/** And one of these two: a profile of the whole machine, or of the user alone, for whom the session at the screen will do. */
export const PROFILE_PERMISSIONS = {
  system: `${NM}.settings.modify.system`,
  own: `${NM}.settings.modify.own`,
} as const;

/** NMDeviceStateReason, where it means one thing. */
const REASONS: Readonly<Record<number, ErrorCode>> = {
  5: 'wifi-no-address', // IP configuration could not be reserved
  6: 'wifi-no-address', // and is no longer valid
  7: 'wifi-password-wrong', // no secrets: it asked for better ones than ours
  15: 'wifi-no-address', // DHCP did not start
  16: 'wifi-no-address', // DHCP error
  17: 'wifi-no-address', // DHCP failed
  36: 'wifi-interface-missing', // the device was removed
  53: 'wifi-not-found', // no access point of that name
};

/** In words, for those that may mean several things. */
const WORDS: Readonly<Record<number, WifiReason>> = {
  2: 'nm-managed',
  3: 'nm-unmanaged',
  8: 'nm-access-point-broke-off',
  9: 'nm-settings-refused',
  10: 'nm-supplicant-failed',
  11: 'nm-supplicant-slow',
  35: 'nm-firmware-missing',
  37: 'nm-asleep',
  38: 'nm-connection-removed',
  39: 'nm-interface-taken',
  42: 'nm-supplicant-gone',
  60: 'nm-other-connection',
};

/** Why a device failed, as our code. */
export function errorOfReason(reason: number, values: { ssid: string; name: string }): FlashError {
  return new FlashError(REASONS[reason] ?? 'wifi-join-failed', { ...values, reason: inWords(reason) });
}

/** Why a network that was joined is gone. */
export function lossOfReason(reason: number, values: { ssid: string; name: string }): FlashError {
  if (REASONS[reason] === 'wifi-interface-missing') return errorOfReason(reason, values);
  const words = reason === 53 ? wording('nm-access-point-gone') : inWords(reason);
  return new FlashError('wifi-lost', { ...values, reason: words });
}

function inWords(reason: number): Wording {
  const known = WORDS[reason];
  return known === undefined ? wording('nm-reason', { number: reason }) : wording(known);
}

const AWAY = /\.(ServiceUnknown|NameHasNoOwner|NoReply|Disconnected|NoServer)$|^org\.freedesktop\.systemd1\./;
const DENIED = /\.(PermissionDenied|AccessDenied|NotAuthorized|AuthFailed|InteractiveAuthorizationRequired)$/;
const NO_DEVICE = /\.(UnknownDevice|DeviceNotFound)$/;
const NO_OBJECT = /\.(UnknownMethod|UnknownObject|UnknownInterface)$/;

/** The code for a D-Bus error; its name decides, its text is for people. */
export function errorOfDBus(
  error: { type: string; text: string },
  { path, name }: { path: string; name: string },
): FlashError {
  const { type, text } = error;
  if (AWAY.test(type)) return new FlashError('wifi-service-away', { reason: quoted(text) });
  if (DENIED.test(type)) return new FlashError('wifi-not-permitted', { name, reason: quoted(text) });
  const isNoDevice = NO_DEVICE.test(type) || (NO_OBJECT.test(type) && path.startsWith(`${NM_PATH}/Devices/`));
  if (isNoDevice) return new FlashError('wifi-interface-missing', { name });
  return new FlashError('wifi-failed', { name, reason: quoted(`${type.replace(/^.*\./, '')}: ${text}`) });
}
