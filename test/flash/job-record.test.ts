import assert from 'node:assert/strict';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { Job } from '../../lib/flash/job/job';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { imagesOf, jobOf, recordOf, type JobRecord } from '../../lib/flash/stored/job-record';
import { FIRMWARE } from './bench';
import { JOB } from './stored-samples';

const DEVICE = '1000a1b2c3';
const NEVER = new AbortController().signal;

describe('flash/stored/job-record', () => {
  const none = (): undefined => undefined;

  async function upgrading(): Promise<Job> {
    const job = new Job('upgrade', DEVICE, new Date(0));
    job.enter('upgrade', new Date(1000));
    job.route = FINALSTAGE;
    job.firmware = await loadFirmware({ ...FIRMWARE }, { signal: NEVER });
    job.download = new UpgradeDownload();
    job.download.requested('user2', 8192, 'range');
    job.evidence.add({ kind: 'acknowledged', error: 404 }, 1500);
    return job;
  }

  it('holds all of a job, and its images by their digests', async () => {
    const job = await upgrading();
    const { user1, user2, final } = job.firmware;
    assert.ok(user1 && user2 && final);
    const reference = ({ sha256, source }: { sha256: string; source: string }): object => ({ sha256, source });
    const download = {
      ...{ role: 'user2', size: 8192, sent: 0, requests: 1, otaClass: 'range', isTaken: false, isOffered: false },
    };
    assert.deepEqual(recordOf(job), {
      id: job.id,
      lastStage: 'upgrade',
      snapshot: job.snapshot(),
      firmware: { user1: reference(user1), user2: reference(user2), final: reference(final) },
      visit: undefined,
      download,
      evidence: [{ at: 1500, kind: 'acknowledged', error: 404 }],
    });
    job.finalStage = new FinalStageSession(new Date(2000));
    assert.deepEqual(recordOf(job).visit, {
      ...{ since: new Date(2000).toISOString(), peer: '192.168.4.1', deliveries: {} },
    });
  });

  it('becomes the same job again, each image found by its role, its reference and the route', async () => {
    const job = await upgrading();
    job.route = ONE_HOP;
    const record = JSON.parse(JSON.stringify(recordOf(job))) as JobRecord;
    const asked: unknown[] = [];
    const again = jobOf(record, (role, reference, route) => {
      asked.push([role, reference, route]);
      return role === 'user2' ? undefined : job.firmware[role];
    });
    const { user1, final } = job.firmware;
    assert.deepEqual(again.firmware, { user1, final });
    const { firmware } = record;
    assert.deepEqual(asked, [
      ['user1', firmware.user1, ONE_HOP],
      ['user2', firmware.user2, ONE_HOP],
      ['final', firmware.final, ONE_HOP],
    ]);
    assert.deepEqual(again.snapshot(), job.snapshot());
    assert.deepEqual(again.evidence.all, job.evidence.all);
    assert.deepEqual(again.download?.record(), job.download?.record());
    assert.equal(again.finalStage, undefined);
  });

  it('asks for no image that it had not, and has no download where none is stored', () => {
    const asked: unknown[] = [];
    const { download, ...record } = JOB;
    assert.ok(download);
    const job = jobOf(record, (role) => void asked.push(role));
    assert.deepEqual([asked, job.firmware, job.download], [['final'], {}, undefined]);
  });

  it('serves no device any more that has ended, whatever is stored of it', () => {
    for (const stage of ['failed', 'done'] as const) {
      const job = jobOf({ ...JOB, snapshot: { ...JOB.snapshot, stage } }, none);
      assert.deepEqual([job.stage, job.finalStage, job.download, job.evidence.all], [stage, undefined, undefined, []]);
    }
  });

  it('sees a transfer interrupted that was on the wire, and none that had ended or was interrupted before', () => {
    const of = (sent: number, state: 'flowing' | 'stalled' | 'broken' | 'delivered' | 'interrupted') => ({
      ...{ size: 9000, sent, tries: 1, state },
    });
    for (const [deliveries, seen] of [
      [{ user2: of(9000, 'delivered'), final: of(4096, 'flowing') }, [['final', 4096]]],
      [{ user2: of(100, 'stalled') }, [['user2', 100]]],
      [{ user2: of(100, 'broken'), final: of(200, 'interrupted') }, []],
      [
        { final: of(1, 'stalled'), user2: of(2, 'flowing') },
        [
          ['user2', 2],
          ['final', 1],
        ],
      ],
      [{}, []],
    ] as const) {
      const { evidence } = jobOf({ ...JOB, visit: { ...JOB.visit, deliveries } } as JobRecord, none);
      assert.deepEqual(
        evidence.all.map((one) => ({ ...one, at: 0 })),
        seen.map(([image, bytes]) => ({ at: 0, kind: 'finalstage-ended', image, how: 'interrupted', bytes })),
      );
    }
  });

  it('needs its images while its device may ask for them', async () => {
    const needed = async (prepare: (job: Job) => void): Promise<number> => {
      const job = await upgrading();
      prepare(job);
      return imagesOf(job).length;
    };
    const enter = (job: Job): void => (job.leave('upgrade'), job.enter('finalstage'));
    for (const [what, prepare, count] of [
      ['in its upgrade', () => undefined, 3],
      ['failed there', (job) => job.fail('download-failed'), 0],
      ['in FinalStage', enter, 3],
      ['failed there, where it can resume', (job) => (enter(job), job.fail('finalstage-timeout')), 3],
      ['done', (job) => (enter(job), job.leave('finalstage')), 0],
      [
        'done, on a route that is not known',
        (job) => (enter(job), (job.route = undefined), job.leave('finalstage')),
        0,
      ],
      ['in one hop', (job) => (job.route = ONE_HOP), 3],
      ['in one hop, that has fetched it', (job) => ((job.route = ONE_HOP), job.leave('upgrade')), 0],
    ] as [string, (job: Job) => unknown, number][]) {
      assert.equal(await needed(prepare), count, what);
    }
  });
});
