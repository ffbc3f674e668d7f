import { createRequire } from 'node:module';
import type { Express, NextFunction, Request, Response } from 'express';
import { FlashError } from '../errors';
import { plainAddress } from '../net/addresses';
import { DISPATCH_PATH, dispatchReply, parseDispatch, type DispatchRequest } from '../protocol/dispatch';
import { answer, answerText } from './answer';
import { isFromBrowser } from './browser';
import { wording } from '../wordings/wording';

/** A device's dispatch has under 200 bytes. */
export const BODY_LIMIT = 4096;

export interface DispatchAppOptions {
  /** Where this device is to open its WebSocket; may throw a FlashError, which the device sees as a 503. */
  whereToConnect(dispatch: DispatchRequest, request: Request): { address: string; port: number };
  /** Whether it may come from the device that it names. */
  admits(dispatch: DispatchRequest, peer: string): boolean;
  dispatched(dispatch: DispatchRequest, request: Request): void;
  /** The request was no dispatch. */
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
export function dispatchApp(cloud: DispatchAppOptions): Express {
  const express = loadExpress();
  const app = express();
  app.disable('x-powered-by');

  app.use((request: Request, response: Response, next: NextFunction) => {
    if (!isFromBrowser(request.headers)) return next();
    cloud.browser(plainAddress(request.socket.remoteAddress));
    answerText(response, 403, 'not for browsers');
  });

  app.post(
    DISPATCH_PATH,
    // Whatever type it states, it is read as text and parsed by our own rules.
    express.text({ type: () => true, limit: BODY_LIMIT, inflate: false }),
    (request: Request<unknown, unknown, string | undefined>, response: Response) => {
      const peer = plainAddress(request.socket.remoteAddress);
      const dispatch = parseDispatch(request.body ?? '', peer);
      if (!cloud.admits(dispatch, peer)) return answerText(response, 403, 'this is another device');
      cloud.dispatched(dispatch, request as Request);
      let body: string;
      try {
        const { address, port } = cloud.whereToConnect(dispatch, request as Request);
        body = dispatchReply(address, port);
      } catch (error) {
        cloud.failed(error, peer);
        answerText(response, 503, 'no address');
        return;
      }
      answer(response, 200, { 'Content-Type': 'application/json' }, body);
    },
  );

  app.use((_request: Request, response: Response) => answerText(response, 404, 'not found'));

  // Express tells an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    // A connection that is lost in the middle of a request is no message.
    if (request.readableAborted) return;
    const peer = plainAddress(request.socket.remoteAddress);
    cloud.malformed(error instanceof FlashError ? error : unreadable(error, peer), peer);
    if (response.headersSent) return next(error);
    answerText(response, 400, 'bad request');
  });
  return app;
}

/** An error of the body parser or the router. Its own message may quote the body, so only its kind is reported. */
function unreadable(error: unknown, peer: string): FlashError {
  const kind = (error as { type?: unknown }).type;
  const reason = wording('request-unusable', { kind: typeof kind === 'string' ? kind : wording('not-understood') });
  return new FlashError('message-malformed', { peer, reason }, { cause: error });
}

/** Not before a host listens: it brings fifty modules, and the start of Node-RED must not wait for them. */
function loadExpress(): typeof import('express') {
  return createRequire(__filename)('express') as typeof import('express');
}
