import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ListeningHost, SharedListener } from '../../lib/flash/host/shared-listener';
import { untilFinalStageIsQuiet, untilNothingIsFetched } from '../../lib/flash/host/transfers-end';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
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

  describe('for FinalStage', () => {
    let quiet: () => void;
    /** Whether the wait is over, with so many transfers there; undefined where another host serves them. */
    function waitingFor(finalstage: number | undefined): () => Promise<boolean> {
      const whenQuiet = new Promise<void>((resolve) => (quiet = resolve));
      const listener = {
        transfersHeldBy: () => (finalstage === undefined ? undefined : { total: 1, finalstage }),
        whenFinalStageQuiet: () => whenQuiet,
      } as unknown as SharedListener;
      let isOver = false;
      const wait = untilFinalStageIsQuiet(jobs, listener, {} as ListeningHost, { deadTransferMs: FLOWS_MS });
      void wait.then(() => (isOver = true));
      return async () => {
        await nextTurn();
        return isOver;
      };
    }
    const inFinalStage = (deviceid: string): FinalStageSession => {
      const session = new FinalStageSession();
      session.requested('final', 1000);
      return (jobs.jobFor('finalstage', deviceid).finalStage = session);
    };

    it('is none where nothing is on the wire, or another host serves it', async () => {
      inFinalStage('1000000001');
      assert.deepEqual([await waitingFor(undefined)(), await waitingFor(0)()], [true, true]);
    });

    it('comes when each transfer is over', async () => {
      inFinalStage('1000000001');
      const isOver = waitingFor(1);
      assert.equal(await isOver(), false);
      quiet();
      assert.equal(await isOver(), true);
    });

    it('comes when none of them has moved for long', async () => {
      inFinalStage('1000000001');
      timePasses(5000);
      inFinalStage('1000000002');
      const isOver = waitingFor(2);
      timePasses(9000);
      assert.equal(await isOver(), false);
      timePasses(2000);
      assert.equal(await isOver(), true);
    });
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
