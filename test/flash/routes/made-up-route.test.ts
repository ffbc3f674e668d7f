import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { FlashError } from '../../../lib/errors';
import { loadImages } from '../../../lib/firmware/firmware';
import { FlashHost } from '../../../lib/flash/host/host';
import { Job } from '../../../lib/flash/job/job';
import { UpgradeDownload } from '../../../lib/flash/job/upgrade-download';
import type { EntryStart } from '../../../lib/flash/job/queue-entry';
import { ROUTES, type Route, type RouteName, type StageName } from '../../../lib/flash/routes';
import type { StageContext, StageRequest } from '../../../lib/flash/run/task';
import { FIRMWARE, ON_LOOPBACK } from '../bench';
import { processFolder } from '../../shared/process-folder';

const ownFolder = processFolder('route');

const DEVICE = '1000a1b2c3';
const NEVER = new AbortController().signal;

/** Without a cloud and without FinalStage: one image, fetched in the upgrade. */
const MADE_UP: Route = {
  name: 'made-up' as RouteName,
  stages: [
    { stage: 'provision', percent: [0, 10] },
    { stage: 'upgrade', percent: [10, 80] },
    { stage: 'newfirmware', percent: [80, 100], isLast: true },
  ],
  images: { final: 'finalstage' },
  servesUntil: 'upgrade',
  resumesAt: 'upgrade',
  isPastReturn: ({ evidence }) => evidence.all.some(({ kind }) => kind === 'image-ended'),
};

/** A route that no other part of lib/flash was written for: nothing in job/, host/, queue/ and stored/ knows its name. */
describe('flash/routes: a route that is added', () => {
  let folder: string;
  const hosts: FlashHost[] = [];
  beforeEach(async () => {
    ROUTES.push(MADE_UP);
    folder = await mkdtemp(join(ownFolder, 'route-'));
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    assert.equal(ROUTES.pop(), MADE_UP);
  });

  /** A host as a process has it after a restart. */
  function hostNow(): FlashHost {
    const host = new FlashHost(ON_LOOPBACK, folder, 'host');
    hosts.push(host);
    return host;
  }

  function stageOf(host: FlashHost, stage: StageName, work: StageRequest['run'], message = {}): void {
    host.runs.begin({
      nodeId: 'node',
      stage,
      message,
      deviceid: DEVICE,
      findJob: () => host.jobs.jobFor(stage, DEVICE),
      run: async (context) => {
        context.job.route ??= MADE_UP;
        return work(context);
      },
    });
  }

  /** A stage that waits until it is cancelled. */
  const waits = ({ signal }: StageContext): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

  it('has its own stages and percents, and ends the job with its own last stage', () => {
    const job = new Job('provision', DEVICE);
    job.route = MADE_UP;
    const percents = (['provision', 'cloud', 'upgrade', 'finalstage', 'newfirmware'] as const).map((stage) => {
      job.enter(stage);
      job.leave(stage);
      return [job.percent, job.isOpen];
    });
    assert.deepEqual(percents, [
      [10, true],
      [10, true],
      [80, true],
      [80, true],
      [100, false],
    ]);
    assert.equal(job.snapshot().intermediate, 'made-up');
  });

  it('waits for no other device, and opens no port of FinalStage', async () => {
    const host = hostNow();
    const other = host.jobs.jobFor('upgrade', 'other');
    other.route = ROUTES[0];
    await host.finalStageLock.acquire(other, NEVER, () => assert.fail('nobody is there yet'));
    const job = host.jobs.jobFor('upgrade', DEVICE);
    job.route = MADE_UP;
    await host.finalStageLock.acquire(job, NEVER, () => assert.fail('it needs no turn'));
    assert.deepEqual([other.holdsFinalStage, job.holdsFinalStage], [true, false]);
  });

  it('loads the one image that it names', async () => {
    const firmware = await loadImages(MADE_UP, { final: FIRMWARE.final }, { signal: NEVER });
    assert.deepEqual(Object.keys(firmware), ['final']);
  });

  it('outlives a restart with its images, until its device has fetched them', async () => {
    const first = hostNow();
    stageOf(first, 'upgrade', waits);
    const job = await begun(first);
    job.firmware = await loadImages(MADE_UP, { final: FIRMWARE.final }, { signal: NEVER });
    job.download = new UpgradeDownload();
    await first.whenStored();

    const second = hostNow();
    const again = second.jobs.openJob(DEVICE);
    assert.equal(again?.route, MADE_UP);
    assert.ok(again.firmware.final?.bytes.equals(FIRMWARE.final));
    assert.equal(again.isResuming('upgrade'), true);
    again.leave('upgrade');
    assert.deepEqual(second.jobs.awaitingNewFirmware(), [again]);
    await second.whenStored();
    assert.equal(hostNow().jobs.openJob(DEVICE)?.firmware.final, undefined, 'none is kept any more');
  });

  it('is resumed by the queue in its own stage, and never past its own point of no return', async () => {
    const host = hostNow();
    const starts: EntryStart[] = [];
    host.queue.attach('queue', {
      atOnce: 1,
      attempts: 3,
      start: (message, where) => {
        starts.push(where);
        stageOf(host, 'upgrade', failing(starts.length > 1), message);
        return true;
      },
    });
    const failed = new Promise<void>((resolve) =>
      host.queue.on('changed', () => host.queue.snapshot().failed > 0 && resolve()),
    );
    host.queue.add({ deviceid: DEVICE }, { nodeId: 'queue' });
    await failed;
    assert.deepEqual(starts, ['beginning', 'upgrade']);
  });

  function failing(isPastReturn: boolean): StageRequest['run'] {
    return ({ job: { evidence } }) => {
      const ended = { role: 'user1', class: 'range', complete: true, bytes: 1, ms: 1 } as const;
      if (isPastReturn) evidence.add({ kind: 'image-ended', ...ended });
      return Promise.reject(new FlashError('download-failed'));
    };
  }

  async function begun(host: FlashHost): Promise<Job> {
    for (;;) {
      const job = host.jobs.openJob(DEVICE);
      if (job?.route) return job;
      await once(host.jobs, 'changed');
    }
  }
});
