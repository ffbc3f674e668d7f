/** How a device asks to be unlocked, and what may stand in for the maker's service (docs/dev/diy-mode.md#1.8). */

/** The only name that a device asks for. */
export const UNLOCK_HOST = 'apid.coolkit.cn';

/** It asks over plain HTTP. */
export const UNLOCK_PORT = 80;

/** The target of its POST. */
export const UNLOCK_PATH = '/v2/d/otaflash';

/**
 * What a server of the local network may answer, in the order in which it is tried. The maker's own answer was never
 * captured: 0 is what it should be, and 422 is what devices were seen to be unlocked by.
 */
export const UNLOCK_ANSWERS: readonly { readonly error: number }[] = [{ error: 0 }, { error: 422 }];
