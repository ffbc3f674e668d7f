import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Job } from '../../../lib/flash/job/job';
import { DIY } from '../../../lib/flash/routes';
import { coachPowerCycle, refuseAfterWrongDigest } from '../../../lib/flash/routes/diy-rescue';
import type { NewObservation } from '../../../lib/flash/observation';
import { useHttpServers } from '../../shared/http-server';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { closeBenches, openBench } from '../bench';
import { assertCode } from '../refusals';

const DEVICE = '10000a1b2c';
/** A person would not be as fast. */
const FAST = { rescueOffMs: 3, rescueStepMs: 1 };
const NEVER = new AbortController().signal;

describe('flash/stage/diy/rescue', () => {
  const servers = useHttpServers();
  afterEach(async () => {
    timeGoesOn();
    await closeBenches();
  });

  it('counts 30 s without power, six turns, and the seventh start', async () => {
    const said: unknown[] = [];
    await coachPowerCycle((name, values = {}) => said.push([name, values]), FAST, NEVER);
    const turns = [1, 2, 3, 4, 5, 6].flatMap((cycle) => [
      ['rescue-on', { cycle, cycles: 6 }],
      ['rescue-cut', { cycle, cycles: 6 }],
    ]);
    assert.deepEqual(said, [['rescue-off', { seconds: 1 }], ...turns, ['rescue-stay-on', {}]]);
  });

  it('counts the seconds without power down', async () => {
    const said: unknown[] = [];
    const ended = new AbortController();
    const report = (name: string, values: object = {}): void => {
      said.push([name, values]);
      ended.abort(new Error('enough'));
    };
    await assert.rejects(coachPowerCycle(report, { rescueOffMs: 30_000, rescueStepMs: 1 }, ended.signal), /enough/);
    assert.deepEqual(said, [['rescue-off', { seconds: 30 }]]);
  });

  it('coaches at the new firmware, and stops as soon as that shows itself', async () => {
    // Longer than the stage is silent otherwise.
    const bench = await openBench({}, { rescueOffMs: 2500, rescueStepMs: 5 });
    const job = bench.host.jobs.jobFor('diy', DEVICE);
    job.route = DIY;
    const port = await freePort();
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: `http://127.0.0.1:${port}`, rescue: true });
    await stage.recorder.reported(({ name }) => name === 'rescue-stay-on');
    await servers.serveAt(port, (_request, response) => {
      response.setHeader('Server', 'Tasmota/14.1.0 (ESP8266EX)');
      response.end('<title>Tasmota - Main Menu</title>');
    });
    assert.equal((await stage.outcome).found['kind'], 'tasmota');
    const names = stage.said.map(({ name }) => name);
    const coached = names.slice(names.indexOf('rescue-off'), names.indexOf('rescue-stay-on'));
    assert.ok(
      coached.every((name) => name.startsWith('rescue-')),
      coached.join(),
    );
  });

  it('stops in the middle of the coaching, too', async () => {
    const bench = await openBench({}, { rescueOffMs: 600_000 });
    bench.host.jobs.jobFor('diy', DEVICE).route = DIY;
    const port = await freePort();
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: `http://127.0.0.1:${port}`, rescue: true });
    await stage.recorder.reported(({ name }) => name === 'rescue-off');
    await servers.serveAt(port, (_request, response) => {
      response.setHeader('Server', 'Tasmota/14.1.0 (ESP8266EX)');
      response.end('<title>Tasmota - Main Menu</title>');
    });
    await stage.outcome;
    assert.equal(stage.said.at(-1)?.name, 'new-firmware-here');
  });

  it('coaches only on demand, and says at the limit how to ask', async () => {
    const bench = await openBench({}, { rescueOffMs: 5, rescueStepMs: 5 });
    bench.host.jobs.jobFor('diy', DEVICE).route = DIY;
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: `http://127.0.0.1:${await freePort()}` });
    await stage.overAs('diy-silent');
    const error = await assertCode(stage.outcome, 'diy-silent');
    assert.match(error.message, /msg\.rescue = true/);
    assert.ok(!stage.said.some(({ name }) => name.startsWith('rescue-')));
  });

  it('is silent while a person is coached, and says again what it waits for a minute after that', async () => {
    const bench = await openBench({}, { rescueOffMs: 1000, rescueStepMs: 1000 });
    bench.host.jobs.jobFor('diy', DEVICE).route = DIY;
    const port = await freePort();
    timeStands(['setTimeout', 'setInterval']);
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: `http://127.0.0.1:${port}`, rescue: true });
    const names = (): string[] => stage.said.map(({ name }) => name);
    const secondsUntil = async (isSo: () => boolean): Promise<number> => {
      let seconds = 0;
      for (; !isSo(); seconds++) {
        timePasses(1000);
        for (let turn = 0; turn < 10; turn++) await nextTurn();
      }
      return seconds;
    };
    await secondsUntil(() => names().includes('rescue-stay-on'));
    assert.ok(!names().slice(names().indexOf('rescue-off')).includes('wait-for-new-firmware'), names().join());
    const seconds = await secondsUntil(() => names().at(-1) === 'wait-for-new-firmware');
    assert.ok(seconds >= 60 && seconds <= 62, `${seconds}`);
    bench.host.runs.cancel('newfirmware');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('coaches after the flash of another device that ended with a wrong digest', async () => {
    const bench = await openBench({}, FAST);
    bench.host.jobs.jobFor('diy', DEVICE).route = DIY;
    bench.host.jobs.jobFor('diy', '10000a1b2d').evidence.add({
      ...{ kind: 'command', command: 'ota_flash', result: 'refused', error: 471 },
    });
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('newfirmware', { deviceid: DEVICE, url, rescue: true });
    await stage.recorder.reported(({ name }) => name === 'rescue-stay-on');
    bench.host.runs.cancel('newfirmware');
    await assertCode(stage.outcome, 'cancelled');
  });

  describe('after a wrong digest', () => {
    const refused = (error: number): NewObservation => ({
      ...{ kind: 'command', command: 'ota_flash', result: 'refused' },
      error,
    });
    const reported = (error: number): NewObservation => ({ kind: 'result-reported', error });

    function jobsOf(...jobs: NewObservation[][]): Job[] {
      return jobs.map((seen) => {
        const job = new Job('diy', DEVICE);
        for (const one of seen) job.evidence.add(one);
        return job;
      });
    }

    for (const [what, jobs] of [
      ['471 was answered', [[refused(471)]]],
      ['409 was reported', [[reported(409)]]],
      ['the newest flash ended so', [[reported(0)], [refused(471)]]],
    ] as const) {
      it(`asks for no power cut where ${what}`, () => {
        assert.throws(() => refuseAfterWrongDigest(jobsOf(...jobs.map((one) => [...one])), DEVICE), {
          code: 'diy-digest-differs',
        });
      });
    }

    for (const [what, jobs] of [
      ['nothing is known', []],
      ['it was flashed again since', [[refused(471)], [reported(0)]]],
      ['the download failed for another reason', [[refused(424)], [reported(404)]]],
    ] as const) {
      it(`coaches where ${what}`, () => refuseAfterWrongDigest(jobsOf(...jobs.map((one) => [...one])), DEVICE));
    }

    it('ends the stage before anything is said', async () => {
      const bench = await openBench({}, FAST);
      bench.host.jobs.jobFor('diy', DEVICE).evidence.add(refused(471));
      const stage = bench.begin('newfirmware', { deviceid: DEVICE, url: 'http://127.0.0.1:1', rescue: true });
      await assertCode(stage.outcome, 'diy-digest-differs');
      assert.ok(!stage.said.some(({ name }) => name.startsWith('rescue-')));
    });
  });
});
