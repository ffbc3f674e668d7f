import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlashError } from '../../lib/errors';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import type { JobRecord } from '../../lib/flash/stored/job-record';
import { FlashHost } from '../../lib/flash/host/host';
import type { QueueOutlet } from '../../lib/flash/queue/flash-queue';
import type { StageContext, StageRequest } from '../../lib/flash/run/task';
import type { StageName } from '../../lib/flash/stages';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { processFolder } from '../shared/process-folder';
import { keptJobs, keptJobsPath } from '../shared/stored-jobs';
import { FIRMWARE, ON_LOOPBACK, Recorder } from './bench';
import { JOB, PENDING } from './stored-samples';

const ownFolder = processFolder('memory');

const deviceid = '1000a1b2c3';
/** A stage that waits for what never comes. */
const never = ({ signal }: StageContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('flash/job-memory', () => {
  let folder: string;
  const hosts: FlashHost[] = [];
  const said: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(ownFolder, 'memory-'));
    said.length = 0;
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  /** A host as a process has it after a restart; the one before is merely left, as a killed process leaves it. */
  function host(id = 'host'): FlashHost {
    const made = new FlashHost(ON_LOOPBACK, folder, id);
    made.log = (_level, text) => void said.push(text);
    hosts.push(made);
    return made;
  }

  function request(on: FlashHost, stage: StageName, more: Partial<StageRequest> = {}): StageRequest {
    return {
      nodeId: stage,
      stage,
      message: { mine: stage },
      deviceid,
      findJob: () => on.jobs.jobFor(stage, deviceid),
      run: never,
      ...more,
    };
  }

  const file = (): string => keptJobsPath(folder);
  /** As versions before 0.2 wrote it. */
  const formerFile = (): string => join(folder, 'jobs', 'host.json');
  const images = (): string[] => {
    const path = join(folder, 'jobs', 'host.images');
    return existsSync(path) ? readdirSync(path).sort() : [];
  };

  it('keeps a job in its upgrade: the message, the images, what was fetched, what was seen', async () => {
    const first = host();
    const pending = first.runs.begin(request(first, 'upgrade', { message: { mine: 1, password: 'top secret' } }));
    await Promise.resolve();
    await Promise.resolve();
    const job = first.jobs.openJob(deviceid);
    assert.ok(job);
    job.learn({ model: 'ITA-GZ1-GL', romVersion: '1.5.5', ip: '192.0.2.7' });
    job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
    job.download = new UpgradeDownload();
    job.download.offered();
    job.download.requested('user2', FIRMWARE.user2.length, 'range');
    job.evidence.add({ kind: 'upgrade-sent', version: '1', session: 1 });
    await first.whenStored();

    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file(), 'utf8').includes('top secret'));
    assert.equal(images().length, 3);
    assert.deepEqual(readdirSync(join(folder, 'jobs')).sort(), ['host.images', 'host.jsonl']);

    const second = host();
    const again = second.jobs.openJob(deviceid);
    assert.equal(again?.id, job.id);
    assert.ok(again.isResuming('upgrade'));
    assert.deepEqual(again.facts, job.facts);
    assert.equal(again.percent, job.percent);
    assert.ok(again.firmware.final?.bytes.equals(FIRMWARE.final));
    assert.ok(again.download?.mayBeWritten);
    assert.deepEqual(
      again.evidence.all.map(({ kind }) => kind),
      ['device-facts', 'upgrade-sent'],
    );
    const claimed = second.runs.pending.claim('upgrade');
    assert.deepEqual(
      claimed.map((one) => [one.pending.id, one.pending.message, one.record.jobId]),
      [[pending.id, { mine: 1 }, job.id]],
    );
    assert.deepEqual(second.runs.pending.claim('upgrade'), []);
    assert.equal(host('other').jobs.all().length, 0);
    assert.equal(new FlashHost(ON_LOOPBACK, folder).jobs.all().length, 0);
  });

  it('keeps the queue: what waits continues waiting, what was in work and in no hands is restarted', async () => {
    const begun: unknown[] = [];
    const outlet: QueueOutlet = { atOnce: 1, attempts: 1, start: (message) => begun.push(message['deviceid']) > 0 };
    const first = host();
    first.queue.attach('queue', outlet);
    for (const id of ['1000000001', '1000000002', '1000000003']) {
      first.queue.add({ deviceid: id, topic: 'mine', password: 'top secret' }, { nodeId: 'queue' });
    }
    const [, , third] = first.queue.snapshot().entries;
    first.queue.skip(third?.id);
    await first.whenStored();
    assert.ok(!readFileSync(file(), 'utf8').includes('top secret'));

    const second = host();
    assert.deepEqual(
      second.queue.snapshot().entries.map(({ deviceid, state }) => [deviceid, state]),
      [
        ['1000000001', 'waiting'],
        ['1000000002', 'waiting'],
        ['1000000003', 'skipped'],
      ],
    );
    second.queue.attach('queue', outlet);
    assert.deepEqual(begun, ['1000000001', '1000000001']);
  });

  it('leaves a queued flash with the node that has its message', async () => {
    const outlet: QueueOutlet = {
      atOnce: 1,
      attempts: 1,
      start: (message) => Boolean(first.runs.begin(request(first, 'cloud', { message }))),
    };
    const first = host();
    first.queue.attach('queue', outlet);
    first.queue.add({ deviceid }, { nodeId: 'queue' });
    await Promise.resolve();
    await Promise.resolve();
    await first.whenStored();
    const second = host();
    assert.deepEqual([second.queue.snapshot().running, second.queue.snapshot().entries[0]?.attempts], [1, 1]);
    const [claimed] = second.runs.pending.claim('cloud');
    const message = claimed?.pending.message ?? {};
    second.runs.begin(
      request(second, 'cloud', {
        message,
        pendingId: claimed?.pending.id,
        run: () => Promise.reject(new FlashError('certificate-rejected', { peer: '192.0.2.7' })),
      }),
    );
    await once(second.queue, 'changed');
    while (second.queue.snapshot().failed === 0) await once(second.queue, 'changed');
    assert.equal(second.queue.snapshot().entries[0]?.error, 'certificate-rejected');
  });

  it('does not know how far a transfer got that was on the wire when the process ended, and does not trust an image that has changed', async () => {
    const first = host();
    const job = first.jobs.jobFor('finalstage', deviceid);
    job.enter('finalstage');
    job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
    job.finalStage = new FinalStageSession(new Date(1000));
    job.evidence.add({ kind: 'finalstage-requested', image: 'final', size: 24_576 });
    job.finalStage.requested('final', 24_576).sent(8192);
    await first.whenStored();
    await writeFile(join(folder, 'jobs', 'host.images', `${job.firmware.user1?.sha256}.bin`), 'something else');

    const again = host().jobs.openJob(deviceid);
    assert.ok(again?.finalStage);
    assert.equal(again.finalStage.since.getTime(), 1000);
    assert.equal(again.finalStage.deliveries.final?.state, 'interrupted');
    assert.deepEqual(Object.keys(again.firmware).sort(), ['final', 'user2']);
    const { kind, ...last } = again.evidence.all.at(-1)!;
    assert.equal(kind, 'finalstage-ended');
    assert.equal((last as { how?: string }).how, 'interrupted');
  });

  it('puts a result out again that may not have arrived, until a later stage has started', async () => {
    const first = host();
    first.runs.attach('cloud', new Recorder());
    const { outcome, begun } = endOf(first, request(first, 'cloud', { run: async () => ({ found: 1 }) }));
    await outcome;
    await first.whenStored();

    const second = host();
    const recorder = new Recorder();
    second.runs.attach('cloud', recorder);
    const result = await recorder.outcome(begun);
    assert.ok(!(result instanceof Error));
    assert.deepEqual(result.found, { found: 1 });
    assert.equal(result.job.deviceid, deviceid);

    second.runs.begin(request(second, 'upgrade'));
    await new Promise((resolve) => setImmediate(resolve));
    await second.whenStored();
    const third = host();
    assert.deepEqual([...third.runs.pending.nodes()], ['upgrade']);
  });

  it('puts a failure out again, and forgets an open job that is not waited for', async () => {
    const first = host();
    const failure = Promise.reject(Object.assign(new Error('no'), {}));
    failure.catch(() => undefined);
    const { outcome, begun } = endOf(first, request(first, 'cloud', { run: () => failure }));
    await outcome;
    first.jobs.jobFor('cloud', '1000000009').enter('cloud');
    await first.whenStored();
    const second = host();
    const recorder = new Recorder();
    second.runs.attach('cloud', recorder);
    assert.equal(((await recorder.outcome(begun)) as FlashError).code, 'unexplained');
    assert.equal(second.jobs.openJob('1000000009'), undefined);
    assert.equal(second.jobs.latest(deviceid)?.stage, 'failed');
  });

  it('keeps the images that a message carries, each once, for as long as a node holds it', async () => {
    const first = host();
    const firmware = { ...FIRMWARE, user2: '/a/file.bin' };
    first.runs.begin(request(first, 'provision', { message: { mine: 1, firmware } }));
    first.runs.begin(
      request(first, 'cloud', { message: { firmware: { final: FIRMWARE.final } }, deviceid: undefined }),
    );
    await first.whenStored();
    assert.equal(images().length, 2);
    assert.ok(statSync(file()).size < 20_000);

    const second = host();
    const [claimed] = second.runs.pending.claim('provision');
    assert.deepEqual(claimed?.pending.message, { mine: 1, firmware });
    second.runs.pending.forgetNode('provision');
    await second.whenStored();
    assert.equal(images().length, 1);
    assert.deepEqual(second.runs.pending.claim('cloud')[0]?.pending.message, { firmware: { final: FIRMWARE.final } });
    second.runs.pending.forgetNode('cloud');
    await second.whenStored();
    assert.deepEqual(images(), []);
    assert.ok(!said.some((text) => /too big/.test(text)), said.join());
  });

  it('logs of a message that comes back what was too big to store, and of which node it is', async () => {
    const first = host();
    const message = { mine: 1, text: 'x'.repeat(70_000), more: 'y'.repeat(70_000) };
    first.runs.begin(request(first, 'provision', { message }));
    first.runs.begin(request(first, 'cloud', { message: { mine: 2 } }));
    await first.whenStored();
    const second = host();
    second.prepare();
    assert.deepEqual(said, ['a message of node provision comes back without what was too big to store: text, more']);
    assert.deepEqual(second.runs.pending.claim('provision')[0]?.pending.message, { mine: 1 });
  });

  it('continues after a close, and forgets everything with the host itself', async () => {
    const first = host();
    first.runs.begin(request(first, 'cloud'));
    await new Promise((resolve) => setImmediate(resolve));
    await first.close();
    const second = host();
    assert.ok(second.jobs.openJob(deviceid)?.isResuming('cloud'));
    await second.close({ forget: true });
    assert.ok(!existsSync(file()));
    assert.equal(host().jobs.all().length, 0);
  });

  it('removes images that no job needs any more', async () => {
    const first = host();
    const job = first.jobs.jobFor('upgrade', deviceid);
    job.enter('upgrade');
    job.firmware = await loadFirmware(FIRMWARE, { signal: new AbortController().signal });
    await first.whenStored();
    assert.equal(images().length, 3);
    job.fail('cancelled');
    await first.whenStored();
    assert.deepEqual(images(), []);
  });

  for (const [what, content] of [
    ['no JSON', '{"format":'],
    ['nothing', ''],
    ['another format', '{"format":"sonota-jobs/99","jobs":[],"tickets":[]}'],
    ['null', 'null'],
    ['a format without a number', '{"format":"sonota-jobs","jobs":[],"tickets":[]}'],
    ['no format', '{"jobs":[],"tickets":[]}'],
    ['a list of jobs that is none', '{"format":"sonota-jobs/1","jobs":{},"tickets":[]}'],
    ['no messages', '{"format":"sonota-jobs/1","jobs":[]}'],
  ]) {
    it(`sets a file aside that holds ${what}`, async () => {
      await mkdir(join(folder, 'jobs'));
      await writeFile(formerFile(), content!);
      const first = host();
      assert.equal(first.jobs.all().length, 0);
      assert.equal(readFileSync(`${formerFile()}.broken`, 'utf8'), content);
      await first.open();
      assert.equal(said.filter((text) => text.includes('.broken')).length, 1, said.join('\n'));
      first.jobs.jobFor('cloud', deviceid).enter('cloud');
      await first.whenStored();
      assert.ok(existsSync(file()));
    });
  }

  it('leaves out what it cannot read of a file, keeps a copy, and uses the rest', async () => {
    const first = host();
    first.runs.begin(request(first, 'upgrade'));
    await new Promise((resolve) => setImmediate(resolve));
    const job = first.jobs.openJob(deviceid);
    assert.ok(job);
    job.download = new UpgradeDownload();
    job.evidence.add({ kind: 'dialled', peer: '192.0.2.7', port: 'tls' });
    await first.whenStored();
    const content = keptJobs<JobRecord>(folder);
    assert.ok(content);
    const [record] = content.jobs;
    assert.ok(record);
    const { startedAt } = record.snapshot;
    const spoiled = JSON.stringify({
      format: 'sonota-jobs/1',
      jobs: [
        {
          ...record,
          newer: 'field',
          snapshot: { ...record.snapshot, stages: { ...record.snapshot.stages, soldering: { startedAt } } },
          download: { size: 'big' },
          visit: { since: 'yesterday', peer: '192.168.4.1', deliveries: {} },
          evidence: [
            { at: 1, kind: 'addresses' },
            { at: 1e300, kind: 'session-lost' },
            { at: 1, kind: 'telepathy' },
            null,
            ...record.evidence,
          ],
        },
        { id: 'x' },
      ],
      tickets: [...content.tickets, { id: 'x', nodeId: 'y', stage: 'z' }],
      queue: { isPaused: 7 },
    });
    await writeFile(formerFile(), spoiled);

    const second = host();
    const again = second.jobs.openJob(deviceid);
    assert.equal(second.jobs.all().length, 1);
    assert.deepEqual(
      again?.evidence.all.map(({ kind }) => kind),
      ['dialled'],
    );
    assert.deepEqual(Object.keys(again?.snapshot().stages ?? {}), ['upgrade']);
    assert.ok(again?.download?.mayBeWritten, 'it may have been offered');
    assert.equal(second.runs.pending.claim('upgrade').length, 1);
    assert.equal(second.queue.snapshot().state, 'idle');
    assert.equal(readFileSync(`${formerFile()}.broken`, 'utf8'), spoiled);
    await second.open();
    const told = said.filter((text) => text.includes('.broken'));
    assert.equal(told.length, 1, said.join('\n'));
    assert.match(told[0] ?? '', /without 10 parts of it: jobs\.0\.snapshot\.stages\.soldering /);
  });

  describe('of a former version', () => {
    const former = JSON.stringify({ format: 'sonota-jobs/1', jobs: [JOB], tickets: [PENDING] });

    it('is read once, and kept for a return to that version', async () => {
      await mkdir(join(folder, 'jobs'));
      await writeFile(formerFile(), former);
      const first = host();
      assert.equal(first.jobs.all()[0]?.id, JOB.id);
      assert.ok(existsSync(formerFile()), 'nothing is on disk yet');
      first.jobs.jobFor('cloud', '1000000009').enter('cloud');
      await first.whenStored();
      assert.deepEqual(readdirSync(join(folder, 'jobs')).sort(), ['host.json.old', 'host.jsonl']);
      assert.equal(readFileSync(`${formerFile()}.old`, 'utf8'), former);
      assert.equal(keptJobs(folder)?.jobs.length, 2);
    });

    it('is newer where an older version has run since', async () => {
      const first = host();
      first.runs.begin(request(first, 'cloud'));
      await Promise.resolve();
      await Promise.resolve();
      await first.whenStored();
      await writeFile(formerFile(), former);
      assert.deepEqual(
        host()
          .jobs.all()
          .map(({ id }) => id),
        [JOB.id],
      );
    });

    it('goes with its host, as do its images', async () => {
      await mkdir(join(folder, 'jobs', 'host.images'), { recursive: true });
      await writeFile(join(folder, 'jobs', 'host.images', 'x.bin'), '');
      await writeFile(formerFile(), former);
      await writeFile(`${formerFile()}.old`, former);
      await host().close({ forget: true });
      assert.deepEqual(readdirSync(join(folder, 'jobs')), []);
    });
  });

  describe('whose file is damaged', () => {
    /** Two jobs whose newest checkpoints are the last two lines, and the lines of the file. */
    async function twoJobs(): Promise<string[]> {
      const first = host();
      const outlets = ['1000000001', '1000000002'].map((id) => {
        first.runs.begin(request(first, 'cloud', { deviceid: id, findJob: () => first.jobs.jobFor('cloud', id) }));
        return id;
      });
      await Promise.resolve();
      await Promise.resolve();
      await first.whenStored();
      for (const id of outlets) {
        first.jobs.latest(id)?.learn({ ip: `192.0.2.${id.at(-1)}` });
        await first.whenStored();
      }
      return readFileSync(file(), 'utf8').split('\n');
    }
    const addresses = (on: FlashHost): unknown[] => on.jobs.all().map(({ facts }) => facts.ip);

    it('loses the line that a crash has cut off, and says nothing of it', async () => {
      const lines = await twoJobs();
      assert.deepEqual(addresses(host()), ['192.0.2.1', '192.0.2.2']);
      const whole = lines.join('\n');
      for (const cut of [1, 2, 40]) {
        await writeFile(file(), whole.slice(0, -cut));
        const second = host();
        assert.deepEqual(addresses(second), ['192.0.2.1', undefined]);
        // The next write must not be put behind half a line.
        second.jobs.latest('1000000002')?.learn({ ip: '192.0.2.3' });
        await second.whenStored();
        assert.deepEqual(addresses(host()), ['192.0.2.1', '192.0.2.3']);
      }
      assert.deepEqual(said, []);
    });

    it('is used without a line that cannot be read, of which it keeps a copy', async () => {
      const lines = await twoJobs();
      const damaged = lines.with(-3, `${lines.at(-3)?.slice(0, 30)}\u0000`).join('\n');
      await writeFile(file(), damaged);
      const second = host();
      assert.deepEqual(addresses(second), [undefined, '192.0.2.2']);
      assert.equal(readFileSync(`${file()}.broken`, 'utf8'), damaged);
      await second.open();
      assert.match(said.join('\n'), /is used without a line of it that cannot be read/);
    });

    for (const [what, text] of [
      ['nothing', ''],
      ['another format', '{"format":"sonota-jobs/99"}\n{"jobs":[]}\n'],
      ['no format', '{"jobs":[]}\n'],
      ['no JSON', '\u0000\u0000\u0000\n'],
      ['half a line', '{"format":"sonota-jobs/2"}'],
    ]) {
      it(`is set aside where it holds ${what}`, async () => {
        await mkdir(join(folder, 'jobs'));
        await writeFile(file(), text!);
        const first = host();
        assert.deepEqual(first.jobs.all(), []);
        assert.equal(readFileSync(`${file()}.broken`, 'utf8'), text);
        await first.open();
        assert.equal(said.filter((line) => line.includes('.broken')).length, 1, said.join('\n'));
        first.jobs.jobFor('cloud', deviceid).enter('cloud');
        await first.whenStored();
        assert.equal(keptJobs(folder)?.jobs.length, 1);
      });
    }
  });

  /** Starts a stage and resolves when it has ended, whether or not its outcome was received. */
  function endOf(
    on: FlashHost,
    about: StageRequest,
  ): { begun: ReturnType<FlashHost['runs']['begin']>; outcome: Promise<unknown> } {
    const recorder = new Recorder();
    on.runs.attach(about.nodeId, recorder);
    const begun = on.runs.begin(about);
    return { begun, outcome: recorder.outcome(begun) };
  }
});
