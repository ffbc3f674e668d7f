import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlashHost } from '../../lib/flash/host/host';
import type { DeviceConnection } from '../../lib/server/device-connection';
import type { Job } from '../../lib/flash/job/job';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import type { Seen, StrangerAct } from '../../lib/flash/observation';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { makeUserImage } from '../../lib/image';
import { refuseCertificate } from '../../lib/virtual/stock/certificate-check';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { closeBenches, FIRMWARE, HOME, openBench, type Bench, type Begun } from './bench';
import { assertCode } from './refusals';
import { ask, checkAsMonitor, registerAs } from './stranger';
import { wording } from '../../lib/wordings/wording';
import { processFolder } from '../shared/process-folder';

const ownFolder = processFolder('keys');

const DEVICE = '1000a1b2c3';
const OWN_KEY = '11111111-2222-4333-8444-666666666666';
const OTHER_KEY = '99999999-8888-4777-8666-555555555555';
const DEVICE_AT = '127.0.0.2';
const STRANGER_AT = '127.0.0.66';
const OTHER_AT = '127.0.0.77';
/** Large enough that something can happen meanwhile. */
const SOURCES = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 60_000 }) };

/** The refusals to strangers, as the job's evidence has them. */
function strangers(job: Job | undefined): [peer: string, act: StrangerAct][] {
  const seen = job?.evidence.all.filter((one): one is Seen<'stranger'> => one.kind === 'stranger') ?? [];
  return seen.map(({ peer, act }) => [peer, act]);
}

/** A device that was given the home Wi-Fi, and dials as soon as `comes` is called. */
async function provisioned(
  bench: Bench,
  options: Partial<VirtualSonoffOptions> = {},
): Promise<{ device: VirtualSonoff & { finalStageUrl: string }; comes: () => void }> {
  let comes: () => void = () => undefined;
  const called = new Promise<void>((resolve) => (comes = resolve));
  const device = await bench.factoryDevice({
    localAddress: DEVICE_AT,
    radio: {
      joinHome: async (_network, signal) => {
        await Promise.race([called, once(signal, 'abort')]);
        return DEVICE_AT;
      },
    },
    ...options,
  });
  const { apPort } = await device.start();
  await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
  return { device, comes };
}

