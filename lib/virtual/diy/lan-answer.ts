import type { DiyContext } from './context';

/**
 * What a request comes to: a reply; nothing, with the connection open; an end of the connection without a word, in order
 * or by a reset.
 */
export type LanAnswer = { error: number; data?: Record<string, unknown> } | 'silence' | 'close' | 'reset';

/** A whole reply: always status 200, whatever the error (docs/dev/diy-mode.md#2.3). Takes the next sequence number. */
export function lanReply({ plug, profile }: DiyContext, { error, data }: Exclude<LanAnswer, string>): string {
  const body = JSON.stringify({
    seq: ++plug.seq,
    error,
    ...(data && { data: profile.dataAs === 'string' ? JSON.stringify(data) : data }),
  });
  return (
    'HTTP/1.1 200 OK\r\nServer: openresty\r\nContent-Type: application/json; charset=utf-8\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}
