import assert from 'node:assert/strict';
import type { Job } from '../../lib/flash/job/job';
import type { Seen, StrangerAct } from '../../lib/flash/verdict/observation';
import { FinalStageVisit } from '../../lib/flash/job/finalstage-visit';
import { loadFirmware } from '../../lib/flash/firmware/firmware';
import { closeBenches, FIRMWARE, openBench } from './bench';
import { ask } from './stranger';

const DEVICE = '1000a1b2c3';

/** What strangers were refused, as the job's evidence has it. */
function strangers(job: Job | undefined): [peer: string, act: StrangerAct][] {
  const seen = job?.evidence.all.filter((one): one is Seen<'stranger'> => one.kind === 'stranger') ?? [];
  return seen.map(({ peer, act }) => [peer, act]);
}

describe('flash: peers that are not the device', function () {
  this.timeout(20_000);

  afterEach(closeBenches);

  it('refuses pages in a browser, keeps what they did, and flashes the device', async () => {
    const bench = await openBench();
    const wait = bench.begin('cloud', { deviceid: DEVICE });
    await wait.recorder.reported(({ state }) => state === 'waiting');
    const body = JSON.stringify({ deviceid: DEVICE, apikey: 'x', model: 'ITA-GZ1-GL', romVersion: '2.6.1' });
    const plain = `http://127.0.0.1:${bench.host.ports.legacy}/dispatch/device`;
    const page = await fetch(plain, { method: 'POST', body, headers: { origin: 'http://evil.example' } });
    assert.equal(page.status, 403);
    const head = 'GET /api/ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n';
    const socket = `${head}Origin: http://evil.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ITEADTmobiM0x1DabcEsnw==\r\n\r\n`;
    assert.match(await ask(bench.host.ports.legacy, socket), /^HTTP\/1\.1 403/);
    const job = bench.host.jobs.openJob(DEVICE);
    assert.deepEqual(strangers(job), [['127.0.0.1', 'browser']]);
    assert.equal(job?.evidence.verdict().code, 'on-course');
    const device = await bench.device();
    await bench.upgraded(device);
  });

  it('gives the final image of a real FinalStage to no other client, though it takes it to the end', async () => {
    const bench = await openBench();
    const job = bench.host.jobs.jobFor('finalstage', DEVICE);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
    const visit = (job.visit = new FinalStageVisit());
    const request = 'GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 192.168.4.2:8080\r\nConnection: close\r\n\r\n';
    assert.match(await ask(bench.host.ports.http, request), /^HTTP\/1\.1 404/);
    assert.deepEqual([visit.deliveries, visit.lastDialled], [{}, undefined]);
    assert.deepEqual(strangers(job), [['127.0.0.1', 'finalstage-image']]);
  });
});
