/**
 * FinalStage, the intermediate firmware (Espressif2Arduino in its SonOTA variant), as the host meets it. All of it is
 * compiled into that firmware and cannot be configured (docs/dev/stock-firmware.md#5).
 */

import { FINALSTAGE_NETWORK } from './device-networks';

/** The open network that the device itself makes. */
export const FINALSTAGE_SSID = 'FinalStage';

/** The device's own address in it. */
export const FINALSTAGE_ADDRESS = FINALSTAGE_NETWORK.device;

/** The only address that it asks for images: the host must have it. */
export const FINALSTAGE_HOST_ADDRESS = FINALSTAGE_NETWORK.guest;

/** The only port that it asks at: 192.168.4.2:8080, whatever the upgrade came from. */
export const FINALSTAGE_PORT = 8080;

/** Asked for when it runs from user1: it moves itself to the second half of the flash first, then comes back. */
export const FINALSTAGE_USER2_PATH = '/ota/image_user2-0x81000.bin';

/** Asked for when it runs from user2: the firmware that the user wants, written from the start of the flash. */
export const FINALSTAGE_FINAL_PATH = '/ota/image_arduino.bin';

/** Which image a path asks for, if it is one of FinalStage's two. */
export function finalStageImage(path: string): 'user2' | 'final' | undefined {
  if (path === FINALSTAGE_USER2_PATH) return 'user2';
  if (path === FINALSTAGE_FINAL_PATH) return 'final';
  return undefined;
}
