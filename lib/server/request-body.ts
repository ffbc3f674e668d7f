import type { IncomingMessage } from 'node:http';

/** More came than any device sends; the rest of it is not kept. */
export class BodyTooLong extends Error {}

/**
 * The body of a request as text, whatever type it states: what a device sends is parsed by our own rules. A packed one is
 * not unpacked, since a small one can be endless.
 *
 * @returns undefined where the connection broke off before its end
 * @throws BodyTooLong beyond the limit
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= limitBytes) return parts.push(part);
      parts = [];
      reject(new BodyTooLong());
    });
    request.once('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.once('close', () => resolve(undefined));
    request.once('error', () => resolve(undefined));
  });
}
