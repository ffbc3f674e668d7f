import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { TasmotaClient } from '../../lib/client/tasmota-client';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';

const options = { signal: new AbortController().signal, limitMs: 60_000 };

describe('client/tasmota-client', () => {
  const { serve } = useHttpServers();

  it('says the web password only where it is asked for, and from then on', async () => {
    const asked: string[] = [];
    let isLocked = false;
    const url = await serve((request, response) => {
      asked.push(request.url ?? '');
      const isAdmitted = !isLocked || asked.at(-1)?.includes('password=secret');
      response.writeHead(isAdmitted ? 200 : 401).end('{"POWER":"ON"}');
    });
    const tasmota = new TasmotaClient(url, 'secret');
    await tasmota.ask('Power', options);
    assert.doesNotMatch(asked.join(' '), /secret/);
    isLocked = true;
    assert.deepEqual(await tasmota.ask('Power', options), { answer: { POWER: 'ON' } });
    await tasmota.ask('Power', options);
    const named = '/cm?user=admin&password=secret&cmnd=Power';
    assert.deepEqual(asked, ['/cm?cmnd=Power', '/cm?cmnd=Power', named, named]);
  });

  it('gives up where the password is wrong, or not known', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(401).end();
    });
    for (const password of ['wrong', undefined]) {
      await assert.rejects(new TasmotaClient(url, password).ask('Power', options), {
        code: 'tasmota-password-wrong',
        values: { url },
      });
    }
    assert.equal(requests, 3);
  });

  it('distinguishes a Tasmota from any other answer, or none', async () => {
    let answer = (response: ServerResponse): unknown => response.end('{"Status":{}}');
    const asked = new Set<unknown>();
    const url = await serve((request, response) => {
      asked.add(request.url);
      answer(response);
    });
    const ask = (): Promise<unknown> => new TasmotaClient(url, undefined).facts(options);
    assert.deepEqual(await ask(), { problem: 'strange' }, 'an answer without its facts');
    answer = (response) => response.end('<html>router</html>');
    assert.deepEqual(await ask(), { problem: 'strange' });
    answer = (response) => response.writeHead(404).end('{"Command":"Unknown"}');
    assert.deepEqual(await ask(), { problem: 'strange' });
    answer = (response) => response.destroy();
    assert.deepEqual(await ask(), { problem: 'silent' });
    const nobody = new TasmotaClient(`http://127.0.0.1:${await freePort()}`, undefined);
    assert.deepEqual(await nobody.facts(options), { problem: 'silent' });
    assert.deepEqual([...asked], ['/cm?cmnd=Status%200']);
  });
});
