import { EventEmitter, once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

/**
 * The air between FinalStage and this machine: passes TCP on, and can hold what comes after so many bytes, as a device
 * does that reads slowly; what is held is lost when it is cut. Emits `held` when it holds.
 */
export class Air extends EventEmitter {
  private readonly server = net.createServer((device) => this.pass(device));
  private readonly sockets = new Set<net.Socket>();
  /** Bytes of the next answer that pass; Infinity for all. */
  holdAfter = Infinity;

  constructor(private readonly target: { host: string; port: number }) {
    super();
  }

  async open(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Passes on what was held, and everything that comes after. */
  letGo(): void {
    this.holdAfter = Infinity;
    this.emit('let-go');
  }

  /** Loses what is under way, as when the machine behind it is gone. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(device: net.Socket): void {
    const host = net.connect(this.target);
    let passed = 0;
    const held: Buffer[] = [];
    const letGo = (): void => {
      for (const bytes of held.splice(0)) device.write(bytes);
      if (host.destroyed) device.destroySoon();
      else host.resume();
    };
    this.on('let-go', letGo);
    device.once('close', () => this.off('let-go', letGo));
    for (const [one, other] of [
      [device, host],
      [host, device],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        // What is held comes before the end.
        if (one === device || held.length === 0) other.destroySoon();
      });
    }
    device.on('data', (bytes) => void host.write(bytes));
    host.on('data', (bytes) => {
      const room = this.holdAfter - passed;
      passed += bytes.length;
      if (room > 0) device.write(bytes.subarray(0, room));
      if (bytes.length < room || this.holdAfter === Infinity) return;
      held.push(bytes.subarray(Math.max(0, room)));
      host.pause();
      this.emit('held');
    });
  }
}
