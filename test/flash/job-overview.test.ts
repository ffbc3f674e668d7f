import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import type { LoadedImage } from '../../lib/firmware/firmware';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { Job } from '../../lib/flash/job/job';
import { reportLine } from '../../lib/flash/job/report-line';
import type { NextStep } from '../../lib/flash/next-step/next-steps';
import { overviewOf, type JobOverview } from '../../lib/flash/overview/job-overview';
import { DIY } from '../../lib/flash/routes';
import { makeFinalImage } from '../../lib/image';
import { progressText } from '../../lib/progress-texts';

const ID = '1000a1b2c3';
const STARTED = new Date(1_000_000);
const at = (ms: number): string => new Date(ms).toISOString();

describe('flash/overview/job-overview', () => {
  /** What is shown of a job of which nothing is known yet. */
  function nothingOf(job: Job): JobOverview {
    return {
      ...{ id: job.id, deviceid: null, model: null, romVersion: null, method: undefined, stage: 'cloud', percent: 0 },
      ...{ lastStage: 'cloud', startedAt: at(1_000_000), endedAt: undefined, verdict: undefined, says: undefined },
      ...{ isHandNeeded: false, waitEndsAt: undefined, networkClosesAt: undefined, firmware: undefined },
      ...{ pageUrl: undefined, nextStep: undefined, canGiveWifi: false, lastRequest: undefined },
      ...{ line: reportLine(job.snapshot()), canCancel: false, canRetry: false, canForget: true },
    };
  }

  /** A job that has ended well, with this final image. */
  function done(text = 'Theo Arends'): Job {
    const job = new Job('newfirmware', ID, STARTED);
    job.route = DIY;
    job.firmware = { final: { bytes: makeFinalImage({ size: 8192, text }) } as LoadedImage };
    job.enter('newfirmware', STARTED);
    job.found('newfirmware', { url: 'http://192.0.2.7' });
    job.leave('newfirmware', new Date(2_000_000));
    return job;
  }

  it('shows no more of a job than is known', () => {
    const job = new Job('cloud', undefined, STARTED);
    assert.deepEqual(overviewOf(job, true), nothingOf(job), 'nothing is there to try again');
  });

  it('shows of a job at work what it is, what it says and until when it waits', () => {
    const job = new Job('provision', ID, STARTED);
    job.enter('provision', STARTED);
    job.running = new AbortController();
    job.learn({ model: 'PSF-B04-GL', romVersion: '1.5.5' });
    job.evidence.add({ kind: 'stage', stage: 'provision', event: 'began', seconds: 600 }, 1_000_000);
    job.evidence.add({ kind: 'ap-looked', result: 'silent', joined: true }, 1_001_000);
    job.evidence.add({ kind: 'provisioned', answer: 'accepted' }, 1_002_000);
    job.lastReport = { name: 'wait-for-ap', values: {} };
    const { code, confidence, text, values } = job.evidence.verdict();
    assert.deepEqual(overviewOf(job, true), {
      ...nothingOf(job),
      ...{ deviceid: ID, model: 'PSF-B04-GL', romVersion: '1.5.5', method: 'cloud' },
      ...{ stage: 'provision', lastStage: 'provision', verdict: { code, confidence, text, values } },
      says: { name: 'wait-for-ap', values: {}, ...progressTextOf('wait-for-ap') },
      ...{ isHandNeeded: true, waitEndsAt: at(1_600_000), networkClosesAt: at(1_181_000) },
      lastRequest: { at: at(1_002_000), name: 'provisioned', values: {}, text: 'took the Wi-Fi settings' },
      ...{ canCancel: true, canForget: false },
    });
    job.lastReport = { name: 'send-wifi', values: { deviceid: ID } };
    const { isHandNeeded, waitEndsAt, says } = overviewOf(job, false);
    assert.deepEqual([isHandNeeded, waitEndsAt], [false, undefined]);
    assert.deepEqual(says, { ...job.lastReport, ...progressTextOf('send-wifi', { deviceid: ID }) });
  });

  it('names the method for the model, and ends no job between two stages', () => {
    const job = new Job('cloud', ID, STARTED);
    job.learn({ model: 'PSA-BHA-GL', romVersion: '2.0.1' });
    job.enter('cloud', STARTED);
    job.leave('cloud', new Date(2_000_000));
    const { method, endedAt } = overviewOf(job, false);
    assert.deepEqual([method, endedAt], ['cloud-http', undefined]);
  });

  it('shows of a job that failed why and where, and whether that can be tried again', () => {
    const job = new Job('cloud', ID, STARTED);
    job.enter('cloud', STARTED);
    job.fail('device-timeout', new Date(2_000_000));
    const expected: JobOverview = {
      ...nothingOf(job),
      ...{ deviceid: ID, stage: 'failed', percent: 10, error: 'device-timeout', endedAt: at(2_000_000) },
      canRetry: true,
    };
    assert.deepEqual(overviewOf(job, true), expected);
    assert.deepEqual(overviewOf(job, false), { ...expected, canRetry: false });
  });

  it('shows of a job whose device may be in FinalStage that it cannot be forgotten', () => {
    const job = new Job('finalstage', ID, STARTED);
    job.finalStage = new FinalStageSession();
    assert.deepEqual([overviewOf(job, false).canForget, overviewOf(job, false).canCancel], [false, false]);
  });

  it('shows of a job that is done the new firmware and its page, and that it can be given the Wi-Fi', () => {
    const job = done();
    assert.deepEqual(overviewOf(job, true), {
      ...nothingOf(job),
      ...{ deviceid: ID, stage: 'done', lastStage: 'newfirmware', percent: 100, endedAt: at(2_000_000) },
      ...{ firmware: 'tasmota', pageUrl: 'http://192.0.2.7', canGiveWifi: true },
    });
    assert.equal(overviewOf(done('something else'), true).canGiveWifi, false);
    const failed = done();
    const open = new Job('newfirmware', ID, STARTED);
    open.firmware = failed.firmware;
    assert.deepEqual([overviewOf(open, true).firmware, overviewOf(open, true).canGiveWifi], ['tasmota', false]);
  });

  const error = new FlashError('portal-unreachable', { url: 'http://192.168.4.1', seconds: 300 });
  for (const [what, step, shown] of [
    ['runs', { state: 'running' }, { canGiveWifi: false, canCancel: true, nextStep: { state: 'running' } }],
    [
      'says what it does',
      { state: 'running', lastReport: { name: 'wait-for-ap', values: {} } },
      {
        ...{ canGiveWifi: false, canCancel: true, nextStep: { state: 'running' }, isHandNeeded: true },
        says: { name: 'wait-for-ap', values: {}, ...progressTextOf('wait-for-ap') },
      },
    ],
    [
      'is done',
      { state: 'done', url: 'http://192.0.2.8' },
      { canGiveWifi: false, nextStep: { state: 'done' }, pageUrl: 'http://192.0.2.8' },
    ],
    [
      'failed',
      { state: 'failed', error },
      {
        canGiveWifi: true,
        nextStep: { state: 'failed', error: { code: error.code, text: error.message, values: error.values } },
      },
    ],
  ] as const satisfies [string, NextStep, Partial<JobOverview>][]) {
    it(`shows of a job whose step behind it ${what}`, () => {
      const job = done();
      assert.deepEqual(overviewOf(job, true, step), { ...overviewOf(job, true), ...shown });
    });
  }

  function progressTextOf(...of: Parameters<typeof progressText>): { text: string; details?: string } {
    const { text, details } = progressText(...of);
    return details === undefined ? { text } : { text, details };
  }
});
