import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { untilNothingIsFetched } from '../../lib/flash/host/transfers-end';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const FLOWS_MS = 10_000;

describe('flash/host/transfers-end', () => {
  let jobs: JobRegistry;
  let isOnWire: boolean;
  let end: AbortController;
  beforeEach(() => {
    timeStands(['setInterval', 'Date'], 1_000_000);
    jobs = new JobRegistry();
    isOnWire = false;
    end = new AbortController();
  });
  afterEach(timeGoesOn);

  /** Whether the wait for the end of all transfers is over, each time that it is asked. */
  function waiting(): () => Promise<boolean> {
    let isOver = false;
    void untilNothingIsFetched(jobs, () => isOnWire, { upgradeFlowsMs: FLOWS_MS }, end.signal).then(
      () => (isOver = true),
    );
    return async () => {
      await nextTurn();
      return isOver;
    };
  }

  it('does not wait where nothing is fetched', async () => {
    jobs.jobFor('upgrade', '1000000001').download = new UpgradeDownload();
    assert.equal(await waiting()(), true);
  });

  it('waits as long as something is on the wire, and looks for the end of it each second', async () => {
    isOnWire = true;
    const isOver = waiting();
    timePasses(60_000);
    assert.equal(await isOver(), false);
    isOnWire = false;
    timePasses(999);
    assert.equal(await isOver(), false);
    timePasses(1);
    assert.equal(await isOver(), true);
  });

  it('waits for a device between two pieces until it has fetched nothing for long, though nothing happens then', async () => {
    jobs.jobFor('upgrade', '1000000001');
    const job = jobs.jobFor('upgrade', '1000000002');
    job.download = new UpgradeDownload();
    job.download.sentUpTo(100);
    const isOver = waiting();
    timePasses(9000);
    assert.equal(await isOver(), false);
    job.download.sentUpTo(200);
    timePasses(9000);
    assert.equal(await isOver(), false);
    timePasses(1000);
    assert.equal(await isOver(), true);
  });

  it('ends as soon as its job has changed so, and with the host', async () => {
    const job = jobs.jobFor('upgrade', '1000000001');
    job.download = new UpgradeDownload();
    job.download.sentUpTo(100);
    const isOver = waiting();
    assert.equal(await isOver(), false);
    job.download = undefined;
    assert.equal(await isOver(), true);
    isOnWire = true;
    const isEnded = waiting();
    assert.equal(await isEnded(), false);
    end.abort();
    assert.equal(await isEnded(), true);
  });
});