/** Another device with the same id, on the same network. */
function impostor(bench: Bench, options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff> {
  return bench.device({ apikey: OTHER_KEY, localAddress: STRANGER_AT, ...options });
}

/** Resolves when a stranger was refused this. */
async function isRefused(bench: Bench, act: StrangerAct, from = STRANGER_AT): Promise<void> {
  const job = bench.host.jobs.openJob(DEVICE);
  while (!strangers(job).some(([peer, done]) => peer === from && done === act))
    await once(job?.evidence ?? new EventEmitter(), 'changed');
}

/** Connects as what checks whose certificate it gets: it hangs up when it has seen ours. */
async function checkCertificate(bench: Bench, localAddress: string): Promise<void> {
  const { https: port } = bench.host.ports;
  await refuseCertificate({
    host: '127.0.0.1',
    port,
    localAddress,
    limitMs: 60_000,
    signal: new AbortController().signal,
  });
}

async function waiting(bench: Bench, deviceid = DEVICE): Promise<Begun> {
  const wait = bench.begin('cloud', { deviceid });
  await wait.recorder.reported(({ state }) => state === 'waiting');
  return wait;
}

describe('flash: peers that are not the device', () => {
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
    const session = (job.finalStage = new FinalStageSession());
    const request = 'GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 192.168.4.2:8080\r\nConnection: close\r\n\r\n';
    assert.match(await ask(bench.host.ports.http, request), /^HTTP\/1\.1 404/);
    assert.deepEqual([session.deliveries, session.lastDialled], [{}, undefined]);
    assert.deepEqual(strangers(job), [['127.0.0.1', 'finalstage-image']]);
  });

  describe('that state the device id with another key', () => {
    it('take no session, end no wait and end no download of a device that was provisioned', async () => {
      const bench = await openBench();
      const { device, comes } = await provisioned(bench, { behaviours: { blockPauseMs: 1000 } });
      const wait = await waiting(bench);
      const early = await impostor(bench, { transport: 'plain', romVersion: '2.6.1' });
      await early.start();
      await isRefused(bench, 'other-key');
      await early.stop();
      comes();
      const ready = await wait.outcome;
      assert.deepEqual([ready.job.ip, ready.job.romVersion], [DEVICE_AT, '1.5.5']);
      const upgrading = bench.begin('upgrade', { deviceid: DEVICE, sources: SOURCES });
      await upgrading.recorder.reported(({ text }) => /downloads user2/.test(text));
      // Past its dispatch as well: it dials the WebSocket as a device does that was let in before.
      const late = await impostor(bench, { localAddress: OTHER_AT, behaviours: { refusesWith: 404 } });
      await late.start();
      const port = bench.host.ports.legacy;
      const answer = await registerAs(port, { deviceid: DEVICE, apikey: OTHER_KEY, localAddress: STRANGER_AT });
      assert.deepEqual([answer['error'], answer['apikey']], [404, OTHER_KEY]);
      await isRefused(bench, 'other-key', OTHER_AT);
      device.behave({ blockPauseMs: 0 });
      const { found, job } = await upgrading.outcome;
      assert.deepEqual([found['image'], found['sessions'], job.ip], ['user2', 1, DEVICE_AT]);
      assert.ok(!late.log.some((line) => line.includes('told to')), late.log.join('\n'));
      const watch = bench.begin('finalstage', { deviceid: DEVICE, url: device.finalStageUrl });
      assert.equal((await watch.outcome).job.stage, 'done');
      assert.equal((await device.ended).result, 'flashed');
      const acts = strangers(bench.host.jobs.latest(DEVICE));
      assert.deepEqual([...new Set(acts.map(([peer]) => peer))].sort(), [STRANGER_AT, OTHER_AT]);
      assert.ok(acts.every(([, act]) => act === 'other-key'));
    });

    it('are named with their addresses where nothing shows which is the device, and neither is upgraded', async () => {
      const bench = await openBench();
      const first = await bench.device({ localAddress: DEVICE_AT, behaviours: { blockPauseMs: 1000 } });
      await first.start();
      await (
        await waiting(bench)
      ).outcome;
      const second = await impostor(bench);
      const upgrading = bench.begin('upgrade', { deviceid: DEVICE, sources: SOURCES });
      await upgrading.recorder.reported(({ text }) => /downloads user2/.test(text));
      await second.start();
      const error = await assertCode(upgrading.outcome, 'device-contested');
      assert.deepEqual([error.values['peer'], error.values['other']], [DEVICE_AT, STRANGER_AT]);
      const verdict = bench.host.jobs.latest(DEVICE)?.evidence.verdict();
      assert.deepEqual([verdict?.code, verdict?.confidence], ['device-contested', 'certain']);
      assert.ok(!second.log.some((line) => line.includes('told to')), second.log.join('\n'));
      for (const stage of ['cloud', 'upgrade'] as const) {
        await assertCode(bench.begin(stage, { deviceid: DEVICE, sources: SOURCES }).outcome, 'device-contested');
      }
      assert.equal(bench.host.devices.get(DEVICE)?.peer, DEVICE_AT, 'the first one keeps its session');
    });

    it('are settled by provisioning again, whichever of the two came first', async () => {
      const bench = await openBench();
      const thief = await impostor(bench);
      await thief.start();
      await (
        await waiting(bench)
      ).outcome;
      const real = await bench.device({ localAddress: DEVICE_AT });
      const refused = once(bench.host.devices, 'refused');
      await real.start();
      await refused;
      await assertCode(bench.begin('upgrade', { deviceid: DEVICE }).outcome, 'device-contested');
      await real.stop();
      const { comes } = await provisioned(bench);
      assert.equal(bench.host.devices.get(DEVICE), undefined, 'the other one has lost its session');
      const wait = await waiting(bench);
      comes();
      assert.equal((await wait.outcome).job.ip, DEVICE_AT);
      await bench.begin('upgrade', { deviceid: DEVICE }).outcome;
    });

    it('are named where no other comes, and are taken where a person wants it', async () => {
      const bench = await openBench();
      bench.host.devices.pin(DEVICE, '00000000-1111-4222-8333-444444444444');
      const device = await bench.device();
      await device.start();
      const wait = bench.begin('cloud', { deviceid: DEVICE });
      const warned = await wait.recorder.reported(({ warning }) => warning !== undefined);
      assert.equal(warned.warning, 'device-key-differs');
      bench.host.runs.cancel('cloud', DEVICE);
      await assertCode(wait.outcome, 'cancelled');
      const { job } = await bench.begin('cloud', { deviceid: DEVICE, force: true }).outcome;
      assert.equal(job.deviceid, DEVICE);
      await bench.begin('upgrade', { deviceid: DEVICE }).outcome;
    });
  });

  it('knows its own session keys again after a restart, and keeps no key in clear', async () => {
    const folder = await mkdtemp(join(ownFolder, 'keys-'));
    const bench = await openBench();
    const settings = { ...bench.settings, httpsPort: bench.host.ports.https };
    await bench.host.close();
    const keys = new Set<string>();
    const host = async (): Promise<FlashHost> => {
      const made = new FlashHost(settings, folder, 'host');
      await made.open();
      return made;
    };
    const ready = async (on: FlashHost): Promise<void> => {
      const [connection] =
        on.devices.ready().length > 0 ? on.devices.ready() : ((await once(on.devices, 'ready')) as [DeviceConnection]);
      assert.ok(connection?.device);
      keys.add(connection.device.apikey).add(connection.sessionKey);
    };
    const first = await host();
    const provisioned = { serverName: '127.0.0.1', port: settings.httpsPort };
    const device = await bench.device({ apikey: OWN_KEY, provisioned, behaviours: { keepsSessionKey: true } });
    try {
      first.devices.pin(DEVICE, OWN_KEY);
      await device.start();
      await ready(first);
      await first.close();
      const second = await host();
      try {
        const refused: unknown[] = [];
        second.devices.on('refused', (claim) => refused.push(claim));
        await ready(second);
        assert.deepEqual(refused, []);
        assert.ok(second.devices.isPinnedTo(DEVICE, OWN_KEY));
        assert.ok(device.log.includes('server error 404'), device.log.join('\n'));
        assert.equal(keys.size, 3, 'one key of its own, and one of each session');
      } finally {
        await second.close();
      }
    } finally {
      await first.close();
      await device.stop();
      const stored = await readFile(join(folder, 'keys', 'host.json'), 'utf8');
      for (const key of keys) assert.ok(!stored.includes(key));
    }
  });

  it('refuses an image to a wrong signature once the device has signed', async () => {
    const bench = await openBench();
    const { device, comes } = await provisioned(bench, { behaviours: { blockPauseMs: 1000 } });
    comes();
    await (
      await waiting(bench)
    ).outcome;
    const upgrading = bench.begin('upgrade', { deviceid: DEVICE, sources: SOURCES });
    await upgrading.recorder.reported(({ text }) => /downloads user2/.test(text));
    for (const query of ['', `?deviceid=${DEVICE}&ts=1270216262&sign=${'0'.repeat(64)}`]) {
      const request = `GET /sonota/${DEVICE}/user2.bin${query} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4095\r\n\r\n`;
      assert.match(await ask(bench.host.ports.http, request, DEVICE_AT), /^HTTP\/1\.1 403/);
    }
    assert.deepEqual(strangers(bench.host.jobs.openJob(DEVICE)), [[DEVICE_AT, 'wrong-signature']]);
    device.behave({ blockPauseMs: 0 });
    assert.equal((await upgrading.outcome).found['requests'], Math.ceil(SOURCES.user2.length / 4096));
  });

  describe('that check certificates', () => {
    it('do not end the wait for a device, however often and from how many addresses they come', async () => {
      const bench = await openBench();
      const { comes } = await provisioned(bench);
      const wait = await waiting(bench);
      for (let times = 0; times < 5; times++) await checkCertificate(bench, STRANGER_AT);
      await checkCertificate(bench, OTHER_AT);
      const warned = await wait.recorder.reported(({ warning }) => warning !== undefined);
      assert.equal(warned.warning, 'certificate-rejected');
      const verdict = bench.host.jobs.openJob(DEVICE)?.evidence.verdict();
      assert.deepEqual([verdict?.confidence, verdict?.isFinal], ['likely', false]);
      assert.deepEqual(verdict?.values['peer'], wording('either-peer', { peer: STRANGER_AT, other: OTHER_AT }));
      comes();
      assert.equal((await wait.outcome).job.ip, DEVICE_AT);
    });

    it('do not end it either as the only ones that come, where they say hello as no device does', async () => {
      const bench = await openBench();
      const { comes } = await provisioned(bench);
      bench.host.jobs.openJob(DEVICE)!.evidence.patience = { ...PATIENCE, refusalSpanMs: 0 };
      const wait = await waiting(bench);
      for (let times = 0; times < 5; times++) await checkAsMonitor(bench.host.ports.https, STRANGER_AT);
      const { evidence } = bench.host.jobs.openJob(DEVICE)!;
      const refusals = (): number => evidence.all.filter((seen) => seen.kind === 'tls-failed' && seen.isModern).length;
      while (refusals() < 5) await once(evidence, 'changed');
      comes();
      assert.equal((await wait.outcome).job.ip, DEVICE_AT);
    });

    it('end one wait only where two devices are waited for', async () => {
      const bench = await openBench();
      const other = await waiting(bench, '1000000002');
      const { comes } = await provisioned(bench, { transport: 'verifying' });
      const wait = await waiting(bench);
      comes();
      await wait.recorder.reported(({ warning }) => warning === 'certificate-rejected');
      const healthy = await bench.device({ deviceid: '1000000002', localAddress: OTHER_AT });
      await healthy.start();
      assert.equal((await other.outcome).job.deviceid, '1000000002');
      await assertCode(wait.outcome, 'certificate-rejected');
    });
  });
});
