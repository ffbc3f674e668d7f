import type { FlashHost } from '../host/host';
import { failed, passed, type Check } from './check';

/** This Node.js can speak TLS as the devices do. */
export async function checkTls(host: Pick<FlashHost, 'testTls'>): Promise<Check> {
  const refusal = await host.testTls();
  if (refusal) return failed('tls', refusal);
  return passed('tls', 'tls-refused', 'This Node.js speaks TLS 1.1 with AES128-SHA, as the devices do.');
}
