import * as assert from 'node:assert';
import { whyNoBus } from '../net/wifi/private-bus';
import {
  type Case,
  CASE_LIMIT_MS,
  DEVICE_ID,
  FACTORY_KEY,
  flashOnce,
  HOME_WIFI,
  type Outcome,
  stagesOf,
  story,
} from './lab';
import { whyNoAir } from './air';

const CHUNK = 4096;
/** The 3 s of docs/dev/design.md#3.6, less what two processes' clocks and a rounded timer may differ by. */
const GONE_MS = 2950;

/** The products that the lab's device of each class states. */
const PRODUCTS = {
  range: { model: 'ITA-GZ1-GL', romVersion: '1.5.5' },
  'no-range': { model: 'PSB-B04-GL', romVersion: '1.3.0' },
  plain: { model: 'PSC-B01-GL', romVersion: '2.0.2' },
};

const HOSTS = {
  two: 'a host with Ethernet and Wi-Fi',
  one: 'a host with one interface',
  itself: 'a host that joins by itself',
};

/** Each is a Node-RED that mostly waits; with more of them a small machine would be late. */
const AT_ONCE = 4;

/** The tests of these cases: one flash each. */
export function flashes(cases: readonly Case[]): void {
  describe('the flows of examples 02 and 13, a stock Sonoff that is not ours, and the addresses of the real world', function () {
    const outcomes = new Map<Case, Promise<Outcome>>();
    let running = 0;
    let judged = cases[0]!;

    /** Runs the case, and beside it as many of those behind it as fit; they are judged when their turn comes. */
    async function run(about: Case): Promise<Outcome> {
      judged = about;
      begin(about);
      fill();
      return await outcomes.get(about)!;
    }

    function fill(): void {
      for (const next of cases.slice(cases.indexOf(judged))) if (running < AT_ONCE) begin(next);
    }

    function begin(about: Case): void {
      if (outcomes.has(about)) return;
      running++;
      const outcome = flashOnce(about);
      outcomes.set(about, outcome);
      const ended = (): void => {
        running--;
        if (about !== judged) fill();
      };
      outcome.then(ended, ended);
    }

    before(function () {
      const reason = whyNoAir();
      if (reason === undefined) return;
      console.log(`    the lab is skipped: ${reason}`);
      this.skip();
    });

    after('everything has been removed', async function () {
      this.timeout(CASE_LIMIT_MS);
      await Promise.allSettled(outcomes.values());
    });

    for (const about of cases) {
      it(title(about), async function () {
        if (about.layout === 'itself' && whyNoBus() !== undefined) {
          console.log(`    skipped: ${whyNoBus()}`);
          this.skip();
        }
        this.timeout(CASE_LIMIT_MS * 2);
        this.slow(CASE_LIMIT_MS);
        judge(about, await run(about));
      });
    }
  });
}

function title({ class: kind, slot, layout, vanish, powerCut, oneHop, phone }: Case): string {
  const host = HOSTS[layout];
  const trouble = powerCut ? ', power failing before the last sector' : vanish ? ', restarts without a goodbye' : '';
  if (phone) return `${kind}, stock in slot ${slot}, ${host}, a phone in FinalStage that asks for the final image`;
  return `${oneHop ? 'in one hop: ' : ''}${kind}, stock in slot ${slot}, ${host}${trouble}`;
}

function judge(about: Case, outcome: Outcome): void {
  try {
    judgeDevice(about, outcome);
    judgeResults(about, outcome);
    judgeJob(about, outcome);
    judgeProgress(about, outcome);
    if (about.layout === 'itself') judgeRadio(outcome);
    if (about.phone) judgePhone(outcome);
    assert.ok(!outcome.written.includes(HOME_WIFI.password), 'the Wi-Fi password is written somewhere in clear');
    assert.ok(!outcome.written.includes(FACTORY_KEY), "the device's key is written somewhere in clear");
  } catch (error) {
    if (error instanceof Error) error.message += `\n${story(outcome.device, outcome.records)}`;
    throw error;
  }
}

/** One Inject, and no hand on the Wi-Fi; nothing of it stays. */
function judgeRadio({ joined, left }: Outcome): void {
  assert.deepStrictEqual(joined, [`ITEAD-${DEVICE_ID}`, 'FinalStage']);
  assert.deepStrictEqual(left, { profiles: [], active: [undefined] });
}

/** It was answered before the device was through, and got nothing. */
function judgePhone({ phone }: Outcome): void {
  assert.ok(phone.length > 0, 'the phone was never answered');
  assert.deepStrictEqual([...new Set(phone)], ['HTTP/1.1 404 Not Found']);
}

