import { createInterface } from 'node:readline';

/**
 * The device's two lines to the lab: what it does goes out as one JSON object a line on stdout, and where it wants its
 * radio to be is asked for there and granted by a line `ok` on stdin.
 */

export type Radio = 'itead-ap' | 'home' | 'finalstage' | 'tasmota' | 'off';

let grants: AsyncIterator<string> | undefined;

let write: (line: string) => void = (line) => void process.stdout.write(line);

/** Sends the lines elsewhere, in a test of the device itself. Returns how to undo it. */
export function reportTo(sink: (line: string) => void): () => void {
  const before = write;
  write = sink;
  return () => void (write = before);
}

/** Says what the device does; `at` is the time in ms since 1970. */
export function report(event: string, facts: Record<string, unknown> = {}): void {
  write(`${JSON.stringify({ event, at: Date.now(), ...facts })}\n`);
}

/** Something the other side did that the facts forbid: the lab counts these. */
export function fault(what: string): void {
  report('fault', { what });
}

/** Moves the radio; resolves when the lab has done it. */
export async function radio(want: Radio): Promise<void> {
  grants ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  report('network', { want });
  const { value } = await grants.next();
  if (value !== 'ok') throw new Error(`the lab refused the network ${want}: ${value}`);
}
