import { fault } from '../sonoff/report';

/** What `ota_flash` asks for. */
export interface DiyOffer {
  host: string;
  port: number;
  path: string;
  /** Compared as text, so only lower case can match (diy-mode 2.4). */
  digest: string;
}

/** The buffers of the firmware's download (diy-mode 2.4), in bytes. */
const HOST_LINE_BYTES = 40;

/** Undefined for what the device refuses with 422 (diy-mode 1.7). */
export function readDiyOffer({ downloadUrl, sha256sum }: Record<string, unknown>): DiyOffer | undefined {
  if (typeof downloadUrl !== 'string' || typeof sha256sum !== 'string' || sha256sum.length !== 64) return undefined;
  const place = /^http:\/\/([^/:]+)(?::(\d{1,5}))?(\/.*)$/.exec(downloadUrl);
  if (place === null) return undefined;
  const [, host = '', port, path = ''] = place;
  if (port === undefined) {
    fault('a URL without its port, which the firmware would not find (diy-mode 2.4)');
    return undefined;
  }
  if (`Host: ${host}:${port}\r\n`.length > HOST_LINE_BYTES) fault(`a host too long for its line: ${host}`);
  return { host, port: Number(port), path, digest: sha256sum };
}
