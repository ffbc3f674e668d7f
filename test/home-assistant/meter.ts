import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

/** Stands between devices and a port of this machine, and counts what goes to the devices. */
export class Meter {
  /** Bytes that were sent to devices, so far. */
  sentBytes = 0;
  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly server: net.Server,
    target: number,
  ) {
    server.on('connection', (device) => {
      const host = net.connect(target, '127.0.0.1');
      for (const [one, other] of [
        [device, host],
        [host, device],
      ] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => (other.destroy(), this.sockets.delete(one)));
        one.pipe(other);
      }
      host.on('data', (bytes: Buffer) => (this.sentBytes += bytes.length));
    });
  }

  static async before(target: number): Promise<Meter> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Meter(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
