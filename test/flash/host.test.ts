import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FlashHost } from '../../lib/flash/host/host';
import { makeUserImage } from '../../lib/image';
import { TLS_IDENTITY_FILE } from '../../lib/server/tls-identity';
import { processFolder } from '../shared/process-folder';
import { freePort, occupy } from '../shared/ports';
import { closeBenches, FIRMWARE, openBench } from './bench';
import { assertCode } from './refusals';

const ownFolder = processFolder('host');

describe('flash/host', () => {
  afterEach(closeBenches);

  it('closes immediately with device sockets open, and frees every port', async () => {
    const bench = await openBench();
    const device = await bench.device({ fault: 'finalstage-blocked' });
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const { https, legacy, http } = bench.host.ports;
    const idle = [https, legacy, http].map((port) => connect(port, '127.0.0.1').on('error', () => undefined));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    await bench.host.close();
    for (const port of [https, legacy, http]) await (await occupy(port)).release();
    for (const socket of idle) socket.destroy();
  });

  it('says in its log that it has another TLS identity, and why', async () => {
    const folder = await mkdtemp(join(ownFolder, 'host-'));
    await writeFile(join(folder, TLS_IDENTITY_FILE), 'damaged');
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    const host = new FlashHost({ bind: '127.0.0.1', address: '127.0.0.1', ...ports }, folder);
    const said: string[] = [];
    host.log = (level, text) => void (level === 'warn' && said.push(text));
    await host.open();
    await host.close();
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0] ?? '', /tls-identity\.pem is replaced .* no key and certificate/);
  });

  it('closes immediately in mid-upgrade', async () => {
    const bench = await openBench();
    const device = await bench.device({ behaviours: { blockPauseMs: 600_000 } });
    await device.start();
    const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 40_960 }) };
    const stage = bench.begin('upgrade', { deviceid: device.deviceid, sources });
    await stage.recorder.reported(({ text }) => /downloads user2/.test(text));
    await bench.host.close();
    assert.equal(bench.host.jobs.latest(device.deviceid)?.stage, 'failed');
  });

  it('names the port that is in use, frees the others, and opens when it is asked again', async () => {
    const [httpPort, legacyPort] = [await freePort(), await freePort()];
    const bench = await openBench({ httpPort, legacyPort });
    await bench.host.stopListening();
    const holder = await occupy(httpPort);
    const error = await assertCode(bench.host.open(), 'port-in-use');
    assert.equal(error.values['port'], httpPort);
    assert.equal(bench.host.trouble?.code, 'port-in-use');
    await (await occupy(legacyPort)).release();
    await holder.release();
    await bench.host.open();
    assert.equal(bench.host.trouble, undefined);
    assert.equal(bench.host.ports.http, httpPort);
  });

  it('takes on other ports, and frees the old ones', async () => {
    const bench = await openBench();
    const device = await bench.device({ behaviours: { blockPauseMs: 0 } });
    await bench.upgraded(device);
    const httpPort = await freePort();
    const old = bench.host.ports.http;
    await bench.host.apply({ ...bench.settings, httpPort, finalStagePort: httpPort });
    assert.deepEqual([bench.host.ports.http, bench.host.isListening], [httpPort, true]);
    await assert.rejects(occupy(httpPort), { code: 'EADDRINUSE' });
    await (await occupy(old)).release();
  });
});