function judgeDevice(about: Case, { exitCode, device, finalSha256, userBytes }: Outcome): void {
  const of = (event: string) => device.filter((entry) => entry.event === event);
  assert.deepStrictEqual(of('fault'), [], 'the device saw what its firmware cannot read');
  assert.deepStrictEqual(of('stderr'), []);
  assert.strictEqual(exitCode, 0);
  assert.strictEqual(of('done')[0]?.['flashSha256'], finalSha256);
  assert.strictEqual(of('upgrade').length, 1, 'it succeeds at the first attempt');
  assert.deepStrictEqual(of('disconnected'), []);
  assert.deepStrictEqual(of('finalstage-refused'), []);
  const slot = about.slot === 1 ? 2 : 1;
  const [downloaded] = of('downloaded');
  const requests = about.class === 'range' ? Math.ceil(userBytes[slot] / CHUNK) : 1;
  assert.deepStrictEqual(
    [downloaded?.['slot'], downloaded?.['requests'], downloaded?.['connections']],
    [slot, requests, 1],
  );
  const visits = about.oneHop ? 0 : (slot === 1 ? 2 : 1) + (about.powerCut ? 1 : 0);
  assert.strictEqual(of('finalstage-up').length, visits);
  assert.strictEqual(of('relocated').length, about.oneHop ? 1 : 0);
}

function judgeResults(about: Case, { device, records }: Outcome): void {
  const stages = stagesOf(about);
  const ends = records.filter(({ kind }) => kind === 'result' || kind === 'error');
  assert.deepStrictEqual(
    ends.map(({ kind, node }) => `${kind} ${node}`),
    stages.map((stage) => `result ${stage}`),
    'one result of each stage, in this order, and no error',
  );
  assert.strictEqual(records.filter(({ kind }) => kind === 'complete').length, stages.length, 'done() once per stage');
  if (about.oneHop) return judgeNewFirmware(ends.at(-1)!.msg.payload);
  const gone = device.filter(({ event }) => event === 'finalstage-down').at(-1)!;
  assert.ok(ends[3]!.at >= gone.at + GONE_MS, 'the last result came before FinalStage was gone for 3 s');
}

function judgeNewFirmware(found: unknown): void {
  const { kind, version, url, mac } = found as Record<string, unknown>;
  const expected = { kind: 'tasmota', version: '14.1.0', url: 'http://192.168.4.1', mac: '5C:CF:7F:12:34:56' };
  assert.deepStrictEqual({ kind, version, url, mac }, expected);
}

function judgeJob(about: Case, { records }: Outcome): void {
  const { msg } = records.filter(({ kind }) => kind === 'result').at(-1)!;
  const job = msg.sonota!;
  assert.strictEqual(msg['foreign'], 'kept');
  assert.strictEqual(msg.deviceid, DEVICE_ID);
  assert.strictEqual(typeof msg.payload, 'object');
  const { deviceid, model, romVersion, ip, stage, percent } = job;
  assert.deepStrictEqual(
    { deviceid, model, romVersion, ip, stage, percent },
    { deviceid: DEVICE_ID, ...PRODUCTS[about.class], ip: '192.168.77.20', stage: 'done', percent: 100 },
  );
  assert.match(String(job['mac']), /^5C:CF:7F:12:34:56$/i);
  const stages = job['stages'] as Record<string, { startedAt: string; endedAt: string; percent: number }>;
  const last = about.oneHop ? 'newfirmware' : 'finalstage';
  assert.deepStrictEqual(Object.keys(stages), ['provision', 'cloud', 'upgrade', last]);
  let before = String(job['startedAt']);
  for (const { startedAt, endedAt } of Object.values(stages)) {
    for (const time of [startedAt, endedAt]) assert.strictEqual(new Date(time).toISOString(), time);
    assert.ok(before <= startedAt && startedAt <= endedAt, `${before} ${startedAt} ${endedAt}`);
    before = endedAt;
  }
}

function judgeProgress(about: Case, { records }: Outcome): void {
  const stages = stagesOf(about);
  const progress = records.filter(({ kind }) => kind === 'progress');
  let before = 0;
  for (const { node, msg } of progress) {
    const percent = msg.payload as number;
    assert.ok(percent >= before, `${percent} % after ${before} %`);
    assert.strictEqual(percent, msg.sonota?.['percent']);
    assert.ok((percent === 100) <= (node === stages.at(-1)), '100 % only by the last stage');
    assert.ok((msg.text ?? '').length > 0);
    assert.match(msg.topic ?? '', /^(unknown|10000a1b2c)\/(provision|cloud|upgrade|finalstage|newfirmware|done)$/);
    before = percent;
  }
  assert.strictEqual(before, 100);
  for (const stage of stages) {
    const times = progress.filter(({ node }) => node === stage).map(({ at }) => at);
    assert.ok(times.length > 0, `${stage} put out no progress`);
    const seconds = (times.at(-1)! - times[0]!) / 1000;
    assert.ok(times.length <= 4 * seconds + 3, `${stage}: ${times.length} messages in ${seconds} s`);
  }
}
