import assert from 'node:assert/strict';
import { Job } from '../../lib/flash/job/job';
import { reportLine, reportOf } from '../../lib/flash/job/report-line';
import { DIY } from '../../lib/flash/routes';

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1000);

describe('flash/job/report-line', () => {
  /** A flash in DIY mode that has left its first stage after 12 s. */
  function flashing(): Job {
    const job = new Job('provision', '10000a1b2c', at(0));
    job.enter('provision', at(0));
    job.learn({ model: 'PSF-BD1-GL', romVersion: '3.7.6', ip: '192.168.1.9', mac: '5C:CF:7F:01:02:03' });
    job.route = DIY;
    job.found('provision', { deviceid: '10000a1b2c', ssid: 'my home' });
    job.leave('provision', at(12));
    job.enter('diy', at(15));
    return job;
  }

  it('states model, firmware, method and the times of what has ended', () => {
    const seconds = { provision: 12 };
    const facts = { model: 'PSF-BD1-GL', firmware: '3.7.6', method: 'diy' };
    assert.deepEqual(reportOf(flashing().snapshot()), { ...facts, outcome: 'running', seconds });
  });

  it('reports how it ended', () => {
    const job = flashing();
    job.fail('diy-locked', at(20));
    assert.deepEqual(reportOf(job.snapshot()).outcome, 'diy-locked');
    assert.deepEqual(reportOf(job.snapshot()).seconds, { provision: 12, diy: 5 });
    const other = flashing();
    other.leave('diy', at(60));
    other.enter('newfirmware', at(60));
    other.leave('newfirmware', at(90));
    assert.deepEqual(reportOf(other.snapshot()).outcome, 'flashed');
  });

  it('is one line, in which nothing leads to the device, its network or its owner', () => {
    const line = reportLine(flashing().snapshot());
    assert.doesNotMatch(line, /\n/);
    for (const secret of ['10000a1b2c', '192.168', '5C:CF', 'my home', '2027']) assert.ok(!line.includes(secret), line);
  });

  it('counts whole seconds, and none where the clock was put back', () => {
    const job = new Job('provision', undefined, at(0));
    job.enter('provision', at(0));
    job.leave('provision', at(1.5));
    job.enter('cloud', at(10));
    job.leave('cloud', at(9));
    job.enter('upgrade', at(20));
    job.fail('download-failed', at(21.4));
    assert.deepEqual(reportOf(job.snapshot()), {
      ...{ model: 'unknown', firmware: 'unknown', method: 'unknown', outcome: 'download-failed' },
      seconds: { provision: 2, cloud: 0, upgrade: 1 },
    });
  });

  it('states a model and a version of up to 32 plain characters', () => {
    const job = new Job('cloud');
    const [model, romVersion] = ['A-z_0.9 B', '1'.repeat(32)];
    job.learn({ model, romVersion });
    const line = JSON.parse(reportLine(job.snapshot())) as unknown;
    assert.deepEqual(line, { model, firmware: romVersion, method: 'unknown', outcome: 'running', seconds: {} });
  });

  it('repeats nothing of a device that is no model or version', () => {
    const job = new Job('cloud', '10000a1b2c');
    job.enter('cloud');
    job.learn({ model: 'mine\nssid: home', romVersion: '1'.repeat(33) });
    const { model, firmware, method } = reportOf(job.snapshot());
    assert.deepEqual([model, firmware, method], ['unknown', 'unknown', 'unknown']);
  });
});
