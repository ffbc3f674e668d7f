/**
 * The routes for the form of a firmware. Users who may only read flows may see lists; a route that reads files or
 * dials out needs the right to change flows, which can do both anyway. No answer holds a byte of an image.
 */

import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import { sourceOf } from '../../lib/firmware/library/catalog';
import { READ_LIMIT_BYTES } from '../../lib/firmware/library/fetch-here';
import type { ImageLibrary } from '../../lib/firmware/library/image-library';
import { removeUnused, usedImages } from '../../lib/firmware/library/used-images';
import {
  fetchAndInspect,
  inspect,
  keepMended,
  keepUploaded,
  type InspectionTarget,
} from '../../lib/firmware/inspection';
import { ONE_HOP, targetOf } from '../../lib/flash/routes';
import { imageNamed, MENDS, targetFacts, targetOfRole, type ImageRole, type MendName } from '../../lib/image';
import { refuse } from '../shared/admin-answers';
import { speakerFor, type Speaker } from '../shared/asked-language';
import { pictureSpeech, translateInspection } from '../shared/translate';

const PATH = '/sonota/firmware';
const ROLES: readonly ImageRole[] = ['user1', 'user2', 'final'];
/** Longer than any path or address that a system takes. */
const SOURCE_LIMIT = 8192;
const FILE_NAME_LIMIT = 80;
/** At most this often a download tells how far it is; ms. */
const PROGRESS_MS = 200;

/**
 * @param libraryNow the library; read each time, since Node-RED's settings come late
 * @param referrers whatever may name an image now
 */
export function addFirmwareRoutes(
  RED: NodeAPI,
  libraryNow: () => ImageLibrary,
  referrers: () => readonly unknown[],
): void {
  const { httpAdmin } = RED;
  const mayRead = RED.auth.needsPermission('sonota.read') as RequestHandler;
  const mayWrite = RED.auth.needsPermission('sonota.write') as RequestHandler;
  const deny = (request: Request, response: Response, thrown: unknown): void => {
    if (thrown instanceof BadRequest) response.status(400).json({ message: thrown.message });
    else refuse(RED, request, response, thrown);
  };
  const answer = (make: (request: Request) => Promise<object>): RequestHandler => {
    return (request, response) => {
      Promise.resolve(request)
        .then(make)
        .then((body) => response.json(body))
        .catch((error: unknown) => deny(request, response, error));
    };
  };

  httpAdmin.get(
    `${PATH}/images`,
    mayRead,
    answer(() => images(libraryNow(), referrers())),
  );
  httpAdmin.post(
    `${PATH}/examine`,
    mayWrite,
    answer(async (request) => {
      const speaker = speakerFor(RED, request);
      return translateInspection(speaker, await inspect(libraryNow(), inspectionOf(request, speaker)));
    }),
  );
  httpAdmin.post(`${PATH}/fetch`, mayWrite, (request: Request, response: Response) => {
    const speaker = speakerFor(RED, request);
    download(libraryNow(), request, response, speaker).catch((error: unknown) => deny(request, response, error));
  });
  httpAdmin.post(
    `${PATH}/confirm`,
    mayWrite,
    answer(async (request) => {
      const { name, sha256 } = bodyOf(request);
      await libraryNow().confirm(text(name), text(sha256));
      return {};
    }),
  );
  httpAdmin.post(
    `${PATH}/mend`,
    mayWrite,
    answer(async (request) => {
      const signal = AbortSignal.timeout(10_000);
      return { sha256: await keepMended(libraryNow(), targetIn(request), mendsOf(request), signal) };
    }),
  );
  httpAdmin.post(
    `${PATH}/upload`,
    mayWrite,
    answer(async (request) => {
      const { role, name } = request.query;
      const bytes = await fileOf(request, roleOf(role));
      return { sha256: await keepUploaded(libraryNow(), roleOf(role), fileNameOf(name), bytes) };
    }),
  );
  httpAdmin.delete(
    `${PATH}/store/:sha256`,
    mayWrite,
    answer(async (request) => {
      await libraryNow().store.remove(text(request.params['sha256']));
      return {};
    }),
  );
  httpAdmin.post(
    `${PATH}/prune`,
    mayWrite,
    answer(async (request) => ({ removed: await removeUnused(libraryNow(), digestsOf(request), referrers) })),
  );
}

