import type { DeviceContext } from '../device/context';
import { dial } from '../wire/dial';
import type { ServerAddress } from '../stock/dispatch-client';
import { type Wire, WireError } from '../wire/wire';

/** The reply is not one that the intermediate firmware takes; it tries again. */
export class FetchError extends Error {}

export interface FinalStageFile {
  readonly path: string;
  readonly magic: number;
  readonly maxBytes: number;
}

export const MIN_BYTES = 4096;

/** A reply whose header was taken: the body's first bytes have arrived, the rest is still on the wire. */
export interface Stream {
  readonly length: number;
  /**
   * At most `count` bytes, and fewer only at the end of the body. Waits without end where the sender stalls or leaves:
   * the firmware has no time limit here.
   */
  read(count: number): Promise<Buffer>;
  close(): void;
}

/**
 * One request of the intermediate firmware, made with the ESP8266 core's HTTPClient (docs/dev/stock-firmware.md#5):
 * HTTP/1.0, status 200 exactly, Content-Length within the limits, no Transfer-Encoding, right first byte. `hang` is
 * where it ends up when the stream breaks off. Rejects with a FetchError or a WireError.
 */
export async function openStream(
  device: DeviceContext,
  host: ServerAddress,
  file: FinalStageFile,
  signal: AbortSignal,
  hang: () => Promise<never>,
): Promise<Stream> {
  const wire = await dial({
    ...host,
    localAddress: device.localAddress,
    limitMs: device.timings.finalStageHeader,
    signal,
  });
  try {
    const port = host.port === 80 ? '' : `:${host.port}`;
    wire.write(
      `GET ${file.path} HTTP/1.0\r\nHost: ${host.host}${port}\r\nUser-Agent: ESP8266HTTPClient\r\nConnection: close\r\n\r\n`,
    );
    const { head, rest } = await readHead(wire, device.timings.finalStageHeader);
    const length = checkHead(head, file);
    const stream = bodyOf(wire, rest, length, hang);
    const first = await stream.peek();
    if (first !== file.magic) throw new FetchError(`first byte is 0x${first.toString(16)}`);
    return stream;
  } catch (error) {
    wire.close();
    throw error;
  }
}

async function readHead(wire: Wire, limitMs: number): Promise<{ head: string; rest: Buffer }> {
  let buffer = Buffer.alloc(0);
  for (;;) {
    const segment = await wire.next(limitMs);
    if (!segment) throw new WireError('closed before the header was complete');
    buffer = Buffer.concat([buffer, segment.bytes]);
    const end = buffer.indexOf('\r\n\r\n');
    if (end >= 0) return { head: buffer.toString('latin1', 0, end), rest: buffer.subarray(end + 4) };
  }
}

function checkHead(head: string, file: FinalStageFile): number {
  const [status, ...lines] = head.split('\r\n');
  const code = /^HTTP\/1\.\d (\d{3})/.exec(status!)?.[1];
  if (code !== '200') throw new FetchError(`status is ${code ?? 'unreadable'}`);
  const value = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  if (value('transfer-encoding')) throw new FetchError('Transfer-Encoding');
  const length = value('content-length');
  if (length === undefined || !/^\d+$/.test(length)) throw new FetchError('no Content-Length');
  if (Number(length) < MIN_BYTES || Number(length) > file.maxBytes) throw new FetchError(`length is ${length}`);
  return Number(length);
}

function bodyOf(
  wire: Wire,
  first: Buffer,
  length: number,
  hang: () => Promise<never>,
): Stream & { peek(): Promise<number> } {
  let pending = first;
  let taken = 0;
  const need = async (count: number): Promise<void> => {
    while (pending.length < count) {
      const segment = await wire.next().catch((error: Error) => {
        if (error instanceof WireError) return undefined;
        throw error;
      });
      if (!segment) await hang();
      else pending = Buffer.concat([pending, segment.bytes]);
    }
  };
  return {
    length,
    async peek() {
      await need(1);
      return pending[0]!;
    },
    async read(count) {
      const wanted = Math.min(count, length - taken);
      await need(wanted);
      const block = pending.subarray(0, wanted);
      pending = pending.subarray(wanted);
      taken += wanted;
      return block;
    },
    close: () => wire.close(),
  };
}
