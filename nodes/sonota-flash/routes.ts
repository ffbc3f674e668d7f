/** What the button and the form of the node ask the runtime for. */

import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { asFlashError } from '../../lib/errors';
import { joinedWifiNames } from '../../lib/net/wifi/choose';
import { translateError } from '../shared/translate';
import type { FlashNode } from './press';

export function addFlashRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const mayWrite = RED.auth.needsPermission('sonota.write') as RequestHandler;

  RED.httpAdmin.post('/sonota/flash/:id/press', mayWrite, (request: Request, response: Response) => {
    const node = RED.nodes.getNode(String(request.params['id'])) as FlashNode | null;
    if (node?.type !== 'sonota-flash') return void response.status(404).json({ message: 'There is no such node.' });
    const isConfirmed = request.query['confirmed'] === 'true';
    node.press(isConfirmed, whileAsked(response)).then(
      (answer) => void response.json(answer),
      (thrown: unknown) => {
        const { code, message } = translateError(RED, asFlashError(thrown));
        if (!response.writableEnded) response.status(422).json({ code, message });
      },
    );
  });

  RED.httpAdmin.get('/sonota/wifi/home', mayRead, (_request: Request, response: Response) => {
    // Where nothing can be found out, the list is empty: a name can be typed in all the same.
    joinedWifiNames(whileAsked(response)).then(
      (names) => void response.set('Cache-Control', 'no-store').json(names),
      () => void response.json([]),
    );
  });
}

/** Aborts when the browser goes away. */
function whileAsked(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
