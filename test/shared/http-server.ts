import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Real HTTP servers on 127.0.0.1 for the suite around it, ended after each of its tests. */
export function useHttpServers(): {
  serve: (listener: RequestListener) => Promise<string>;
  serveAt: (port: number, listener: RequestListener) => Promise<string>;
  stop: () => Promise<void>;
} {
  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  };
  afterEach(stop);
  const serveAt = async (port: number, listener: RequestListener): Promise<string> => {
    const server = createServer(listener).listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  /** Both give the address, such as `http://127.0.0.1:40000`. */
  return { serve: (listener) => serveAt(0, listener), serveAt, stop };
}
