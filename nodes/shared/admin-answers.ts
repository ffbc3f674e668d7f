/** Refusals of the editor's routes: always a code, and its sentences in the language of the client. */

import type { Request, Response } from 'express';
import { asFlashError, FlashError } from '../../lib/errors';
import { wording, type Wording } from '../../lib/wordings/wording';
import { speakerFor, type Speaker } from './asked-language';
import { translateError } from './translate';

/** @param status 422: what is wrong is in the form or on this machine */
export function refuse(RED: Speaker, request: Request, response: Response, thrown: unknown, status = 422): void {
  // The client has gone, or has the first part of an answer.
  if (response.headersSent || response.destroyed) return void response.end();
  const { code, message } = translateError(speakerFor(RED, request), asFlashError(thrown));
  response.status(status).json({ code, message });
}

/** The error of an action on something that has changed since the editor showed it. */
export function notPossible(reason: Wording['code']): FlashError {
  return new FlashError('not-possible', { reason: wording(reason) });
}
