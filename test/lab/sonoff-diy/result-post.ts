import { once } from 'node:events';
import { connect } from '../sonoff/reader';
import { report } from '../sonoff/report';
import { type DiyOffer } from './offer';

const CONNECT_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 5000;

/**
 * Tells the server of the image how the flash has ended (diy-mode 1.9, 1.12): 0, 404 or 409. The template has no
 * User-Agent. The device does not depend on an answer; which one it got is reported.
 */
export async function postResult({ host, port }: DiyOffer, error: number): Promise<void> {
  let answer = '';
  try {
    const socket = await connect(host, port, CONNECT_LIMIT_MS);
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    const body = JSON.stringify({ error });
    socket.write(
      `POST /api/device/otaFlash HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: application/json\r\n` +
        `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
    await once(socket, 'close');
  } catch (lost) {
    report('result-lost', { reason: (lost as Error).message });
  }
  report('result', { error, answer: answer.split('\r\n')[0] });
}