/** The images to pick from: the catalog with its copies that are here, and everything that is stored. */
async function images(library: ImageLibrary, referrers: readonly unknown[]): Promise<object> {
  const { catalog, store } = library;
  const kept = await store.list();
  const used = await usedImages(library, referrers);
  return {
    catalog: catalog.images.map((image) => {
      const isHere = kept.some(({ sha256, origins }) => sha256 === image.sha256 || origins.includes(sourceOf(image)));
      return { ...image, isHere };
    }),
    store: kept.map((image) => ({ ...image, isUsed: used.has(image.sha256) })),
  };
}

/** One line of JSON for each piece of news; the last one is the inspection. A form that is closed ends the download. */
async function download(library: ImageLibrary, request: Request, response: Response, speaker: Speaker): Promise<void> {
  const target = inspectionOf(request, speaker);
  const stop = new AbortController();
  response.on('close', () => stop.abort());
  response.type('application/x-ndjson');
  let saidAt = 0;
  const inspection = await fetchAndInspect(library, target, {
    signal: stop.signal,
    onFetch: ({ received, total }) => {
      if (Date.now() - saidAt < PROGRESS_MS) return;
      saidAt = Date.now();
      response.write(`${JSON.stringify({ received, total: total ?? null })}\n`);
    },
  });
  response.end(`${JSON.stringify(translateInspection(speaker, inspection))}\n`);
}

/** A request that our own form never makes; its message is for the author of the client, in English. */
class BadRequest extends Error {}

function bodyOf(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null) throw new BadRequest('the request has no JSON body');
  return body as Record<string, unknown>;
}

/** The body of a request, as it came. @throws FlashError `image-too-large` */
async function fileOf(request: Request, role: ImageRole): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > READ_LIMIT_BYTES) throw tooLarge(role, Math.max(size, Number(request.headers['content-length']) || 0));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(role: ImageRole, size: number): FlashError {
  const { limit } = targetFacts(targetOfRole(role));
  return new FlashError('image-too-large', { what: imageNamed(role), size, limit });
}

/** Its last part, short enough for a list. */
function fileNameOf(given: unknown): string {
  const name = text(given).split(/[\\/]/).pop()?.trim() ?? '';
  return name === '' ? 'uploaded file' : name.slice(0, FILE_NAME_LIMIT);
}

function inspectionOf(request: Request, speaker: Speaker): InspectionTarget {
  return { ...targetIn(request), speak: pictureSpeech(speaker) };
}

function targetIn(request: Request): InspectionTarget {
  const { role, source, digest, intermediate } = bodyOf(request);
  return {
    role: roleOf(role),
    source: text(source),
    ...(typeof digest === 'string' && digest !== '' ? { digest } : {}),
    place: targetOf(roleOf(role), intermediate === 'one-hop' ? ONE_HOP : undefined),
  };
}

function roleOf(role: unknown): ImageRole {
  const known = ROLES.find((one) => one === role);
  if (!known) throw new BadRequest(`role must be one of ${ROLES.join(', ')}`);
  return known;
}

function mendsOf(request: Request): MendName[] {
  const { mends } = bodyOf(request);
  if (!Array.isArray(mends)) throw new BadRequest('mends must be a list');
  return mends.map((mend) => {
    const known = MENDS.find((one) => one === mend);
    if (!known) throw new BadRequest(`there is no mend ${String(mend)}`);
    return known;
  });
}

function digestsOf(request: Request): string[] {
  const { digests } = bodyOf(request);
  if (!Array.isArray(digests)) throw new BadRequest('digests must be a list');
  return digests.map(text);
}

function text(value: unknown): string {
  if (typeof value === 'string' && value.length <= SOURCE_LIMIT) return value;
  throw new BadRequest('a text is missing, or is too long');
}
