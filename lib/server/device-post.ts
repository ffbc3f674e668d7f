/** A device's report by POST to the port of the images, where a provider waits for it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, answerText } from './answer';

/** A report has some 20 bytes of JSON (docs/dev/diy-mode.md#1.12). */
export const POST_LIMIT_BYTES = 4096;

/** Takes the body of one report, which may be anything, and returns what the device is answered, as JSON. */
export type PostTaker = (body: string) => Readonly<Record<string, unknown>>;

/**
 * A POST on its way. One that announces no body has one all the same where a device leaves the announcement out: node
 * then takes the body for the next request, and `late` brings it.
 */
export class DevicePost {
  #isTaken = false;

  /** @param tooLong called where more comes than any device sends; must end the connection */
  constructor(
    private readonly response: ServerResponse,
    private readonly take: PostTaker,
    private readonly tooLong: () => void,
  ) {}

  /** Reads the body that the head announces. */
  async read(request: IncomingMessage): Promise<void> {
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of request as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > POST_LIMIT_BYTES) return this.tooLong();
        parts.push(part);
      }
    } catch {
      // The connection is gone: there is no peer left to answer.
      return;
    }
    this.late(Buffer.concat(parts).toString('utf8'));
  }

  /** Takes a body that nothing announced; only the first one counts. */
  late(body: string): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    if (body.length > POST_LIMIT_BYTES) return this.tooLong();
    try {
      const reply = this.take(body);
      answer(this.response, 200, { 'Content-Type': 'application/json' }, JSON.stringify(reply));
    } catch {
      answerText(this.response, 500, 'failed');
    }
  }
}
