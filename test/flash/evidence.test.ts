import assert from 'node:assert/strict';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { JobEvidence } from '../../lib/flash/job/evidence';
import { Job } from '../../lib/flash/job/job';
import { PATIENCE } from '../../lib/flash/verdict/patience';
import type { Observation, NewObservation } from '../../lib/flash/observation';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { quoted, type Wording } from '../../lib/wordings/wording';

const DEVICE = '1000a1b2c3';
const ABOUT = { versions: { node: 'v20' }, secrets: [] };
/** Observations that repeat by nature, or that any peer can cause. */
const REPEATING: readonly Observation['kind'][] = [
  'message',
  'dispatched',
  'image-requested',
  'image-sent',
  'image-ended',
  'registered',
  'session-lost',
  'dialled',
  'finalstage-dialled',
  'malformed',
  'tls-failed',
  'stranger',
  'connection-refused',
  'left-unregistered',
  'unlock-asked',
];

describe('flash/evidence', () => {
  afterEach(timeGoesOn);

  it('keeps no more than it may, and of what repeats itself the newest', () => {
    const evidence = new JobEvidence();
    evidence.add({ kind: 'upgrade-sent', version: '1', session: 1 });
    for (let n = 0; n < 3000; n++) evidence.add({ kind: 'message', direction: 'in', text: `${n}` });
    assert.equal(evidence.all.length, 1000);
    assert.equal(evidence.all[0]?.kind, 'upgrade-sent');
    const last = evidence.all.at(-1);
    assert.equal(last?.kind === 'message' && last.text, '2999');
    evidence.add({ kind: 'message', direction: 'in', text: '3000' });
    const texts = evidence.all.map((seen) => seen.kind === 'message' && seen.text);
    assert.deepEqual(texts, [false, ...Array.from({ length: 999 }, (_, index) => `${2002 + index}`)]);
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
    evidence.add({ kind: 'stage', stage: 'provision', event: 'began', seconds: 1 });
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1, deviceid: DEVICE });
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    for (let n = 0; n < 3000; n++) dispatch('192.0.2.66', `1000${String(n).padStart(6, '0')}`);
    dispatch('192.0.2.66', DEVICE);
    dispatch('192.0.2.7', DEVICE);
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    evidence.add({ kind: 'registered', peer: '192.0.2.66', via: 'tls' });
    assert.deepEqual(seen(), [
      ...['stage', 'stage'],
      ['192.0.2.66', '1000002999', 3000],
      ['192.0.2.66', DEVICE, undefined],
      ['192.0.2.7', DEVICE, undefined],
      ['192.0.2.7', DEVICE, 2],
      'registered',
    ]);
    evidence.add({ kind: 'stage', stage: 'upgrade', event: 'began', seconds: 1, deviceid: DEVICE });
    dispatch('192.0.2.7', DEVICE, { isProven: true });
    assert.equal(evidence.all.length, 9);
  });

  it('keeps of a row of ranges the first and the newest, with their count, and reports the first alone', () => {
    const evidence = new JobEvidence();
    let told = 0;
    evidence.on('changed', () => (told += 1));
    const ask = (first: number, randPosition?: number, role: 'user1' | 'user2' = 'user2'): void =>
      evidence.add({
        kind: 'image-requested',
        role,
        class: 'range',
        first,
        size: 40_960,
        ...(randPosition === undefined ? {} : { randPosition }),
      });
    const kept = (): unknown[] =>
      evidence.all.map((seen) => (seen.kind === 'image-requested' ? [seen.first, seen.count] : seen.kind));
    for (let n = 0; n < 5; n++) ask(4096 * n, n + 3);
    assert.deepEqual(kept(), [
      [0, undefined],
      [16_384, 4],
    ]);
    assert.equal(told, 1);
    evidence.add({ kind: 'message', direction: 'in', text: 'in between' });
    ask(20_480, 8);
    assert.deepEqual(kept(), [[0, undefined], 'message', [20_480, 5]]);

    const before = kept();
    const begins: [string, () => void, unknown[]][] = [
      ['the same piece again', () => ask(20_480, 9), [20_480, undefined]],
      ['a gap', () => ask(28_672, 10), [28_672, undefined]],
      ['the sequence of a device that has restarted', () => ask(32_768, 3), [32_768, undefined]],
      ['the same place in the sequence, where it restarted before', () => ask(36_864, 3), [36_864, undefined]],
      ['a request without a place in the sequence', () => ask(40_960), [40_960, undefined]],
      ['another file', () => ask(45_056, undefined, 'user1'), [45_056, undefined]],
    ];
    for (const [what, act, expected] of begins) {
      act();
      before.push(expected);
      assert.deepEqual(kept(), before, what);
    }
    for (const kind of ['acknowledged', 'session-lost', 'upgrade-sent', 'stage'] as const) {
      ask(0);
      if (kind === 'acknowledged') evidence.add({ kind, error: 404 });
      if (kind === 'session-lost') evidence.add({ kind });
      if (kind === 'upgrade-sent') evidence.add({ kind, version: '1', session: 1 });
      if (kind === 'stage') evidence.add({ kind, stage: 'upgrade', event: 'over' });
      ask(4096);
      before.push([0, undefined], kind, [4096, undefined]);
      assert.deepEqual(kept(), before, kind);
    }
    for (const first of [8192, 12_288, 16_384]) ask(first);
    assert.deepEqual(kept(), [...before, [16_384, 3]], 'a later row goes on in the same way');
  });

  it('keeps no more than it may of any number of rows', () => {
    const evidence = new JobEvidence();
    evidence.add({ kind: 'acknowledged', error: 404 });
    for (let n = 0; n < 1500; n++) {
      for (const first of [0, 4096]) {
        evidence.add({ kind: 'image-requested', role: 'user1', class: 'range', first, size: 40_960 }, 1000 * n);
      }
    }
    assert.equal(evidence.all.length, 1000);
    const row = { kind: 'image-requested', role: 'user1', class: 'range', size: 40_960, at: 1_499_000 };
    assert.deepEqual(evidence.all.slice(-2), [
      { ...row, first: 0 },
      { ...row, first: 4096, count: 1 },
    ]);
    assert.equal(evidence.all[0]?.kind, 'acknowledged');
  });

  it('keeps the times of the first and of the newest of a row', () => {
    const evidence = new JobEvidence();
    for (let n = 0; n < 4; n++) {
      evidence.add({ kind: 'image-requested', role: 'user1', class: 'range', first: 4096 * n, size: 40_960 }, 1000 * n);
    }
    const row = { kind: 'image-requested', role: 'user1', class: 'range', size: 40_960 };
    assert.deepEqual(evidence.all, [
      { ...row, at: 0, first: 0 },
      { ...row, at: 3000, first: 12_288, count: 3 },
    ]);
  });

  it('counts the dispatches of a peer with nothing else of it, also before a stage has begun', () => {
    const evidence = new JobEvidence();
    const of = { kind: 'dispatched', peer: '192.0.2.7', via: 'tls', model: 'ITA-GZ1-GL', romVersion: '1.5.5' } as const;
    evidence.add({ ...of, deviceid: '1000000001' }, 1000);
    evidence.add({ kind: 'registered', peer: '192.0.2.7', via: 'tls' }, 2000);
    evidence.add({ ...of, deviceid: '1000000002' }, 3000);
    const before = [
      { at: 2000, kind: 'registered', peer: '192.0.2.7', via: 'tls' },
      { ...of, at: 3000, deviceid: '1000000002', count: 2 },
    ];
    assert.deepEqual(evidence.all, before);
    const began = { kind: 'stage', stage: 'cloud', event: 'began', seconds: 1, deviceid: DEVICE } as const;
    evidence.add(began, 4000);
    evidence.add({ kind: 'registered', peer: '192.0.2.7', via: 'tls' }, 5000);
    evidence.add({ ...of, deviceid: '1000000003' }, 6000);
    assert.deepEqual(evidence.all, [
      ...before,
      { ...began, at: 4000 },
      { at: 5000, kind: 'registered', peer: '192.0.2.7', via: 'tls' },
      { ...of, at: 6000, deviceid: '1000000003' },
    ]);
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

  it('keeps a look only where it is not as before, and again in every stage', () => {
    const evidence = new JobEvidence();
    const look = (answered: boolean): void => evidence.addIfNew({ kind: 'finalstage-looked', answered });
    look(false);
    look(false);
    look(true);
    look(false);
    evidence.add({ kind: 'stage', stage: 'finalstage', event: 'began', seconds: 1 });
    look(false);
    evidence.add({ kind: 'stage', stage: 'finalstage', event: 'over' });
    look(false);
    assert.deepEqual(
      evidence.all.map((seen) => (seen.kind === 'finalstage-looked' ? seen.answered : seen.kind)),
      [false, true, false, 'stage', false, 'stage'],
    );
  });

  it('keeps one bare connection in five seconds, and the first after each request', () => {
    const evidence = new JobEvidence();
    for (let at = 0; at < 16_000; at += 500) evidence.add({ kind: 'finalstage-dialled' }, at);
    const times = (): number[] => evidence.all.map(({ at }) => at);
    assert.deepEqual(times(), [0, 5000, 10_000, 15_000]);
    evidence.add({ kind: 'finalstage-requested', image: 'final', size: 4096 }, 16_000);
    for (const at of [16_100, 16_200]) evidence.add({ kind: 'finalstage-dialled' }, at);
    assert.deepEqual(times().slice(4), [16_000, 16_100]);
    evidence.add({ kind: 'dialled', peer: '192.168.4.1', port: 'images' }, 16_300);
    evidence.add({ kind: 'finalstage-dialled' }, 16_400);
    assert.deepEqual(times().slice(6), [16_300], 'of anything else each');
  });

  it('keeps of the connections to the images one in five seconds, and the first of each peer and after each request', () => {
    const evidence = new JobEvidence();
    const dial = (peer: string, at: number): void => evidence.add({ kind: 'dialled', peer, port: 'images' }, at);
    const kept = (): unknown[] => evidence.all.map(({ kind, at }) => [kind, at]);
    for (let at = 0; at < 9000; at += 50) dial('192.0.2.7', at);
    assert.deepEqual(kept(), [
      ['dialled', 0],
      ['dialled', 5000],
    ]);
    evidence.add({ kind: 'image-requested', role: 'user1', class: 'range', first: 0, size: 8192 }, 9000);
    for (let at = 9001; at < 9010; at++) dial('192.0.2.7', at);
    assert.deepEqual(kept().slice(2), [
      ['image-requested', 9000],
      ['dialled', 9001],
    ]);
    dial('192.0.2.8', 9010);
    assert.deepEqual(kept().slice(4), [['dialled', 9010]]);
    for (const peer of ['192.0.2.8', '192.0.2.7']) {
      for (const port of ['tls', 'plain'] as const) {
        for (const at of [9011, 9012]) evidence.add({ kind: 'dialled', peer, port }, at);
      }
    }
    assert.equal(kept().length, 13, 'of the ports of the cloud each');
    dial('192.0.2.8', 9013);
    assert.equal(kept().length, 13, 'those do not count for the images');
  });

  for (const kind of REPEATING) {
    it(`loses nothing of what happened once to ${kind}, of which there can be any number`, () => {
      const evidence = new JobEvidence();
      evidence.add({ kind: 'acknowledged', error: 404 });
      // Its other values do not change how many are kept; each comes from another peer, long after the last.
      for (let n = 1; n <= 1200; n++) evidence.add({ kind, peer: `${n}` } as unknown as NewObservation, n * 10_000);
      assert.equal(evidence.all.length, 1000);
      assert.deepEqual([evidence.all[0]?.kind, evidence.all.at(-1)?.at], ['acknowledged', 12_000_000]);
    });
  }

  it('keeps once what may come again and again, also before a stage has begun', () => {
    const evidence = new JobEvidence();
    const stranger = (peer: string): void => evidence.addOnce({ kind: 'stranger', peer, act: 'finalstage-dial' });
    for (const peer of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) stranger(peer);
    assert.equal(evidence.all.length, 2);
  });

  it('keeps once in a stage what may come again and again, and all that differs', () => {
    const evidence = new JobEvidence();
    const stranger = (peer: string): void => evidence.addOnce({ kind: 'stranger', peer, act: 'finalstage-dial' });
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 });
    stranger('192.0.2.1');
    stranger('192.0.2.2');
    stranger('192.0.2.1');
    evidence.addOnce({ kind: 'stranger', peer: '192.0.2.1', act: 'finalstage-image' });
    assert.equal(evidence.all.length, 4);
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 });
    stranger('192.0.2.1');
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'ended' });
    stranger('192.0.2.1');
    assert.equal(evidence.all.length, 7);
  });

  it('has seen at its time what it reports, and judges with it', () => {
    timeStands(['Date'], 5000);
    const evidence = new JobEvidence();
    evidence.verdict();
    const seen: unknown[] = [];
    evidence.on('changed', (isDurable) => seen.push([isDurable, evidence.all.at(-1), evidence.verdict().code]));
    evidence.add({ kind: 'device-facts', ip: '192.0.2.7' });
    const failed = { kind: 'stage', stage: 'cloud', event: 'failed', code: 'cancelled', values: {} } as const;
    evidence.add(failed);
    assert.deepEqual(seen, [
      [true, { at: 5000, kind: 'device-facts', ip: '192.0.2.7' }, 'on-course'],
      [false, { at: 5000, ...failed }, 'cancelled'],
    ]);
    timePasses(1);
    assert.equal(evidence.verdict(), evidence.verdict(5001));
  });

  it('reports everything that it keeps', () => {
    const evidence = new JobEvidence();
    assert.equal(evidence.getMaxListeners(), 0, 'to any number of stages');
    let changes = 0;
    evidence.on('changed', () => (changes += 1));
    evidence.add({ kind: 'session-lost' });
    evidence.addOnce({ kind: 'session-lost' });
    evidence.addIfNew({ kind: 'finalstage-looked', answered: false });
    assert.equal(changes, 2);
  });

  it('knows since when the device is waited for: since its set-up, else since the last stage started', () => {
    const evidence = new JobEvidence();
    assert.deepEqual([evidence.stageBeganAt, evidence.newcomersSince], [undefined, undefined]);
    evidence.add({ kind: 'stage', stage: 'provision', event: 'began', seconds: 1 }, 1000);
    evidence.add({ kind: 'stage', stage: 'provision', event: 'failed', code: 'cancelled', values: {} }, 2000);
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 }, 3000);
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'over' }, 3500);
    assert.deepEqual([evidence.stageBeganAt, evidence.newcomersSince], [3000, 3000]);
    evidence.add({ kind: 'provisioned', answer: 'accepted' }, 4000);
    evidence.add({ kind: 'provisioned', answer: 'accepted' }, 5000);
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 }, 6000);
    assert.deepEqual([evidence.stageBeganAt, evidence.newcomersSince], [6000, 5000]);
  });

  it('puts what an earlier run of the process saw before its own, and judges it all', () => {
    const evidence = new JobEvidence();
    assert.equal(evidence.verdict(3000).code, 'on-course');
    evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 }, 3000);
    const before = evidence.verdict(3000);
    assert.equal(evidence.verdict(3100), before, 'not found anew for every report');
    evidence.restore([
      { at: 1000, kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 },
      { at: 2000, kind: 'stage', stage: 'cloud', event: 'ended' },
    ]);
    assert.deepEqual(
      evidence.all.map(({ at }) => at),
      [1000, 2000, 3000],
    );
    assert.notEqual(evidence.verdict(3000), before);
  });

  it('judges again when something is seen, when time has passed, and when the clock was put back', () => {
    const evidence = new JobEvidence();
    const first = evidence.verdict(1000);
    assert.equal(evidence.verdict(1199), first);
    const second = evidence.verdict(1200);
    assert.notEqual(second, first);
    const third = evidence.verdict(500);
    assert.notEqual(third, second);
    evidence.add({ kind: 'session-lost' }, 500);
    assert.notEqual(evidence.verdict(500), third);
  });

  it('is not judged, but ends nothing, where a rule has a fault', () => {
    const evidence = new JobEvidence();
    evidence.restore([null as unknown as Observation]);
    const { text, values, ...rest } = evidence.verdict();
    assert.deepEqual(rest, { code: 'unexplained', confidence: 'likely', isFinal: false, evidence: [] });
    assert.match(text, /could not be judged: /);
    const { code, values: why } = values['reason'] as Wording;
    assert.deepEqual([code, Object.keys(why ?? {})], ['unjudged-evidence', ['message']]);
  });

  it('judges with the patience of its host', () => {
    const codes = [90_000, 60_000].map((nothingArrivedMs) => {
      const evidence = new JobEvidence();
      evidence.patience = { ...PATIENCE, nothingArrivedMs };
      evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 300 }, 0);
      return evidence.verdict(89_000).code;
    });
    assert.deepEqual(codes, ['on-course', 'nothing-arrived']);
  });

  it('hides each word once, and no empty one', () => {
    const evidence = new JobEvidence();
    for (const word of ['home', '', undefined, 'home']) evidence.hide(word);
    assert.deepEqual(evidence.secrets, ['home']);
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
    job.evidence.add({
      kind: 'malformed',
      peer: '192.168.1.20',
      reason: quoted(`hunter2, 1000ffffff, 1000fffffe and ${key}`),
    });
    const bundle = bundleOf(job, { ...ABOUT, secrets: ['hunter2', undefined, ''] });
    const secrets = ['11111111', DEVICE, '1000ffffff', '1000fffffe', 'Other', 'my home', 'hunter2', '01:02:03'];
    for (const secret of secrets) {
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
    assert.equal(lines.length, 4);
    assert.match(String(lines[0]?.['at']), /^\d{4}-\d\d-\d\dT/);
  });
});
