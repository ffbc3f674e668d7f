/** The routes for the button and the form of the node. */

import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { joinedWifiNames } from '../../lib/net/wifi/choose';
import { notPossible, refuse } from '../shared/admin-answers';
import { speakerFor, type Speaker } from '../shared/asked-language';
import { translatePreflight } from '../shared/translate';
import type { FlashNode, PressAnswer } from './press';

export function addFlashRoutes(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const mayWrite = RED.auth.needsPermission('sonota.write') as RequestHandler;

  RED.httpAdmin.post('/sonota/flash/:id/press', mayWrite, (request: Request, response: Response) => {
    const node = flashNodeOf(RED, request, response);
    if (!node) return;
    const isConfirmed = request.query['confirmed'] === 'true';
    node.press(isConfirmed, whileAsked(response)).then(
      (answer) => void response.json(inWords(speakerFor(RED, request), answer)),
      (thrown: unknown) => refuse(RED, request, response, thrown),
    );
  });

  RED.httpAdmin.post('/sonota/flash/:id/cancel', mayWrite, (request: Request, response: Response) => {
    const node = flashNodeOf(RED, request, response);
    if (!node) return;
    node.cancelWait();
    response.status(204).end();
  });

  RED.httpAdmin.get('/sonota/wifi/home', mayRead, (_request: Request, response: Response) => {
    // Where nothing can be found out, the list is empty: a name can be typed in all the same.
    joinedWifiNames(whileAsked(response)).then(
      (names) => void response.set('Cache-Control', 'no-store').json(names),
      () => void response.json([]),
    );
  });
}

function inWords(speaker: Speaker, answer: PressAnswer): object {
  return 'report' in answer ? { ...answer, report: translatePreflight(speaker, answer.report) } : answer;
}

/** The node that is asked; undefined where there is none, which is answered. */
function flashNodeOf(RED: NodeAPI, request: Request, response: Response): FlashNode | undefined {
  const node = RED.nodes.getNode(String(request.params['id'])) as FlashNode | null;
  if (node?.type === 'sonota-flash') return node;
  refuse(RED, request, response, notPossible('node-gone'), 404);
  return undefined;
}

/** Aborts when the browser goes away. */
function whileAsked(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
