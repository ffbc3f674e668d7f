import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { methodOf } from '../../lib/protocol/compatibility';
import { closeAll, RawClient } from '../server/serving';
import { WebSocketDevice } from '../server/websocket-device';
import { closeBenches, HOME, openBench, type Bench } from './bench';
import { assertCode } from './refusals';
import { ask } from './stranger';

const DEVICE = '1000a1b2c3';

describe('flash/stage/cloud', () => {
  afterEach(closeAll);
  afterEach(closeBenches);

  /** What a device says first, and nothing more. */
  async function dispatch({ host }: Bench, statement: { apikey: string } & Record<string, string>, from: string) {
    const body = JSON.stringify({ deviceid: DEVICE, model: 'ITA-GZ1-GL', romVersion: '1.5.5', ...statement });
    const head = `POST /dispatch/device HTTP/1.1\r\nHost: x\r\nContent-Type: application/json`;
    return await ask(host.ports.legacy, `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, from);
  }

  it('ends with nothing-arrived where the device has a wrong Wi-Fi password', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ fault: 'wrong-wifi-password' });
    const { apPort } = await device.start();
    await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
    const stage = bench.begin('cloud', { deviceid: device.deviceid, timeoutSeconds: 0.5 });
    const error = await assertCode(stage.outcome, 'nothing-arrived');
    assert.equal(error.values['ports'], `${bench.host.ports.https} and ${bench.host.ports.legacy}`);
    assert.equal(bench.host.jobs.latest(device.deviceid)?.stage, 'failed');
  });

  it('says that a device checks certificates as soon as that is certain', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ transport: 'verifying' });
    const { apPort } = await device.start();
    await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
    const stage = bench.begin('cloud', { deviceid: device.deviceid });
    const warned = await stage.recorder.reported(({ warning }) => warning !== undefined);
    assert.equal(warned.warning, 'certificate-rejected');
    await assertCode(stage.outcome, 'certificate-rejected');
  });

  it('ends with message-malformed where the dispatch is garbage; another device is flashed undisturbed', async () => {
    const bench = await openBench();
    const garbled = await bench.device({ deviceid: '1000bad000', fault: 'garbage-dispatch' });
    const healthy = await bench.device({ deviceid: '1000a1b2c3' });
    await garbled.start();
    const stage = bench.begin('cloud', { deviceid: '1000bad000' });
    await stage.recorder.reported(({ warning }) => warning === 'message-malformed');
    const upgraded = await bench.upgraded(healthy);
    assert.equal(upgraded.found['sessions'], 1);
    await stage.over();
    await assertCode(stage.outcome, 'message-malformed');
  });

  it('passes over garbage between the messages of a session', async () => {
    const bench = await openBench();
    const device = await bench.device({ fault: 'garbage' });
    const upgraded = await bench.upgraded(device);
    assert.equal(upgraded.found['image'], 'user2');
  });

  it('says immediately that a firmware cannot be flashed this way', async () => {
    const bench = await openBench();
    const device = await bench.device({ romVersion: '3.5.0' });
    await device.start();
    const stage = bench.begin('cloud', { deviceid: device.deviceid });
    const error = await assertCode(stage.outcome, 'device-not-supported');
    assert.equal(error.values['romVersion'], '3.5.0');
  });

  it('says that with the first word of a device, before it has a session', async () => {
    const bench = await openBench();
    bench.host.devices.pin(DEVICE, 'own');
    const stage = bench.begin('cloud', { deviceid: DEVICE });
    await stage.job();
    await dispatch(bench, { apikey: 'own', romVersion: '3.5.0' }, '127.0.0.7');
    const { values } = await assertCode(stage.outcome, 'device-not-supported');
    const device = { deviceid: DEVICE, model: 'ITA-GZ1-GL', romVersion: '3.5.0' };
    const { deviceid, model, romVersion, reason } = values;
    assert.deepEqual({ deviceid, model, romVersion, reason }, { ...device, reason: methodOf(device).reason });
  });

  it('ends as soon as two peers state its id with different keys, before either has a session', async () => {
    const bench = await openBench();
    const stage = bench.begin('cloud', { deviceid: DEVICE });
    const { evidence } = await stage.job();
    await dispatch(bench, { apikey: 'one' }, '127.0.0.7');
    await dispatch(bench, { apikey: 'another' }, '127.0.0.8');
    const { values } = await assertCode(stage.outcome, 'device-contested');
    assert.deepEqual(values, { deviceid: DEVICE, peer: '127.0.0.7', other: '127.0.0.8' });
    assert.deepEqual(
      evidence.all.flatMap((seen) => (seen.kind === 'stranger' ? [{ ...seen, at: 0 }] : [])),
      [{ at: 0, kind: 'stranger', peer: '127.0.0.8', act: 'second-key', rival: '127.0.0.7' }],
      'noted once',
    );
  });

  for (const deviceid of [DEVICE, undefined]) {
    it(`waits for a device that has registered until it is ready, ${deviceid ? 'which is named' : 'where none is named'}`, async () => {
      const bench = await openBench();
      const { device } = await WebSocketDevice.open(await RawClient.to(bench.host.ports.legacy));
      await device.register(DEVICE);
      const stage = bench.begin('cloud', deviceid === undefined ? {} : { deviceid });
      await stage.job();
      // It looks again with the first word of another one.
      await dispatch(bench, { deviceid: '1000ffffff', apikey: 'other' }, '127.0.0.7');
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.equal(stage.recorder.outcomes.size, 0);
      await device.asks(DEVICE);
      const { found, job } = await stage.outcome;
      assert.deepEqual([found['via'], found['ip'], job.deviceid], ['plain', '127.0.0.9', DEVICE]);
    });
  }

  it('names no address where none is known that a device could dial', async () => {
    const bench = await openBench();
    Object.defineProperty(bench.host, 'address', { value: undefined });
    const asked = new Set<string>();
    bench.around.ownAddresses = (url) => {
      asked.add(url);
      return [];
    };
    for (const [deviceid, said] of [
      [DEVICE, { name: 'wait-for-device', values: { deviceid: DEVICE, address: '?' }, fraction: 0 }],
      [undefined, { name: 'wait-for-any-device', values: { address: '?' }, fraction: 0 }],
    ] as const) {
      const stage = bench.begin('cloud', { ...(deviceid ? { deviceid } : {}), nodeId: said.name });
      const [began] = (await stage.job()).evidence.all;
      assert.equal(began?.kind === 'stage' && began.event === 'began' && began.address, 'unknown');
      assert.deepEqual(stage.said, [said]);
      bench.host.runs.cancel(said.name);
      await assertCode(stage.outcome, 'cancelled');
    }
    assert.deepEqual([...asked], ['http://unknown']);
  });

  it('takes whichever device comes next where none is named', async () => {
    const bench = await openBench();
    const stage = bench.begin('cloud');
    assert.equal(bench.host.jobs.all().length, 0, 'a job begins with its stage');
    const device = await bench.device({ deviceid: '1000c0ffee' });
    await device.start();
    const { job } = await stage.outcome;
    assert.equal(job.deviceid, '1000c0ffee');
    assert.equal(job.model, 'ITA-GZ1-GL');
    assert.equal(job.romVersion, '1.5.5');
    assert.match(job.stages.cloud?.endedAt ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('gives two waits without a name two devices', async () => {
    const bench = await openBench();
    const stages = [bench.begin('cloud'), bench.begin('cloud')];
    for (const deviceid of ['1000000001', '1000000002']) await (await bench.device({ deviceid })).start();
    const jobs = await Promise.all(stages.map(({ outcome }) => outcome));
    assert.deepEqual(jobs.map(({ job }) => job.deviceid).sort(), ['1000000001', '1000000002']);
  });

  it('ends with device-timeout where something dialled, but the device never got ready', async () => {
    const bench = await openBench();
    const other = await bench.device({ deviceid: '1000000001' });
    const stage = bench.begin('cloud', { deviceid: '1000999999' });
    await other.start();
    await once(bench.host.devices, 'ready');
    await stage.over();
    const error = await assertCode(stage.outcome, 'device-timeout');
    assert.equal(error.values['deviceid'], '1000999999');
  });

  it('is cancelled, for one device and not for another', async () => {
    const bench = await openBench();
    const one = bench.begin('cloud', { deviceid: '1000000001' });
    const other = bench.begin('cloud', { deviceid: '1000000002' });
    for (const deviceid of ['1000000001', '1000000002']) {
      await one.recorder.reported(({ state, values }) => state === 'waiting' && values['deviceid'] === deviceid);
    }
    bench.host.runs.cancel('cloud', '1000000001');
    await assertCode(one.outcome, 'cancelled');
    assert.equal(bench.host.jobs.openJob('1000000002')?.stage, 'cloud');
    const device = await bench.device({ deviceid: '1000000002' });
    await device.start();
    assert.equal((await other.outcome).job.deviceid, '1000000002');
  });
});
