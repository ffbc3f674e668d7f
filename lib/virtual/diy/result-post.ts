import { createHash } from 'node:crypto';
import { dial } from '../wire/dial';
import { WireError } from '../wire/wire';
import type { DiyContext } from './context';
import type { FlashOrder } from './flash-order';

/**
 * Reports the result to the server of the image (docs/dev/diy-mode.md#1.12): 0, 404 for whatever went wrong on the way,
 * 409 for the digest. No User-Agent. It waits for an answer, but needs none. Rejects with the signal's reason alone.
 */
export async function postResult(
  device: DiyContext,
  order: FlashOrder,
  error: number,
  signal: AbortSignal,
): Promise<void> {
  const { localAddress, timings, log } = device;
  try {
    const wire = await dial({ ...order, localAddress, limitMs: timings.connect, signal });
    try {
      wire.write(report(device, order, error));
      const answer = await wire.next(timings.resultReply);
      log(`result ${error} reported: ${answer ? 'answered' : 'closed without an answer'}`);
    } finally {
      wire.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof WireError)) throw thrown;
    log(`result ${error} reported: ${thrown.message}`);
  }
}

/** The template of all reports of this firmware (docs/dev/diy-mode.md#2.7). */
function report({ identity, behaviours }: DiyContext, { host, port }: FlashOrder, error: number): string {
  const body = JSON.stringify({ error });
  const sign = createHash('sha256').update(`${body}${identity.apikey}`).digest('hex');
  return (
    `POST /api/device/otaFlash HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: Sign ${sign}\r\n` +
    'Content-Type: application/json\r\nConnection: close\r\n' +
    (behaviours.resultHasLength ? `Content-Length: ${body.length}\r\n` : '') +
    `\r\n${body}`
  );
}
