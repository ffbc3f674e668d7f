import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Job, type JobSnapshot } from '../../lib/flash/job/job';
import type { Seen } from '../../lib/flash/observation';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { afterwards, closeAll, serve } from '../server/serving';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, HOME, openBench, type Begun, type StageOptions } from './bench';
import { assertCode } from './refusals';
import { wording } from '../../lib/wordings/wording';

const ID = '10000a1b2c';
/** For a device that has no page: nothing that would come is waited for. */
const IMPATIENT = { apPageMs: 300 };
/** The description of a device with firmware 3.x. */
const INFO = `{"deviceid":"${ID}","apikey":"11111111-2222-4333-8444-555555555555","accept":"post","chipid":"00A1B2C3"}`;
const PAGE = '<!DOCTYPE html><html><head><title>DIY WEB</title></head></html>';
const SHOWED_PAGE = 'access point: showed its page';
const TOOK_SETTINGS = 'access point: took settings';

describe('flash/stage/provision: the method', () => {
  afterEach(async () => {
    await closeBenches();
    await closeAll();
  });

  /** Hands what is sent to a port on, and keeps it, one text for each connection. */
  async function relayTo(port: number): Promise<{ port: number; texts: string[] }> {
    const texts: string[] = [];
    const listening = await serve({
      handle: (socket) => {
        const onward = connect(port, '127.0.0.1');
        const index = texts.push('') - 1;
        socket.on('data', (data) => (texts[index] += data.toString('utf8')));
        for (const [one, other] of [
          [socket, onward],
          [onward, socket],
        ] as [Socket, Socket][]) {
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => other.destroy());
        }
      },
    });
    return { port: listening, texts };
  }

  /** A device of firmware 3.x in its access point, and a host that looks for it there through a relay. */
  async function start(options: Partial<VirtualDiyOptions> = {}, waits: object = {}) {
    const bench = await openBench({}, waits);
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: ID },
      ...{ startsIn: 'access-point', version: '3.7.6', homeNetwork: HOME },
      ...options,
    });
    afterwards(() => device.stop());
    const { apPort } = await device.start();
    const relay = await relayTo(apPort);
    const url = `http://127.0.0.1:${relay.port}`;
    const begin = (more: StageOptions = {}): Begun => bench.begin('provision', { ...HOME, url, ...more });
    return { bench, device, begin, relay };
  }

  /** The first lines of what was asked. */
  const asked = (texts: string[]): string[] => texts.map((text) => text.split(' HTTP/1.1\r\n')[0] ?? '');

  it('sends a 1.5.5 the bytes that it always got, and no other question', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice({ homeNetwork: HOME });
    const { apPort } = await device.start();
    const { port, texts } = await relayTo(apPort);
    const { found } = await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}` }).outcome;
    const https = bench.host.ports.https;
    const body = `{"version":4,"ssid":"home","password":"top secret","serverName":"127.0.0.1","port":${https}}`;
    assert.deepEqual(texts, [
      `GET /device HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      `POST /ap HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    ]);
    const { deviceid } = device;
    assert.deepEqual(found, { deviceid, answer: 'accepted', serverName: '127.0.0.1', port: https, warnings: [] });
    assert.equal(bench.host.jobs.latest(deviceid)?.route, undefined);
  });

  for (const version of ['3.5.0', '3.7.6'] as const) {
    it(`brings a ${version} that shows its page into DIY mode, and its job onto that route`, async () => {
      const { bench, device, begin, relay } = await start({ version });
      const lan = once(device, 'lan');
      const { found, job } = await begin().outcome;
      assert.deepEqual(found, { deviceid: ID, method: 'diy', answer: 'accepted', warnings: [] });
      assert.deepEqual([job.intermediate, job.percent], ['diy', 10]);
      await lan;
      assert.equal(device.state, 'diy-mode');
      assert.deepEqual(asked(relay.texts), ['GET /device', 'GET /', 'POST /ap_diy']);
      const { evidence } = bench.host.jobs.latest(ID)!;
      const [{ at, ...seen } = { at: 0 }] = evidence.all.filter(({ kind }) => kind === 'provisioned');
      assert.ok(at > 0);
      assert.deepEqual(seen, { kind: 'provisioned', answer: 'accepted', route: 'diy' });
      assert.deepEqual(bench.host.jobs.awaitingDevice(), [], 'it will not dial');
    });
  }

  describe('with firmware 3.x that has no DIY mode, such as an S31 with 3.5.0', () => {
    const s31 = () => start({ version: '3.5.0', model: 'S31', fault: 'no-diy-mode' }, IMPATIENT);

    it('refuses it before anything is posted', async () => {
      const { device, begin, relay, bench } = await s31();
      const error = await assertCode(begin().outcome, 'diy-mode-missing');
      assert.deepEqual(error.values, { deviceid: ID, url: `http://127.0.0.1:${relay.port}` });
      const question = ['GET /', 'GET /device'];
      assert.deepEqual(
        asked(relay.texts),
        ['GET /device', ...question, ...question],
        'twice, and each time it was there',
      );
      assert.ok(!device.log.includes(TOOK_SETTINGS), device.log.join('\n'));
      assert.deepEqual(
        relay.texts.filter((text) => !text.startsWith('GET ') || text.includes('secret')),
        [],
      );
      assert.equal(device.state, 'access-point');
      assert.equal(bench.host.jobs.latest(ID), undefined, 'it is no device of ours');
    });

    for (const how of ['force', 'forcesCloud'] as const) {
      it(`sends it to the emulated cloud where a person insists (${how})`, async () => {
        const { device, begin, relay, bench } = await s31();
        const { found } = await begin({ [how]: true }).outcome;
        assert.equal(found['port'], bench.host.ports.https);
        assert.ok(device.log.includes(TOOK_SETTINGS));
        assert.equal(asked(relay.texts).at(-1), 'POST /ap');
      });
    }
  });

  for (const [method, path] of [
    ['cloud', 'POST /ap'],
    ['diy', 'POST /ap_diy'],
  ] as const) {
    it(`asks for no page where ${method} is chosen`, async () => {
      const { device, begin, relay } = await start();
      await begin({ method }).outcome;
      assert.ok(!device.log.includes(SHOWED_PAGE));
      assert.deepEqual(asked(relay.texts), ['GET /device', path]);
    });
  }

  it('takes the job off the route of DIY mode where the same device is set up for the cloud next', async () => {
    // What its own flash has just set up is not passed over.
    const { bench, device, begin } = await start({}, { apGoesMs: 3_600_000 });
    const lan = once(device, 'lan');
    await begin({ deviceid: ID }).outcome;
    const job = bench.host.jobs.latest(ID)!;
    assert.equal(job.route?.name, 'diy');
    await lan;
    const open = once(device, 'state');
    device.holdButton();
    await open;
    await begin({ deviceid: ID, method: 'cloud' }).outcome;
    assert.equal(bench.host.jobs.latest(ID), job);
    assert.equal(job.route, undefined);
  });

  it('asks another device than the one that is meant for no page', async () => {
    const { device, begin } = await start();
    await assertCode(begin({ deviceid: '1000999999' }).outcome, 'device-unknown');
    assert.ok(!device.log.includes(SHOWED_PAGE));
  });

  describe('where the page is not answered', () => {
    /** A device whose answers to one question after the other are these; it breaks off where there is none. */
    async function answering(...answers: (string | undefined)[]) {
      const questions: string[] = [];
      const port = await serve({
        handle: (socket) =>
          socket.once('data', (data) => {
            questions.push(data.toString('utf8').split(' HTTP/1.1')[0] ?? '');
            const answer = answers[questions.length - 1];
            if (answer === undefined) return void socket.resetAndDestroy();
            socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
          }),
      });
      const bench = await openBench();
      const { outcome } = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}` });
      return { questions, outcome };
    }

    it('asks once more before it says that there is none', async () => {
      const { questions, outcome } = await answering(INFO, undefined, INFO, PAGE, '{"error":0}');
      assert.equal((await outcome).found['method'], 'diy');
      assert.deepEqual(questions, ['GET /device', 'GET /', 'GET /device', 'GET /', 'POST /ap_diy']);
    });

    it('does not take it for one without DIY mode when it has gone', async () => {
      const { outcome } = await answering(INFO, undefined, undefined);
      await assertCode(outcome, 'ap-unreachable');
    });

    it('believes immediately an answer that is no page', async () => {
      const { questions, outcome } = await answering(INFO, '{"error":404}');
      await assertCode(outcome, 'diy-mode-missing');
      assert.deepEqual(questions, ['GET /device', 'GET /']);
    });
  });

  describe('where it leaves a question without an answer', () => {
    afterEach(timeGoesOn);

    /** A device that answers nothing but the questions of these numbers, on standing time. */
    async function silent(...answered: number[]) {
      const questions: string[] = [];
      const port = await serve({
        handle: (socket) =>
          socket.once('data', (data) => {
            questions.push(data.toString('utf8').split(' HTTP/1.1')[0] ?? '');
            if (!answered.includes(questions.length)) return;
            socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${INFO.length}\r\n\r\n${INFO}`);
          }),
      });
      const bench = await openBench();
      timeStands(['setTimeout']);
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}` });
      /** Waits for the next question, then for what its limit brings; nothing comes before that. */
      const limits = async (next: string, ms: number): Promise<void> => {
        const count = questions.length + 1;
        while (questions.length < count) await nextTurn();
        assert.equal(questions.at(-1), next);
        const before = stage.said.length;
        timePasses(ms - 1);
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        assert.deepEqual([questions.length, stage.said.length, stage.recorder.outcomes.size], [count, before, 0]);
        timePasses(1);
      };
      const answers = async (next: string): Promise<void> => {
        const count = questions.length + 1;
        while (questions.length < count) await nextTurn();
        assert.equal(questions.at(-1), next);
      };
      return { stage, limits, answers };
    }

    it('looks again after two seconds, and after three for its page and ten for its identity it has gone', async () => {
      const { stage, limits, answers } = await silent(2);
      await limits('GET /device', 2000);
      while (stage.said.length < 2) await nextTurn();
      timePasses(500);
      await answers('GET /device');
      await limits('GET /', 3000);
      await limits('GET /device', 10_000);
      await assertCode(stage.outcome, 'ap-unreachable');
    });
  });

  it('waits ten seconds for the answer to the set-up, which the device has then all the same', async () => {
    const bench = await openBench();
    const body = INFO.replace(',"chipid":"00A1B2C3"', '');
    let hasPosted = false;
    const port = await serve({
      handle: (socket) =>
        socket.once('data', (data) => {
          if (data.toString('utf8').startsWith('POST')) hasPosted = true;
          else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        }),
    });
    timeStands(['setTimeout']);
    try {
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}` });
      while (!hasPosted) await nextTurn();
      timePasses(9999);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.equal(stage.recorder.outcomes.size, 0);
      timePasses(1);
      assert.equal((await stage.outcome).found['answer'], 'probably-accepted');
    } finally {
      timeGoesOn();
    }
  });

  describe('when this program ended as the set-up was in', () => {
    /** A host in which the set-up continues of a device that has its Wi-Fi, and whose access point is gone. */
    async function resumed(snapshot: Partial<JobSnapshot>, how: Pick<Seen<'provisioned'>, 'route'>) {
      const bench = await openBench();
      const before = new Job('provision', ID);
      before.enter('provision');
      const kept = { id: before.id, lastStage: 'provision', snapshot: { ...before.snapshot(), ...snapshot } } as const;
      const job = Job.restore(kept);
      job.evidence.restore([{ at: Date.now(), kind: 'provisioned', answer: 'probably-accepted', ...how }]);
      bench.host.jobs.restore(job);
      const url = `http://127.0.0.1:${await freePort()}`;
      return (): Begun => bench.begin('provision', { ssid: 'home', password: '', url, deviceid: ID });
    }

    async function waitsForAccessPoint(stage: Begun): Promise<void> {
      await stage.recorder.reported(({ name }) => name === 'wait-for-ap');
      await stage.over();
      await assertCode(stage.outcome, 'ap-unreachable');
    }

    it('lets a device in DIY mode continue, once', async () => {
      const begin = await resumed({ intermediate: 'diy' }, { route: 'diy' });
      const { found } = await begin().outcome;
      const warnings = [wording('doubt-empty-password')];
      assert.deepEqual(found, { deviceid: ID, method: 'diy', answer: 'probably-accepted', warnings });
      await waitsForAccessPoint(begin());
    });

    it('waits for any other', async () => {
      const begin = await resumed({}, {});
      await waitsForAccessPoint(begin());
    });
  });
});
