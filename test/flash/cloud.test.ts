import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeBenches, HOME, openBench } from './bench';
import { assertCode } from './refusals';

describe('flash/stage/cloud', () => {
  afterEach(closeBenches);

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
