import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Request, Response } from 'express';
import helper from 'node-red-node-test-helper';
import type { NodeAPI } from 'node-red';
import { explain, FlashError } from '../../lib/errors';
import { wording } from '../../lib/wordings/wording';
import { notPossible, refuse } from '../../nodes/shared/admin-answers';
import { useHttpServers } from '../shared/http-server';
import { useAdminServer } from './admin-server';

/** A runtime without catalogues: every text is the English one. */
const SPEAKER = { _: (key: string) => key } as unknown as NodeAPI;

describe("nodes: refusals of the editor's routes", () => {
  const http = useHttpServers();
  let RED: NodeAPI;
  useAdminServer();
  beforeEach(() => helper.load([(api: NodeAPI) => void (RED = api)], []));
  afterEach(() => helper.unload());

  /** A route that is answered so. @returns its path */
  function route(answer: (request: Request, response: Response) => void): string {
    const path = `/sonota-test-${Math.random().toString(36).slice(2)}`;
    RED.httpAdmin.get(path, answer);
    return path;
  }

  it('are the code and the sentences of an error, with 422 unless another status is given', async () => {
    const error = notPossible('host-gone');
    const body = { code: 'not-possible', message: explain('not-possible', { reason: wording('host-gone') }) };
    const usual = route((asked, response) => refuse(SPEAKER, asked, response, error));
    const missing = route((asked, response) => refuse(SPEAKER, asked, response, error, 404));
    const unknown = route((asked, response) => refuse(SPEAKER, asked, response, new TypeError('it is broken')));
    assert.deepEqual((await helper.request().get(usual).expect(422)).body, body);
    assert.deepEqual((await helper.request().get(missing).expect(404)).body, body);
    const { code } = (await helper.request().get(unknown).expect(422)).body as { code: string };
    assert.equal(code, 'unexplained');
  });

  it('end an answer whose first part has gone out, and say nothing more in it', async () => {
    const path = route((asked, response) => {
      response.write('the first part');
      refuse(SPEAKER, asked, response, new FlashError('host-missing'));
    });
    assert.equal((await helper.request().get(path).buffer(true).expect(200)).text, 'the first part');
  });

  it('are sent to no client that has gone', async () => {
    let refused: () => void = () => undefined;
    const isRefused = new Promise<void>((resolve) => (refused = resolve));
    let asks: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asks = resolve));
    const path = route((asked, response) => {
      response.on('close', () => {
        refuse({ _: () => assert.fail('it is not read') }, asked, response, new FlashError('host-missing'));
        refused();
      });
      asks();
    });
    const client = request(`${await http.serve(RED.httpAdmin)}${path}`);
    client.on('error', () => undefined).end();
    await isAsked;
    client.destroy();
    await isRefused;
  });
});
