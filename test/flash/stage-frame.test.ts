import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { Job } from '../../lib/flash/job/job';
import type { NewObservation, Observation } from '../../lib/flash/observation';
import { recorded, throwIfFinal, watchTrouble, whyOver } from '../../lib/flash/stage/stage-frame';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';
const PEER = '192.168.1.30';

describe('flash/stage/stage-frame', () => {
  afterEach(timeGoesOn);

  const began = { stage: 'cloud', seconds: 600, deviceid: DEVICE, ports: '443', address: '192.168.1.2' } as const;

  /** A job that waits for its device. */
  function waiting(): Job {
    const job = new Job('cloud', DEVICE);
    job.evidence.add({ kind: 'stage', event: 'began', ...began });
    return job;
  }

  /** A handshake that our own TLS refuses: trouble, but no end. */
  const refusedHere: NewObservation = {
    ...{ kind: 'tls-failed', peer: PEER, failure: 'refused-here', code: 'ERR_SSL_NO_SHARED_CIPHER' },
    ...{ reason: wording('no-answer-in-time'), helloSeen: true },
  };

  function withoutTimes(all: readonly Observation[]): object[] {
    return all.map(({ at: _, ...one }) => one);
  }

  describe('while a stage waits', () => {
    /** What was told of a job, by code, until `stop`. */
    function watched(job: Job, isHeld?: () => boolean): { told: (string | undefined)[]; stop: () => void } {
      timeStands(['setTimeout', 'setInterval', 'Date'], 1_700_000_000_000);
      const told: (string | undefined)[] = [];
      return { told, stop: watchTrouble(job, (trouble) => told.push(trouble?.code), isHeld) };
    }

    it('reports within a second, and once, what becomes trouble by time alone, and that it has passed', () => {
      timeStands(['Date'], 1_700_000_000_000);
      const job = waiting();
      timeGoesOn();
      const { told, stop } = watched(job);
      timePasses(PATIENCE.nothingArrivedMs - 1);
      assert.deepEqual(told, []);
      timePasses(1000);
      assert.deepEqual(told, ['nothing-arrived']);
      timePasses(60_000);
      assert.deepEqual(told, ['nothing-arrived'], 'the same again is no news');
      job.evidence.add({ kind: 'dialled', peer: PEER, port: 'tls' });
      assert.deepEqual(told, ['nothing-arrived', undefined]);
      stop();
    });

    it('reports no trouble while that is held back, and afterwards what is left of it', () => {
      const job = waiting();
      let isHeld = true;
      const { told, stop } = watched(job, () => isHeld);
      job.evidence.add(refusedHere);
      timePasses(5000);
      assert.deepEqual(told, []);
      isHeld = false;
      timePasses(1000);
      assert.deepEqual(told, ['tls-refused']);
      stop();
    });

    it('reports at its end what came last, and nothing from then on', () => {
      const job = waiting();
      const { told, stop } = watched(job);
      job.evidence.add({ kind: 'addresses', addresses: [] });
      job.evidence.add(refusedHere);
      assert.deepEqual(told, [], 'in portions');
      stop();
      assert.deepEqual(told, ['tls-refused']);
      assert.equal(job.evidence.listenerCount('changed'), 1, 'that of the job itself');
      job.evidence.add({ kind: 'malformed', peer: PEER, reason: wording('not-json') });
      timePasses(PATIENCE.nothingArrivedMs);
      assert.deepEqual(told, ['tls-refused']);
    });
  });

  it('ends a wait for what is certain alone', () => {
    const job = waiting();
    job.evidence.add(refusedHere);
    assert.equal(job.evidence.verdict().code, 'tls-refused');
    assert.equal(throwIfFinal(job), undefined);
    job.evidence.add({
      ...{ kind: 'dispatched', peer: PEER, via: 'tls', isProven: true },
      ...{ deviceid: DEVICE, model: 'ITA-GZ1-GL', romVersion: '3.5.0' },
    });
    assert.throws(() => throwIfFinal(job), { code: 'device-not-supported', values: job.evidence.verdict().values });
  });

  it('says at the end of the time what the evidence says then', () => {
    const job = waiting();
    const error = whyOver(job, 'cloud');
    assert.equal(error.code, 'nothing-arrived');
    const { deviceid, seconds, address, ports } = error.values;
    assert.deepEqual([deviceid, seconds, address, ports], [DEVICE, 600, '192.168.1.2', '443']);
    assert.deepEqual(withoutTimes(job.evidence.all.slice(1)), [{ kind: 'stage', stage: 'cloud', event: 'over' }]);
  });

  it('says at the end of the time that nothing explains it where all was well', () => {
    const job = waiting();
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'over' });
    job.evidence.verdict = () => ({ ...waiting().evidence.verdict(), code: 'on-course' });
    const { code, values } = whyOver(job, 'cloud');
    assert.deepEqual([code, values], ['unexplained', { reason: wording('time-over-unseen') }]);
  });

  describe('keeps in the evidence', () => {
    const context = (job: Job): Parameters<typeof recorded>[0] => ({
      ...{ job, signal: new AbortController().signal },
      report: () => undefined,
    });

    it('how a stage began, and that it ended well, with what it found', async () => {
      const job = new Job('cloud', DEVICE);
      assert.equal(await recorded(context(job), began, async () => 'found'), 'found');
      assert.deepEqual(withoutTimes(job.evidence.all), [
        { kind: 'stage', event: 'began', ...began },
        { kind: 'stage', stage: 'cloud', event: 'ended' },
      ]);
    });

    it('with what it failed, in a word and with its values', async () => {
      const job = new Job('cloud', DEVICE);
      const values = { port: 80, bind: '127.0.0.1', reason: wording('no-answer-in-time') };
      const failing = recorded(context(job), began, async () => {
        throw new FlashError('port-in-use', values);
      });
      await assertCode(failing, 'port-in-use');
      const [, failed] = withoutTimes(job.evidence.all);
      assert.deepEqual(failed, { kind: 'stage', stage: 'cloud', event: 'failed', code: 'port-in-use', values });
    });
  });
});
