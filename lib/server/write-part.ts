import type { ServerResponse } from 'node:http';

/** Hands a part of the body to the network; resolves when the kernel has it, rejects when the connection is lost. */
export function writePart(response: ServerResponse, part: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the connection was lost'));
    if (response.destroyed || response.socket?.destroyed) return onClose();
    response.once('close', onClose);
    response.write(part, (error) => {
      response.off('close', onClose);
      if (error) reject(new Error('the connection was lost', { cause: error }));
      else resolve();
    });
  });
}
