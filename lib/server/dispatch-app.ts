import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { FlashError } from '../errors';
import { plainAddress } from '../net/addresses';
import { dispatchReply, isDispatchTarget, parseDispatch, type DispatchRequest } from '../protocol/dispatch';
import { answer, answerText } from './answer';
import { isFromBrowser } from './browser';
import { BodyTooLong, readBody } from './request-body';
import { wording } from '../wordings/wording';

/** A device's dispatch has under 200 bytes. */
export const BODY_LIMIT = 4096;

export interface DispatchAppOptions {
  /** Where this device is to open its WebSocket; may throw a FlashError, which the device sees as a 503. */
  whereToConnect(dispatch: DispatchRequest, request: IncomingMessage): { address: string; port: number };
  /** Whether it may come from the device that it names. */
  admits(dispatch: DispatchRequest, peer: string): boolean;
  dispatched(dispatch: DispatchRequest, request: IncomingMessage): void;
  /** What came is no dispatch. */
  malformed(error: FlashError, peer: string): void;
  /** A page in a browser asked, and was refused. */
  browser(peer: string): void;
  /** The dispatch was fine, but we had no answer. */
  failed(error: unknown, peer: string): void;
}

/**
 * The HTTP half of the cloud: one question, "which server shall I use?", with one answer
 * (docs/dev/stock-firmware.md#2).
 */
export function dispatchApp(cloud: DispatchAppOptions): RequestListener {
  return (request, response) => {
    const { method, url = '', headers, socket } = request;
    const peer = plainAddress(socket.remoteAddress);
    if (isFromBrowser(headers)) {
      cloud.browser(peer);
      return answerText(response, 403, 'not for browsers');
    }
    if (method !== 'POST' || !isDispatchTarget(url)) return answerText(response, 404, 'not found');
    take(cloud, request, response, peer).catch((error: unknown) => {
      cloud.failed(error, peer);
      if (!response.headersSent) answerText(response, 503, 'no address');
    });
  };
}

async function take(
  cloud: DispatchAppOptions,
  request: IncomingMessage,
  response: ServerResponse,
  peer: string,
): Promise<void> {
  let dispatch: DispatchRequest;
  try {
    const body = await readBody(request, BODY_LIMIT);
    // A lost connection is no message.
    if (body === undefined) return;
    dispatch = parseDispatch(body, peer);
  } catch (error) {
    cloud.malformed(unreadable(error, peer), peer);
    return answerText(response, 400, 'bad request');
  }
  if (!cloud.admits(dispatch, peer)) return answerText(response, 403, 'this is another device');
  cloud.dispatched(dispatch, request);
  const { address, port } = cloud.whereToConnect(dispatch, request);
  answer(response, 200, { 'Content-Type': 'application/json' }, dispatchReply(address, port));
}

/** Why a body is no dispatch; it quotes nothing of the body. */
function unreadable(error: unknown, peer: string): FlashError {
  if (error instanceof BodyTooLong)
    return new FlashError('message-malformed', { peer, reason: wording('posts-too-much') });
  if (error instanceof FlashError) return error;
  throw error;
}
