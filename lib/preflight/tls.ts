import type { FlashHost } from '../flash/host/host';
import { failed, passed, type SaidCheck } from './check';
import { phrase } from './phrases';

/** This Node.js can speak TLS as the devices do. */
export async function checkTls(host: Pick<FlashHost, 'testTls'>): Promise<SaidCheck> {
  const refusal = await host.testTls();
  if (refusal) return failed('tls', refusal);
  return passed('tls', 'tls-refused', phrase('tls'));
}
