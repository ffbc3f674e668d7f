import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from 'express';
import helper from 'node-red-node-test-helper';
import type { NodeAPI } from 'node-red';
import { speakerFor, type Speaker } from '../../nodes/shared/asked-language';
import type { HostNode } from '../../nodes/shared/hosts';
import { packageRoot } from '../shared/package-root';
import { useAdminServer } from './admin-server';
import { Bed, freePorts } from './bed';

interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

/** A text of the catalogue of a language. */
function textIn(language: string, ...keys: string[]): string {
  const path = join(packageRoot(), 'dist', 'nodes', 'sonota-host', 'locales', language, 'sonota-host.json');
  const catalogue = JSON.parse(readFileSync(path, 'utf8')) as Catalogue;
  return keys.reduce<Catalogue | string>((at, key) => (at as Catalogue)[key] ?? '', catalogue) as string;
}

/** The whole sentence of a refusal, as the catalogue of a language has it. */
function sentence(language: string, reason: string): string {
  const text = (...keys: string[]): string => textIn(language, ...keys);
  const what = text('errors', 'not-possible', 'what').replace('__reason__', text('wordings', reason));
  return `${what} ${text('errors', 'not-possible', 'remedy')}`;
}

describe("nodes: the answers of the editor's routes", () => {
  let bed: Bed;
  useAdminServer();
  afterEach(() => bed.unload());

  async function load(translate?: NodeAPI['_']): Promise<void> {
    const host = { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual' };
    const flash = { id: 'flash', type: 'sonota-flash', z: 'tab', x: 1, y: 1, host: 'host', image: 'rehearsal:' };
    const flow = [
      { ...host, ...(await freePorts()) },
      { id: 'tab', type: 'tab' },
      { ...flash, wires: [[], []] },
    ];
    bed = await Bed.load(flow, {}, undefined, translate);
  }

  async function refusal(
    method: 'get' | 'post' | 'delete',
    path: string,
    language?: string,
    status = 404,
    below = 'host',
  ): Promise<string> {
    const asking = helper.request()[method](`/sonota/${below}/${path}`);
    if (language !== undefined) asking.set('Accept-Language', language);
    const { code, message } = (await asking.expect(status)).body as { code: string; message: string };
    assert.equal(code, 'not-possible');
    return message;
  }

  it('say why something cannot be done any more, each in a sentence of its own', async () => {
    await load();
    const { jobs } = (bed.node('host') as HostNode).flashHost;
    const [running, resting] = ['1000000001', '1000000002'].map((deviceid) => jobs.jobFor('cloud', deviceid));
    assert.ok(running && resting);
    running.running = new AbortController();
    const de = 'de';
    assert.equal(await refusal('post', 'host/jobs/none/cancel', de), sentence(de, 'flash-gone'));
    assert.equal(await refusal('post', 'none/jobs/none/cancel', de), sentence(de, 'flash-gone'));
    assert.equal(await refusal('post', 'none/queue/pause', de), sentence(de, 'host-gone'));
    assert.equal(await refusal('post', 'host/queue/dance', de), sentence(de, 'queue-action-unknown'));
    assert.equal(await refusal('post', `host/jobs/${resting.id}/cancel`, de, 409), sentence(de, 'flash-resting'));
    assert.equal(await refusal('delete', `host/jobs/${running.id}`, de, 409), sentence(de, 'flash-running'));
    assert.equal(await refusal('post', `host/jobs/${resting.id}/retry`, de, 409), sentence(de, 'retry-message-gone'));
    assert.equal(await refusal('post', `host/jobs/${resting.id}/next-step`, de, 409), sentence(de, 'next-step-none'));
    assert.equal(await refusal('get', 'none/jobs', de), sentence(de, 'host-gone'));
    assert.equal(await refusal('get', 'host/jobs/none/evidence', de), sentence(de, 'flash-gone'));
    for (const deed of ['press', 'cancel']) {
      assert.equal(await refusal('post', `host/${deed}`, de, 404, 'flash'), sentence(de, 'node-gone'), deed);
    }
    running.running = undefined;
  });

  it('have the table of checks in it, of a host and of a press on the button', async () => {
    await load();
    for (const language of ['de', 'fr']) {
      for (const path of ['flash/flash/press', 'host/host/preflight']) {
        const { body } = await helper.request().post(`/sonota/${path}`).set('Accept-Language', language).expect(200);
        const { report = body } = body as { report?: object };
        const { checks } = report as { checks: { code: string; remedy: string }[] };
        const { remedy } = checks.find(({ code }) => code === 'wifi-credentials-missing') ?? {};
        assert.equal(remedy, textIn(language, 'errors', 'wifi-credentials-missing', 'remedy'), path);
      }
    }
  });

  it('are in the language of the editor that asks, else in that of Node-RED', async () => {
    await load((key: string) => (key.endsWith('.what') || key.endsWith('.remedy') ? 'RUNTIME' : key));
    const said = (language?: string): Promise<string> => refusal('post', 'none/queue/pause', language);
    for (const [asked, language] of [
      ['de', 'de'],
      ['fr-CA, de;q=0.5', 'fr'],
      ['en-US', 'en-US'],
      ['ja, de;q=0.8', 'de'],
      ['ja', 'en-US'],
      // A second time, from what was loaded.
      ['de', 'de'],
    ] as const) {
      assert.equal(await said(asked), sentence(language, 'host-gone'), asked);
    }
    for (const none of [undefined, '*', ' ']) assert.equal(await said(none), 'RUNTIME RUNTIME');
  });
});

describe('nodes: the texts of the language that an editor names', () => {
  const none = { _: () => 'RUNTIME' } as unknown as Speaker;
  const german = speakerFor(none, {
    headers: { 'accept-language': 'de' },
    acceptsLanguages: ((known: string[]) => known.find((one) => one === 'de') ?? false) as Request['acceptsLanguages'],
  });

  it('are filled with what is known, and keep the place of what is not', () => {
    const text = textIn('de', 'wordings', 'takes-only');
    assert.match(text, /__only__.*__meant__|__meant__.*__only__/);
    assert.equal(german._('x:wordings.takes-only', { only: '7' }), text.replace('__only__', '7'));
  });

  it('are found under codes with dots, too', () => {
    const text = textIn('de', 'wordings', 'version-2.6');
    assert.ok(text !== '');
    assert.equal(german._('x:wordings.version-2.6'), text);
  });

  it('are their own keys where there are none', () => {
    for (const key of ['x:errors.no-such-code.what', 'x:wordings', 'x:wordings.not-json.what', 'x:toString', 'none']) {
      assert.equal(german._(key), key);
    }
  });
});
