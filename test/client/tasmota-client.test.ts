import assert from 'node:assert/strict';
import { TasmotaClient } from '../../lib/client/tasmota-client';
import { useHttpServers } from '../shared/http-server';

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
    assert.deepEqual(
      asked.map((path) => path.includes('password=secret')),
      [false, false, true, true],
    );
  });

  it('gives up where the password is wrong, or not known', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(401).end();
    });
    for (const password of ['wrong', undefined]) {
      await assert.rejects(new TasmotaClient(url, password).ask('Power', options), { code: 'tasmota-password-wrong' });
    }
    assert.equal(requests, 3);
  });
});
