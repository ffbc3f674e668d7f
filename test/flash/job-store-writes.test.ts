import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadForFinalStage } from '../../lib/firmware/firmware';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { writeAtomically } from '../../lib/storage/atomic-file';
import { JobStore } from '../../lib/flash/host/job-store';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import type { JobRecord } from '../../lib/flash/stored/job-record';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FlashQueue } from '../../lib/flash/queue/flash-queue';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import { WAITS, type Waits } from '../../lib/flash/stage/waits';
import { digestOf, makeFinalImage } from '../../lib/image';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { keptJobs, keptJobsPath } from '../shared/stored-jobs';
import { FIRMWARE } from './bench';

const DEVICE = '1000a1b2c3';
const NEVER = new AbortController().signal;
/** So long that a test is over before. */
const LONG = 60 * 60_000;

describe('flash/job-memory: when it writes', () => {
  let folder: string;
  const memories: JobStore[] = [];
  const said: string[] = [];
  const told = new EventEmitter();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-writes-'));
    said.length = 0;
  });
  afterEach(timeGoesOn);
  afterEach(() => mock.restoreAll());
  afterEach(async () => {
    await Promise.all(memories.splice(0).map((memory) => memory.close()));
    await rm(folder, { recursive: true, force: true });
  });

  const file = (): string => keptJobsPath(folder);
  const image = (bytes: Uint8Array): string => join(folder, 'jobs', 'host.images', `${digestOf(bytes)}.bin`);

  /** The state of a process after its start in this folder. */
  function start(waits: Partial<Waits> = {}): {
    jobs: JobRegistry;
    runs: TaskRuns;
    queue: FlashQueue;
    memory: JobStore;
  } {
    const jobs = new JobRegistry();
    const runs = new TaskRuns();
    const queue = new FlashQueue(jobs, runs);
    const log = (_level: string, text: string): void => {
      said.push(text);
      told.emit('told');
    };
    const memory = new JobStore(folder, 'host', { jobs, runs, queue }, log, { ...WAITS, ...waits });
    memory.start();
    memories.push(memory);
    return { jobs, runs, queue, memory };
  }

  function enter(jobs: JobRegistry, stage: 'upgrade' | 'finalstage', deviceid = DEVICE): Job {
    const job = jobs.jobFor(stage, deviceid);
    job.enter(stage);
    return job;
  }

  /** A job in its download, of which everything so far is on disk. */
  async function downloading(
    waits: Partial<Waits>,
  ): Promise<{ memory: JobStore; job: Job; download: UpgradeDownload }> {
    const { jobs, memory } = start(waits);
    const job = enter(jobs, 'upgrade');
    const download = (job.download = new UpgradeDownload());
    download.requested('user2', 8192, 'range');
    await memory.settled();
    return { memory, job, download };
  }

  /** The job as it lies on disk. */
  function onDisk(): { download?: { sent: number }; visit?: object; snapshot: { stage: string } } | undefined {
    return keptJobs<NonNullable<ReturnType<typeof onDisk>>>(folder)?.jobs[0];
  }

  it('writes again automatically after a write that failed, and says once that it could not', async () => {
    const { jobs } = start({ retryMs: 1 });
    const blocker = join(folder, 'jobs');
    await writeFile(blocker, 'no folder');
    enter(jobs, 'upgrade');
    await once(told, 'told');
    // Tried again without effect meanwhile: it would have been reported twice.
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    await rm(blocker);
    while (!existsSync(file())) await nextTurn();
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0] ?? '', /^the jobs cannot be stored in \/.*\/jobs\/host\.jsonl: E[A-Z]+: /);
    assert.equal(onDisk()?.snapshot.stage, 'upgrade');
  });

  it('reports that again where it fails again later', async () => {
    const { jobs, memory } = start({ retryMs: 1 });
    const blocker = join(folder, 'jobs');
    for (const times of [1, 2]) {
      await rm(blocker, { recursive: true, force: true });
      await writeFile(blocker, 'no folder');
      const failed = once(told, 'told');
      jobs.jobFor('upgrade', `${times}`).enter('upgrade');
      await failed;
      const written = once(memory['progress'], 'written');
      await rm(blocker);
      await written;
      assert.equal(said.length, times);
    }
  });

  it('is settled when what there is is on disk, and immediately where the disk does not take it', async () => {
    const { jobs, memory } = start({ settleMs: LONG, flowMs: LONG });
    const job = enter(jobs, 'upgrade');
    job.download = new UpgradeDownload();
    job.download.requested('user2', 8192, 'range');
    await memory.settled();
    assert.equal(onDisk()?.download?.sent, 0);
    await rm(join(folder, 'jobs'), { recursive: true });
    await writeFile(join(folder, 'jobs'), 'no folder');
    const failed = once(told, 'told');
    job.download.taken();
    await failed;
    await nextTurn();
    await memory.settled();
  });

  it('does not hold a device up for longer than the disk has', async () => {
    const { jobs, memory } = start({ settleMs: 1 });
    enter(jobs, 'upgrade');
    // No event of ours can follow before the disk has answered; the time of the disk is over before.
    await memory.settled();
  });

  it('writes a turn immediately, and what merely flows once in a while', async () => {
    const { memory, download } = await downloading({ flowMs: LONG });
    download.sentUpTo(4096);
    await memory.settled();
    assert.equal(onDisk()?.download?.sent, 0, 'it flows');
    download.sentUpTo(8192);
    await memory.settled();
    assert.equal(onDisk()?.download?.sent, 8192, 'that was its last byte');
  });

  it('writes changes at their pace, and immediately where they are waited for or it closes', async () => {
    const { jobs, memory } = start({ writesMs: LONG });
    const kept = (): unknown[] => keptJobs(folder)?.jobs ?? [];
    const written = once(memory['progress'], 'written');
    enter(jobs, 'upgrade');
    // No write has been waited for yet.
    await written;
    for (const deviceid of ['1000000001', '1000000002', '1000000003']) {
      const written = memory['written'];
      jobs.jobFor('upgrade', deviceid).enter('upgrade');
      // It would have been written before.
      for (let times = 0; times < 5; times++) await writeAtomically(folder, 'other', 'file');
      assert.equal(memory['written'], written, 'it is not its time yet');
      if (deviceid === '1000000003') await memory.close();
      else await memory.settled();
      assert.equal(kept().length, Number(deviceid.at(-1)) + 1);
    }
  });

  it('writes as often as it may, and no sooner', async () => {
    let clock = 1_000_000;
    mock.method(performance, 'now', () => clock);
    timeStands(['setTimeout']);
    const { jobs, memory } = start({ writesMs: 5000 });
    const written = (): Promise<unknown> => once(memory['progress'], 'written');
    const first = written();
    enter(jobs, 'upgrade', '1000000001');
    await first;
    clock += 1000;
    const second = written();
    enter(jobs, 'upgrade', '1000000002');
    await nextTurn();
    timePasses(3999);
    // It would have been written before.
    for (let times = 0; times < 5; times++) await writeAtomically(folder, 'other', 'file');
    assert.equal(keptJobs(folder)?.jobs.length, 1);
    timePasses(1);
    await second;
    assert.equal(keptJobs(folder)?.jobs.length, 2);
  });

  it('writes without delay what is waited for while another write is under way', async () => {
    const { jobs, memory } = start({ writesMs: LONG, settleMs: LONG });
    const written = once(memory['progress'], 'written');
    enter(jobs, 'upgrade', '1000000001');
    await written;
    const file = memory['file'];
    const write = file.write.bind(file);
    const underWay = new Promise<void>((resolve) => {
      file.write = (...what) => (resolve(), write(...what));
    });
    enter(jobs, 'upgrade', '1000000002');
    const settled = [memory.settled()];
    await underWay;
    enter(jobs, 'upgrade', '1000000003');
    settled.push(memory.settled());
    await Promise.all(settled);
    assert.equal(keptJobs(folder)?.jobs.length, 3);
  });

  it('writes of a turn what has changed, however many jobs there are', async () => {
    const { jobs, queue, memory } = start({ flowMs: LONG });
    for (let n = 0; n < 50; n++) {
      enter(jobs, 'upgrade', `10000${n + 10_000}`);
      queue.add({ deviceid: `20000${n + 10_000}` });
    }
    await memory.settled();
    const before = statSync(file()).size;
    const first = jobs.latest('1000010000');
    first?.learn({ ip: '192.0.2.7' });
    jobs.latest('1000010001')?.evidence.add({ kind: 'acknowledged', error: 404 });
    await memory.settled();
    const added = readFileSync(file()).subarray(before).toString();
    assert.equal(added.trim().split('\n').length, 1);
    const line = JSON.parse(added) as Record<string, { id: string }[]>;
    assert.deepEqual(Object.keys(line), ['jobs']);
    assert.deepEqual(
      line['jobs']?.map(({ id }) => id),
      [first?.id],
    );
  });

  it('has the queue in its order, though an entry has gone to its end since it was written first', async () => {
    const { queue, memory } = start();
    const [first, second, third] = ['1000000001', '1000000002', '1000000003'];
    queue.attach('node', { atOnce: 1, attempts: 1, start: ({ deviceid }) => deviceid !== first });
    for (const deviceid of [first, second, third]) queue.add({ deviceid }, { nodeId: 'node' });
    await memory.settled();
    queue.retryFailed();
    await memory.settled();
    const order = [second, third, first];
    for (const one of [queue, start().queue]) {
      assert.deepEqual(
        one.snapshot().entries.map(({ deviceid }) => deviceid),
        order,
      );
    }
  });

  it('writes all of it once in a while, and the file does not grow without end', async () => {
    const { jobs, memory } = start();
    const job = enter(jobs, 'upgrade');
    let largest = 0;
    for (let n = 0; n < 2000; n++) {
      job.evidence.add({ kind: 'acknowledged', error: n });
      if (n % 50 > 0) continue;
      job.learn({ ip: `192.0.2.${n % 200}` });
      await memory.settled();
      largest = Math.max(largest, statSync(file()).size);
    }
    const whole = JSON.stringify(onDisk()).length;
    assert.ok(largest < 4 * whole + 300_000, `${largest} bytes for ${whole}`);
    const { snapshot, evidence } = keptJobs<JobRecord>(folder)?.jobs[0] ?? {};
    assert.deepEqual([snapshot?.ip, evidence?.length], [job.facts.ip, 1000]);
  });

  it('writes all of it again where the file was removed', async () => {
    const { jobs, memory } = start();
    enter(jobs, 'upgrade');
    const other = enter(jobs, 'upgrade', '1000000002');
    await memory.settled();
    await rm(file());
    other.learn({ ip: '192.0.2.7' });
    await memory.settled();
    assert.equal(keptJobs(folder)?.jobs.length, 2);
  });

  it('writes the image that the disk did not take with the next try', async () => {
    const { jobs } = start({ retryMs: 1 });
    const blocker = join(folder, 'jobs');
    await writeFile(blocker, 'no folder');
    const failed = once(told, 'told');
    const job = enter(jobs, 'finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
    job.finalStage = new FinalStageSession();
    await failed;
    await rm(blocker);
    while (!existsSync(file())) await nextTurn();
    assert.ok(existsSync(image(FIRMWARE.final)));
    assert.ok(start().jobs.all()[0]?.firmware.final);
  });

  it('writes what flows after a while', async () => {
    const { download } = await downloading({ flowMs: 1 });
    download.sentUpTo(4096);
    while (onDisk()?.download?.sent !== 4096) await nextTurn();
  });

  it('writes the progress of many jobs in portions, that of each once', async () => {
    const { jobs, memory } = start({ flowMs: 1, writesMs: 1 });
    for (let n = 0; n < 50; n++) enter(jobs, 'upgrade', `10000${10_000 + n}`);
    await memory.settled();
    const before = readFileSync(file(), 'utf8').length;
    for (const job of jobs.all()) {
      job.evidence.add({ kind: 'acknowledged', error: 404 });
      // Many follow one another within the interval in which a job reports flowing bytes.
      job.onChange(false);
    }
    const added = (): string[] => readFileSync(file(), 'utf8').slice(before).trim().split('\n');
    const idsOf = (line: string): string[] => {
      const { jobs: records = [] } = JSON.parse(line || '{}') as { jobs?: { id: string }[] };
      return records.map(({ id }) => id);
    };
    while (added().flatMap(idsOf).length < 50) await once(memory['progress'], 'written');
    assert.deepEqual(
      added().map((line) => idsOf(line).length),
      [20, 20, 10],
    );
    assert.equal(new Set(added().flatMap(idsOf)).size, 50);
  });

  it('writes at its close what flowed until then, and nothing that comes after', async () => {
    const { memory, job, download } = await downloading({ flowMs: LONG });
    download.sentUpTo(4096);
    await memory.close();
    // As the close of the host does then.
    job.fail('cancelled');
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.deepEqual([onDisk()?.download?.sent, onDisk()?.snapshot.stage], [4096, 'upgrade']);
  });

  it('writes at its close how far a job is by then, be it not reported yet', async () => {
    timeStands(['setTimeout']);
    const { memory, download } = await downloading({ flowMs: 1 });
    timePasses(1000);
    download.sentUpTo(4096);
    timePasses(1);
    await memory.settled();
    assert.equal(onDisk()?.download?.sent, 4096);
    // Of that a job reports within a quarter of a second.
    download.sentUpTo(6000);
    await memory.close();
    assert.equal(onDisk()?.download?.sent, 6000);
  });

  it('writes nothing of a host that is to be forgotten, whatever ends with it', async () => {
    const { jobs, memory } = start({ writesMs: 1 });
    const job = enter(jobs, 'upgrade');
    await memory.settled();
    await memory.forget();
    job.fail('cancelled');
    await memory.settled();
    assert.equal(existsSync(file()), false);
    assert.deepEqual(start().jobs.all(), []);
  });

  it('keeps the images of a job that failed in FinalStage for another try there', async () => {
    const { jobs, memory } = start();
    const job = enter(jobs, 'finalstage');
    job.route = FINALSTAGE;
    job.firmware = await loadForFinalStage(FIRMWARE, { signal: NEVER });
    job.finalStage = new FinalStageSession();
    job.fail('finalstage-timeout');
    await memory.close();
    assert.ok(existsSync(image(FIRMWARE.final)));
    const [again] = start().jobs.all();
    assert.deepEqual([again?.stage, again?.firmware.final?.bytes.equals(FIRMWARE.final)], ['failed', true]);
    assert.equal(again?.finalStage, undefined, 'its visit has ended with it');
  });

  for (const [what, end] of [
    ['failed before', (job: Job) => job.fail('download-failed')],
    ['is done', (job: Job) => (job.enter('finalstage'), job.leave('finalstage'))],
    ['has taken it in one hop', (job: Job) => ((job.route = ONE_HOP), job.leave('upgrade'))],
  ] as const) {
    it(`keeps no image of a job that ${what}`, async () => {
      const { jobs, memory } = start();
      const job = enter(jobs, 'upgrade');
      job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
      await memory.settled();
      assert.ok(existsSync(image(FIRMWARE.final)));
      end(job);
      await memory.close();
      assert.equal(existsSync(image(FIRMWARE.final)), false);
    });
  }

  it('takes no image from a file whose content is a different one, however good', async () => {
    const { jobs, memory } = start();
    const job = enter(jobs, 'finalstage');
    job.firmware = await loadForFinalStage(FIRMWARE, { signal: NEVER });
    job.finalStage = new FinalStageSession();
    await memory.close();
    await writeFile(image(FIRMWARE.final), makeFinalImage({ size: FIRMWARE.final.length, text: 'another one' }));
    const [again] = start().jobs.all();
    assert.ok(again?.finalStage);
    assert.deepEqual(Object.keys(again.firmware), ['user2']);
  });

  it('keeps a job that failed rather than those that expired since', async () => {
    const { jobs, memory } = start();
    for (let n = 0; n <= 120; n++) {
      const job = jobs.jobFor('cloud', `${n}`);
      job.enter('cloud');
      job.fail(n === 0 ? 'device-timeout' : 'job-expired');
    }
    await memory.close();
    assert.ok(jobs.latest('0'), 'in memory');
    assert.equal(start().jobs.latest('0')?.error, 'device-timeout');
  });

  it('has no job on disk any more that is kept no longer, or that a person has taken out', async () => {
    const { jobs, memory } = start();
    const stored = async (): Promise<unknown> => {
      await memory.settled();
      return keptJobs<JobRecord>(folder)?.jobs.map(({ snapshot }) => snapshot.deviceid);
    };
    const idsOf = (from: number, to: number): string[] =>
      Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);
    for (const deviceid of idsOf(1, 12)) enter(jobs, 'upgrade', deviceid);
    assert.deepEqual(await stored(), idsOf(1, 12));
    for (const job of jobs.all()) job.fail('download-failed');
    assert.deepEqual(await stored(), idsOf(3, 12));
    const last = jobs.latest('12');
    assert.ok(last && jobs.forget(last));
    assert.deepEqual(new Set((await stored()) as string[]), new Set(idsOf(2, 11)));
  });

  it('keeps the newest ten of the jobs that have ended', async () => {
    const { jobs, memory } = start();
    for (let n = 1; n <= 12; n++) {
      const job = jobs.jobFor('upgrade', `${n}`);
      job.enter('upgrade');
      job.fail('download-failed');
    }
    await memory.close();
    const again = start().jobs.all();
    assert.deepEqual(
      again.map(({ deviceid }) => deviceid),
      Array.from({ length: 10 }, (_, index) => `${index + 3}`),
    );
  });
});
