/** To node's parser also an error: the connection ended in the middle of a request. */
const LOST = 'HPE_INVALID_EOF_STATE';

/**
 * What node's HTTP parser did not like, as node names it (HPE_…); undefined where the connection was merely lost, which is
 * no message of the peer.
 */
export function parserComplaint({ code }: NodeJS.ErrnoException): string | undefined {
  return code?.startsWith('HPE_') && code !== LOST ? code : undefined;
}
