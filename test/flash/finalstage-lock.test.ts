import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashError } from '../../lib/errors';
import { FinalStageLock } from '../../lib/flash/job/finalstage-lock';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { freePort } from '../shared/ports';
import { assertCode } from './refusals';

describe('flash/host/finalstage-turn', () => {
  let jobs: JobRegistry;
  let turn: FinalStageLock;
  /** Devices in the order in which they had the lock, and the reports to those that wait. */
  let order: string[];
  beforeEach(() => {
    jobs = new JobRegistry();
    turn = new FinalStageLock(jobs);
    order = [];
  });

  function jobOf(deviceid: string): Job {
    const job = jobs.jobFor('upgrade', deviceid);
    job.route = FINALSTAGE;
    job.enter('upgrade');
    return job;
  }

  function take(job: Job, signal = new AbortController().signal): Promise<unknown> {
    const { deviceid = '?' } = job;
    return turn
      .acquire(job, signal, (holder) => order.push(`${deviceid} waits for ${holder.deviceid}`))
      .then(() => order.push(deviceid));
  }

  it('is given to one device at a time, in the order in which they asked, until FinalStage is over', async () => {
    const [a, b, c] = [jobOf('a'), jobOf('b'), jobOf('c')];
    const taken = [take(a), take(b), take(c)];
    await nextTurn();
    assert.deepEqual(order.splice(0), ['b waits for a', 'c waits for a', 'a']);
    assert.ok(a.download instanceof UpgradeDownload);
    a.finalStage = new FinalStageSession();
    a.download = undefined;
    await nextTurn();
    assert.deepEqual(order, [], 'it is in FinalStage');
    a.leave('upgrade');
    a.enter('finalstage');
    a.leave('finalstage');
    await nextTurn();
    assert.deepEqual(order.splice(0), ['c waits for b', 'b']);
    b.fail('download-failed');
    await Promise.all(taken);
    assert.deepEqual(order, ['c']);
  });

  it('is not given to one who asks in the moment in which it becomes free, while others wait', async () => {
    const [a, b, c] = [jobOf('a'), jobOf('b'), jobOf('c')];
    await take(a);
    const taken = [take(b)];
    jobs.prependOnceListener('changed', () => taken.push(take(c)));
    a.fail('cancelled');
    await taken[0];
    assert.deepEqual(order, ['a', 'b waits for a', 'c waits for b', 'b']);
    b.fail('cancelled');
    await Promise.all(taken);
  });

  it('is not held up by one who gave up waiting', async () => {
    const [a, b, c] = [jobOf('a'), jobOf('b'), jobOf('c')];
    await take(a);
    const impatient = new AbortController();
    const gaveUp = take(b, impatient.signal);
    const waits = take(c);
    impatient.abort(new FlashError('cancelled'));
    await assertCode(gaveUp, 'cancelled');
    a.fail('cancelled');
    await waits;
    assert.equal(order.at(-1), 'c');
  });

  it('is not held by a device that needs none, though that asks in the same moment', async () => {
    const [hop, a] = [jobOf('hop'), jobOf('a')];
    hop.route = ONE_HOP;
    const taken = [take(hop), take(a)];
    await Promise.all(taken);
    assert.deepEqual(order, ['hop', 'a']);
  });

  it('passes on when the host leaves whose device holds it', async () => {
    const other = new JobRegistry();
    turn.join(other);
    const a = other.jobFor('upgrade', 'a');
    a.route = FINALSTAGE;
    a.download = new UpgradeDownload();
    const waits = take(jobOf('b'));
    await nextTurn();
    assert.deepEqual(order, ['b waits for a']);
    turn.leave(other);
    await waits;
    assert.deepEqual(order, ['b waits for a', 'b']);
    assert.equal(other.listenerCount('changed'), 0);
    assert.equal(turn.getMaxListeners(), 0, 'as many as there are devices');
  });

  it('looks again at each change that a restart must know of, and not while bytes flow', async () => {
    const a = jobOf('a');
    await take(a);
    let looks = 0;
    turn.on('changed', () => (looks += 1));
    a.onChange(false);
    assert.equal(looks, 0);
    a.onChange(true);
    assert.equal(looks, 1);
  });

  it('is one for all hosts at a port, and one of its own at any free port', async () => {
    const port = await freePort();
    assert.equal(FinalStageLock.at(port), FinalStageLock.at(port));
    assert.notEqual(FinalStageLock.at(port), FinalStageLock.at(await freePort()));
    assert.notEqual(FinalStageLock.at(0), FinalStageLock.at(0));
  });

  it('is not needed in one hop, nor a second time by a device that is in work already', async () => {
    const [a, hop, resumed] = [jobOf('a'), jobOf('hop'), jobOf('resumed')];
    await take(a);
    hop.route = ONE_HOP;
    await take(hop);
    const own = (resumed.download = new UpgradeDownload());
    await take(resumed);
    assert.equal(resumed.download, own);
    assert.deepEqual(order, ['a', 'hop', 'resumed']);
    a.fail('cancelled');
    resumed.fail('cancelled');
    const next = jobOf('next');
    await take(next);
    assert.equal(order.at(-1), 'next', 'what goes in one hop holds nobody up');
  });
});
