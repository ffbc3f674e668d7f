import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Below all ports that tests are given (ports.ts). */
const TURN_PORT = 19_989;

/**
 * For a suite that announces devices at the real port of mDNS, or looks for all that are announced there: it is alone
 * with that on this machine, since a look asks every device that it finds, and a device answers one connection at a
 * time. Other test processes wait for their turn.
 */
export function useMdnsAlone(): void {
  let turn: Turn | undefined;
  before(async () => {
    turn = await Turn.taken();
  });
  after(async () => {
    await turn?.end();
    turn = undefined;
  });
}

/** The process that listens on the port has the turn; the others are connected to it until it ends. */
class Turn {
  private readonly waiting = new Set<Socket>();
  private readonly server = createServer((socket) => {
    this.waiting.add(socket);
    socket.on('error', () => undefined);
  });

  static async taken(): Promise<Turn> {
    for (;;) {
      const turn = new Turn();
      if (await isListening(turn.server)) return turn;
      await endOfHolder();
    }
  }

  async end(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.waiting) socket.destroy();
    await closed;
  }
}

async function isListening(server: Server): Promise<boolean> {
  try {
    await once(server.listen(TURN_PORT, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  }
}

/** Resolves when the holder has closed the connection, or has gone before there was one. */
async function endOfHolder(): Promise<void> {
  const socket = connect(TURN_PORT, '127.0.0.1');
  const closed = once(socket, 'close');
  socket.on('error', () => undefined).resume();
  await closed;
}
