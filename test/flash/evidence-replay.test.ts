import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ErrorCode } from '../../lib/errors';
import { bundleOf, observationsIn } from '../../lib/flash/job/evidence-bundle';
import type { Job } from '../../lib/flash/job/job';
import { judge } from '../../lib/flash/verdict/rules/judge';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { replayOf } from '../../lib/virtual/device/replay';
import type { VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { closeBenches, FIRMWARE, HOME, openBench, type Bench, type Begun } from './bench';

const DEVICE = '1000a1b2c3';
const ABOUT = { versions: { node: 'v20' }, secrets: [] };
/** Large enough that not all of one fits into the buffers of a connection. */
const SOURCES = {
  ...FIRMWARE,
  user2: makeUserImage({ slot: 2, size: 40_960 }),
  final: makeFinalImage({ size: 400_000 }),
};

/** With these a stage waits until its time is over. */
const ENDED_BY_TIME = new Set(['nothing-arrived', 'message-malformed', 'finalstage-stalled', 'finalstage-timeout']);

/** Two flashes at the pace of a device; a busy machine takes many times as long. */
const REPLAY_LIMIT_MS = 600_000;

describe('flash/evidence: replayed by the virtual Sonoff', function () {
  this.timeout(REPLAY_LIMIT_MS);
  afterEach(closeBenches);

  /** Takes a device through its flash until something ends it; the code that it ended with, and the bundle. */
  async function flash(
    options: Partial<VirtualSonoffOptions>,
    expected: ErrorCode | 'flashed',
  ): Promise<{ code: string; bundle: string }> {
    const bench: Bench = await openBench();
    const device = await bench.factoryDevice(options);
    const { apPort } = await device.start();
    const of = { deviceid: DEVICE, url: device.finalStageUrl };
    // A stage that no device ends is over when the device has done what it is expected to end with.
    const ended = async (stage: Begun): Promise<unknown> => {
      const over = async (code: ErrorCode): Promise<void> => {
        if (code === 'finalstage-timeout') await seesFinalStage(await stage.job());
        await stage.overAs(code);
      };
      if (ENDED_BY_TIME.has(expected)) over(expected as ErrorCode).catch(() => undefined);
      return stage.outcome;
    };
    const outcome = await bench
      .begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` })
      .outcome.then(() => ended(bench.begin('cloud', of)))
      .then(() => ended(bench.begin('upgrade', { ...of, sources: SOURCES })))
      .then(() => ended(bench.begin('finalstage', of)))
      .then(() => ({ code: 'flashed' }))
      .catch((error: { code: string }) => error);
    const job = bench.host.jobs.latest(DEVICE);
    assert.ok(job);
    return { code: outcome.code, bundle: bundleOf(job, ABOUT) };
  }

  async function seesFinalStage({ evidence }: Job): Promise<void> {
    const isSeen = (): boolean => evidence.all.some((seen) => seen.kind === 'finalstage-looked' && seen.answered);
    while (!isSeen()) await once(evidence, 'changed');
  }

  const devices: [Partial<VirtualSonoffOptions>, ErrorCode | 'flashed'][] = [
    [{ transport: 'plain', fault: 'refuse-406', slot: 2, model: 'PSA-BHA-GL', romVersion: '2.0.1' }, 'model-refused'],
    [{ fault: 'wrong-wifi-password' }, 'nothing-arrived'],
    [{ transport: 'verifying' }, 'certificate-rejected'],
    [{ fault: 'garbage-dispatch' }, 'message-malformed'],
    [{ fault: 'refuse-409' }, 'digest-refused'],
    [{ fault: 'refuse-499' }, 'unexplained'],
    [{ fault: 'connection-lost-always' }, 'download-failed'],
    [{ fault: 'download-restarts' }, 'download-restarts'],
    [{ fault: 'crash-during-upgrade', timings: { joinHome: 300 } }, 'flashed'],
    [{ fault: 'stream-cut' }, 'finalstage-stalled'],
    [{ fault: 'finalstage-blocked' }, 'finalstage-timeout'],
  ];
  for (const [options, expected] of devices) {
    const title = [options.fault, options.transport].filter(Boolean).join(', ') || 'a healthy device';
    it(`ends as it did: ${title}`, async () => {
      const first = await flash(options, expected);
      assert.equal(first.code, expected, first.bundle);
      const verdict = judge(observationsIn(first.bundle), Date.now());
      assert.equal(verdict.code, expected === 'flashed' ? 'on-course' : expected);
      const replayed = await flash(replayOf(first.bundle), expected);
      assert.equal(replayed.code, expected, first.bundle);
    });
  }

  it('takes nothing that is no bundle', () => {
    for (const text of ['', '{}', 'not JSON', '{"bundle":2}\n', '{"bundle":1}\n[1]\n', '[]']) {
      assert.throws(() => replayOf(text), RangeError, text);
    }
  });
});
