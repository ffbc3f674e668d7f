import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { dial } from '../wire/dial';
import { literalHeader, readReply, ReplyError } from '../wire/http-reply';
import { WireError } from '../wire/wire';
import type { DiyContext } from './context';

const VENDOR = 'apid.coolkit.cn';
/** A virtual device dials no host outside: the vendor's name must resolve to a local network. */
const LOCAL_ADDRESS = /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/;

/**
 * Asks the vendor's service, as its DNS server finds it, whether this device may be unlocked (docs/dev/diy-mode.md#1.8,
 * #2.7). Resolves to the `error` of the reply; undefined where there is none that it can read. A reply needs a
 * `Content-Length` and JSON. Rejects with the signal's reason.
 */
export async function askVendor(device: DiyContext, signal: AbortSignal): Promise<number | undefined> {
  const address = await resolveVendor(device, signal);
  if (address === undefined) return undefined;
  const { localAddress, timings, vendorPort: port } = device;
  try {
    const wire = await dial({ host: address, port, localAddress, limitMs: timings.connect, signal });
    try {
      wire.write(question(device));
      const { head, body } = await readReply(wire, {
        status: 'HTTP/1.1 200 OK',
        headerBytes: 1023,
        bufferBytes: 1536,
        bodyBytes: 512,
        limitMs: timings.vendorReply,
      });
      if (!literalHeader(head, 'Content-Type')?.startsWith('application/json')) throw new ReplyError('not JSON');
      return errorIn(body.toString('utf8'));
    } finally {
      wire.close();
    }
  } catch (error) {
    if (!(error instanceof WireError || error instanceof ReplyError)) throw error;
    device.log(`unlock: ${error.message}`);
    return undefined;
  }
}

async function resolveVendor({ dns, log }: DiyContext, signal: AbortSignal): Promise<string | undefined> {
  if (dns === undefined) return undefined;
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([dns]);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const address = (await resolver.resolve4(VENDOR))[0];
    if (address === undefined || LOCAL_ADDRESS.test(address)) return address;
    log('unlock: a virtual device asks no server outside of the local network');
  } catch (error) {
    log(`unlock: no address of ${VENDOR} (${(error as NodeJS.ErrnoException).code ?? ''})`);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  return undefined;
}

function question({ identity, vendorPort }: DiyContext): string {
  const { deviceid, apikey, romVersion } = identity;
  const body = JSON.stringify({ deviceid, romVersion });
  const sign = createHash('sha256').update(`${body}${apikey}`).digest('hex');
  return (
    `POST /v2/d/otaflash HTTP/1.1\r\nHost: ${VENDOR}:${vendorPort}\r\nAuthorization: Sign ${sign}\r\n` +
    `Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

function errorIn(body: string): number | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'number' ? error : undefined;
  } catch {
    return undefined;
  }
}
