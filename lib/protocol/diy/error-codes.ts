import type { ErrorCode } from '../../errors';
import type { DiyCommandName } from './commands';

/** The codes of any command (docs/dev/diy-mode.md#1.7). */
const OF_ALL: Readonly<Record<number, ErrorCode>> = {
  401: 'diy-encrypted',
  404: 'diy-other-device',
};

const OF_ONE: Readonly<Partial<Record<DiyCommandName, Readonly<Record<number, ErrorCode>>>>> = {
  ota_unlock: {
    500: 'diy-unlock-refused',
    503: 'diy-unlock-offline',
  },
  ota_flash: {
    403: 'diy-locked',
    408: 'diy-download-timeout',
    413: 'diy-image-refused',
    424: 'diy-download-impossible',
    471: 'diy-digest-differs',
  },
};

/** The code for `refused` with this error. 400, 422 and undocumented ones: the request was not understood. */
export function errorCodeOf(command: DiyCommandName, error: number): ErrorCode {
  return OF_ONE[command]?.[error] ?? OF_ALL[error] ?? 'diy-refused';
}
