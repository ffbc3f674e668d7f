import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A device's web server: it is there for as long as the work takes, and its connections end with it. */
export async function whileServing<T>(
  at: { address: string; port: number },
  serve: http.RequestListener,
  work: (port: number) => Promise<T>,
): Promise<T> {
  const server = http.createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.address, resolve);
  });
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
