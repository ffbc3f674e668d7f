import { EventEmitter, once } from 'node:events';
import WebSocket from 'ws';

export interface NodeStatus {
  fill?: string;
  shape?: string;
  text?: string;
}

export interface DebugMessage {
  id: string;
  name?: string;
  topic?: string;
  property?: string;
  msg: unknown;
  format?: string;
}

/**
 * Listens to what Node-RED tells its editors: emits 'status' (node id, NodeStatus) and 'debug' (DebugMessage).
 */
export class CommsClient extends EventEmitter {
  /** Every status so far, oldest first. */
  readonly statuses: Array<{ id: string; status: NodeStatus }> = [];
  readonly debugs: DebugMessage[] = [];
  /** Ends what still waits; it never settles then. */
  private readonly waits = new Set<() => void>();

  private constructor(private readonly socket: WebSocket) {
    super();
    socket.on('message', (data: Buffer) => this.take(data.toString()));
  }

  static async open(url: string): Promise<CommsClient> {
    const socket = new WebSocket(url);
    const client = new CommsClient(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: 'status/#' }));
    socket.send(JSON.stringify({ subscribe: 'debug' }));
    return client;
  }

  /** Waits for the first status, past ones included, that the predicate likes. */
  async status(wanted: (id: string, status: NodeStatus) => boolean, limitMs: number): Promise<NodeStatus> {
    const earlier = this.statuses.find(({ id, status }) => wanted(id, status));
    if (earlier) return earlier.status;
    return await new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.off('status', onStatus);
        this.waits.delete(end);
      };
      const onStatus = (id: string, status: NodeStatus): void => {
        if (!wanted(id, status)) return;
        end();
        resolve(status);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`the status did not come within ${limitMs} ms; seen: ${JSON.stringify(this.statuses)}`));
      }, limitMs);
      this.on('status', onStatus);
      this.waits.add(end);
    });
  }

  close(): void {
    for (const end of [...this.waits]) end();
    this.socket.terminate();
  }

  private take(text: string): void {
    const parsed = JSON.parse(text) as unknown;
    for (const { topic, data } of [parsed].flat() as Array<{ topic?: string; data: unknown }>) {
      if (topic?.startsWith('status/')) {
        const [id, status] = [topic.slice('status/'.length), data as NodeStatus];
        this.statuses.push({ id, status });
        this.emit('status', id, status);
      } else if (topic === 'debug') {
        this.debugs.push(data as DebugMessage);
        this.emit('debug', data);
      }
    }
  }
}
