/** The final image to FinalStage, as fast as a receiver on this machine takes it. */

import { createServer as createHttpServer } from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import { ImageServer } from '../../lib/server/image-server';
import type { Row } from './figures';

const FETCHES = 20;

export async function finalStageSpeed(image: Buffer, rounds: number): Promise<Row> {
  const observer = { sent: () => undefined, ended: () => undefined };
  const images = new ImageServer({ find: () => ({ bytes: image, observer }) });
  const ours = net.createServer({ allowHalfOpen: true }, (socket) => images.handle(socket));
  const bare = createHttpServer((_request, response) => {
    response.writeHead(200, { 'Content-Length': image.length, Connection: 'close' });
    response.end(image);
  });
  const [ourPort, barePort] = [await listen(ours), await listen(bare)];
  const speed = { ours: [] as number[], partner: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    speed.partner.push(await megabytesASecond(barePort, image.length));
    speed.ours.push(await megabytesASecond(ourPort, image.length));
  }
  images.close();
  for (const server of [ours, bare]) server.close();
  const figures = { speed: { unit: 'MB/s', digits: 1, ...speed, isBetterHigh: true } };
  return { name: 'FinalStage', partner: 'bare Node.js server, same bytes', figures };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function megabytesASecond(port: number, size: number): Promise<number> {
  let ms = 0;
  for (let fetch = 0; fetch < FETCHES; fetch++) ms += await fetchOnce(port, size);
  return (FETCHES * size) / 1000 / ms;
}

/** From the request to the last byte; then it closes the connection, as FinalStage does. @returns ms */
function fetchOnce(port: number, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const begun = performance.now();
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 192.168.4.2\r\n\r\n');
    });
    socket.on('error', reject);
    socket.on('data', (part) => {
      received += part.length;
      if (received < size) return;
      socket.end();
      resolve(performance.now() - begun);
    });
  });
}
