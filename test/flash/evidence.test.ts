import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ErrorCode } from '../../lib/errors';
import { bundleOf, observationsIn } from '../../lib/flash/job/evidence-bundle';
import { JobEvidence } from '../../lib/flash/job/evidence';
import { Job } from '../../lib/flash/job/job';
import { judge } from '../../lib/flash/verdict/verdict';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { replayOf } from '../../lib/virtual/replay';
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

describe('flash/evidence', () => {
  it('keeps no more than it may, and of what repeats itself the newest', () => {
    const evidence = new JobEvidence();
    evidence.add({ kind: 'upgrade-sent', version: '1', session: 1 });
    for (let n = 0; n < 3000; n++) evidence.add({ kind: 'message', direction: 'in', text: `${n}` });
    assert.equal(evidence.all.length, 1000);
    assert.equal(evidence.all[0]?.kind, 'upgrade-sent');
    const last = evidence.all.at(-1);
    assert.equal(last?.kind === 'message' && last.text, '2999');
  });

  it('keeps the last dispatch of each peer in a stage, with their count', () => {
    const evidence = new JobEvidence();
    const dispatch = (peer: string, deviceid: string, proof: { isProven?: true } = {}): void =>
      evidence.add({
        kind: 'dispatched',
        peer,
        via: 'tls',
        deviceid,
        model: 'ITA-GZ1-GL',
        romVersion: '1.5.5',
        ...proof,
      });
    const seen = (): unknown[] =>
      evidence.all.map((one) => (one.kind === 'dispatched' ? [one.peer, one.deviceid, one.count] : one.kind));
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1, deviceid: DEVICE });
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    for (let n = 0; n < 3000; n++) dispatch('192.0.2.66', `1000${String(n).padStart(6, '0')}`);
    dispatch('192.0.2.66', DEVICE);
    dispatch('192.0.2.7', DEVICE);
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    assert.deepEqual(seen(), [
      'stage',
      ['192.0.2.66', '1000002999', 3000],
      ['192.0.2.66', DEVICE, undefined],
      ['192.0.2.7', DEVICE, undefined],
      ['192.0.2.7', DEVICE, 2],
    ]);
    evidence.add({ kind: 'stage', stage: 'upgrade', event: 'began', seconds: 1, deviceid: DEVICE });
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    assert.equal(evidence.all.length, 7);
  });

  it('loses nothing of what happened once to any number of what repeats', () => {
    const evidence = new JobEvidence();
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1, deviceid: DEVICE });
    evidence.add({ kind: 'message', direction: 'in', text: 'the first' });
    evidence.add({ kind: 'registered', peer: '192.0.2.7', via: 'tls' });
    for (let n = 0; n < 3000; n++) {
      const peer = `192.0.2.${n % 250}`;
      evidence.add({ kind: 'dialled', peer, port: 'plain' });
      evidence.add({ kind: 'image-requested', role: 'user1', class: 'range', first: n, size: 4096 });
    }
    assert.deepEqual(
      evidence.all.slice(0, 3).map(({ kind }) => kind),
      ['stage', 'message', 'registered'],
    );
    assert.equal(evidence.all.length, 1000);
  });

  it('keeps the beginnings of stages, though nothing else is left to forget', () => {
    const evidence = new JobEvidence();
    for (let n = 0; n < 600; n++) {
      evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: n });
      evidence.add({ kind: 'acknowledged', error: 404 });
    }
    assert.equal(evidence.all.filter(({ kind }) => kind === 'stage').length, 600);
    assert.equal(evidence.all.length, 1000);
  });

  it('keeps a look only where it is not as before, and anew in every stage', () => {
    const evidence = new JobEvidence();
    const look = (answered: boolean): void => evidence.addIfNew({ kind: 'finalstage-looked', answered });
    look(false);
    look(false);
    look(true);
    look(false);
    evidence.add({ kind: 'stage', stage: 'finalstage', event: 'began', seconds: 1 });
    look(false);
    assert.deepEqual(
      evidence.all.map((seen) => (seen.kind === 'finalstage-looked' ? seen.answered : seen.kind)),
      [false, true, false, 'stage', false],
    );
  });

  it('keeps one bare connection in five seconds, and the first after each request', () => {
    const evidence = new JobEvidence();
    for (let at = 0; at < 20_000; at += 500) evidence.add({ kind: 'finalstage-dialled' }, at);
    assert.equal(evidence.all.length, 4);
    evidence.add({ kind: 'finalstage-requested', image: 'final', size: 4096 }, 20_000);
    evidence.add({ kind: 'finalstage-dialled' }, 20_100);
    assert.equal(evidence.all.length, 6);
  });

  it('shows no key, no Wi-Fi and no whole device id in its bundle', () => {
    const job = new Job('cloud', DEVICE);
    job.learn({ mac: '5c:cf:7f:01:02:03', ip: '192.168.1.20' });
    job.evidence.hide('my home');
    job.evidence.hide('range');
    const key = '11111111-2222-3333-4444-555555555555';
    const seen = `{"apikey":"${key}","deviceid":"${DEVICE}","params":{"ssid":"Other \\" net","staMac":"5C:CF:7F:01:02:03","note":"my home"}}`;
    job.evidence.add({ kind: 'message', direction: 'in', text: seen });
    job.evidence.add({ kind: 'image-requested', role: 'user2', class: 'range', first: 0, size: 8192 });
    job.evidence.add({ kind: 'malformed', peer: '192.168.1.20', reason: `hunter2, 1000ffffff and ${key}` });
    const bundle = bundleOf(job, { ...ABOUT, secrets: ['hunter2', undefined, ''] });
    for (const secret of ['11111111', DEVICE, '1000ffffff', 'Other', 'my home', 'hunter2', '01:02:03']) {
      assert.ok(!bundle.includes(secret), secret);
    }
    assert.match(bundle, /…b2c3/);
    assert.match(bundle, /…ffff/);
    assert.match(bundle, /"class":"range"/, 'a Wi-Fi of that name hides nothing else');
    const [header, ...lines] = bundle
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(header?.['bundle'], 1);
    assert.equal(lines.length, 3);
    assert.match(String(lines[0]?.['at']), /^\d{4}-\d\d-\d\dT/);
  });

  describe('replayed by the virtual Sonoff', function () {
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
});
