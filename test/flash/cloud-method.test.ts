import assert from 'node:assert/strict';
import { cloud } from '../../lib/flash/stage/cloud';
import { requireCloudMethod } from '../../lib/flash/stage/cloud-method';
import { methodOf } from '../../lib/protocol/compatibility';
import type { StageOutcome } from '../../lib/flash/job/pending-message';
import { closeBenches, openBench } from './bench';
import { assertCode } from './refusals';

const TOO_NEW = { deviceid: '1000a1b2c3', model: 'ITA-GZ1-GL', romVersion: '3.5.0' };

describe('flash/cloud-road', () => {
  afterEach(closeBenches);

  it('lets a device pass whose firmware takes the upgrade, and an unknown one', () => {
    assert.equal(requireCloudMethod({ ...TOO_NEW, romVersion: '1.5.5' }).method, 'cloud');
    assert.equal(requireCloudMethod({ ...TOO_NEW, romVersion: 'beta' }).method, 'unknown');
  });

  it('refuses one whose firmware does not, with the reason', async () => {
    const refused = async (): Promise<unknown> => requireCloudMethod(TOO_NEW);
    const error = await assertCode(refused(), 'device-not-supported');
    assert.deepEqual(error.values, { ...TOO_NEW, reason: methodOf(TOO_NEW).reason });
    assert.match(error.values.reason?.text ?? '', /DIY mode/);
  });

  it('continues with it on demand, and names the known method', async () => {
    const bench = await openBench();
    const device = await bench.device({ romVersion: '3.5.0' });
    await device.start();
    const recorder = bench.recorder('forced');
    const pending = bench.host.runs.begin({
      nodeId: 'forced',
      stage: 'cloud',
      message: {},
      deviceid: device.deviceid,
      findJob: () => bench.host.jobs.jobFor('cloud', device.deviceid),
      run: (context) => cloud(context, bench.host, { timeoutSeconds: 20, deviceid: device.deviceid, force: true }),
    });
    const { found } = (await recorder.outcome(pending)) as StageOutcome;
    const { reason: roadReason, level: compatibility } = methodOf({ ...TOO_NEW, deviceid: device.deviceid });
    assert.deepEqual(found, { via: 'tls', ip: '127.0.0.1', road: 'diy', roadReason, compatibility });
    assert.match(roadReason.text, /DIY mode/);
  });

  it('names the method for a device that may pass', async () => {
    const bench = await openBench();
    const device = await bench.device({ model: 'PSC-B01-GL', romVersion: '2.0.2', transport: 'plain' });
    await device.start();
    const { found } = await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    assert.deepEqual([found['via'], found['road'], found['compatibility']], ['plain', 'cloud-http', 'supported']);
  });
});
