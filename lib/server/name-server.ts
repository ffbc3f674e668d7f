import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { FlashError } from '../errors';
import { answerForName, type KnownName, type NameAnswer } from '../protocol/name-answer';
import { whyNotOpen } from './port-listener';

export interface NameServerOptions extends KnownName {
  /** The peers that are answered; others get no reply, not even a refusal. */
  readonly isLocal: (peer: string) => boolean;
}

interface NameServerEvents {
  /** A query was answered. */
  asked: [peer: string, answer: NameAnswer];
  /** The socket has failed, and no longer answers. */
  trouble: [error: Error];
}

/** DNS over UDP for one name, on one port. */
export class NameServer extends EventEmitter<NameServerEvents> {
  #socket: Socket | undefined;

  constructor(private readonly options: NameServerOptions) {
    super();
  }

  /**
   * Opens the port.
   *
   * @param port 0 = any that is free
   * @param bind the IPv4 address to listen on
   * @returns the port
   * @throws FlashError `port-in-use` with {port, bind, reason}
   */
  async listen(port: number, bind: string): Promise<number> {
    await this.close();
    const socket = createSocket('udp4');
    try {
      socket.bind({ port, address: bind, exclusive: true });
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      const reason = await whyNotOpen(error as NodeJS.ErrnoException, port, 'udp');
      throw new FlashError('port-in-use', { port, bind, reason }, { cause: error });
    }
    this.#socket = socket;
    socket.on('message', (packet, from) => this.#answer(socket, packet, from));
    socket.on('error', (error) => this.emit('trouble', error));
    return socket.address().port;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  #answer(socket: Socket, packet: Buffer, { address: peer, port }: RemoteInfo): void {
    if (socket !== this.#socket || !this.options.isLocal(peer)) return;
    const answer = answerForName(packet, this.options);
    if (!answer) return;
    // A reply that is lost is asked for again.
    socket.send(answer.reply, port, peer, () => undefined);
    this.emit('asked', peer, answer);
  }
}
