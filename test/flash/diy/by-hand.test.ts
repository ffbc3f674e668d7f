import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { explained, FlashError, type ErrorCode } from '../../../lib/errors';
import { DiyDownload } from '../../../lib/flash/images/diy-download';
import type { Observation } from '../../../lib/flash/observation';
import { Job } from '../../../lib/flash/job/job';
import { findDevice, LOOK_AGAIN_MS } from '../../../lib/flash/stage/diy/found-device';
import { untilGone } from '../../../lib/flash/stage/diy/gone';
import { PATIENCE } from '../../../lib/flash/verdict/patience';
import type { FailureVerdict } from '../../../lib/flash/verdict/verdict';
import { type Reaction, StrictDiyServer } from '../../client/diy/strict-server';
import { Announcer, LOOPBACK } from '../../net/mdns/announcer';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { type Bench, closeBenches, FIRMWARE, openBench } from '../bench';
import { assertCode } from '../refusals';
import { ask } from '../stranger';

const ID = '10000a1b2c';
const PEER = '127.0.0.1';
const SIZE = FIRMWARE.final.length;

/** What the virtual device does not do. */
describe('flash/stage/diy: a device by hand', () => {
  const servers: StrictDiyServer[] = [];

  afterEach(async () => {
    timeGoesOn();
    await Promise.all(servers.splice(0).map((one) => one.close()));
    await closeBenches();
  });

  /** A device that was unlocked, and what it answers to the command to fetch its image. */
  async function device(react: (command: string) => Reaction, info: object = {}, address = PEER) {
    const commands: string[] = [];
    const server = new StrictDiyServer((command) => {
      commands.push(command);
      return command === 'info' ? { error: 0, data: { deviceid: ID, otaUnlock: true, ...info } } : react(command);
    });
    servers.push(server);
    return { server, commands, url: `http://${address}:${await server.listen(0, address)}` };
  }

  /** The download that the host serves. */
  function download(peer = PEER): DiyDownload {
    const open = DiyDownload.from(peer);
    assert.ok(open);
    return open;
  }

  /** Counts the looks of the stage at its device: `next` resolves when so many more have begun. */
  function looksOf(bench: Bench): { next: (times: number) => Promise<void> } {
    const looks = new EventEmitter();
    const waits = { ...bench.around.waits };
    const lanLookMs = (): number => {
      looks.emit('look');
      return 5;
    };
    bench.around.waits = Object.defineProperty(waits, 'lanLookMs', { get: lanLookMs });
    return {
      next: async (times) => {
        for (let look = 0; look < times; look++) await once(looks, 'look');
      },
    };
  }

  it('is reported as far as it states anything of itself, and flashed all the same', async () => {
    // It has another address than this machine.
    const at = '127.0.0.181';
    const bench = await openBench({}, { lanLookMs: 20 });
    const { url } = await device(
      (command) => {
        if (command === 'ota_flash') void fetched();
        return { error: 0 };
      },
      { deviceid: undefined, otaUnlock: undefined },
      at,
    );
    const { http } = bench.host.ports;
    const fetched = async (): Promise<void> => {
      for (let first = 0; first < SIZE; first += 4096) {
        const range = `Range: bytes=${first}-${first + 4095}`;
        await ask(http, `GET /${download(at).name} HTTP/1.1\r\n${range}\r\nConnection: close\r\n\r\n`, at);
      }
      await ask(http, 'POST /api/device/otaFlash HTTP/1.1\r\nContent-Length: 11\r\n\r\n{"error":0}', at);
    };
    const stage = bench.begin('diy', { url });
    const { found, job } = await stage.outcome;
    assert.deepEqual(found, {
      ...{ intermediate: 'diy', address: at, version: null, rssi: null, image: 'final', size: SIZE },
      ...{ requests: 6, lost: 0, reboots: 0, proof: 'reported' },
    });
    assert.equal(job.deviceid, null);
    const told = stage.said.filter(({ name }) => name !== 'image-flows').map(({ name, values }) => [name, values]);
    assert.deepEqual(told, [
      ['load-firmware', {}],
      ['diy-look', {}],
      ['diy-found', { deviceid: at, address: at, romVersion: '3.x' }],
      ['diy-unlock', { deviceid: url }],
      ['diy-flash-sent', { deviceid: at }],
      ['diy-written', { deviceid: at }],
    ]);
    const { evidence } = await stage.job();
    const seen = evidence.all.map(({ at: _, ...one }: Observation) => one);
    const info = { kind: 'device-info', peer: at };
    assert.deepEqual(
      seen.filter(({ kind }) => ['device-info', 'device-facts', 'command'].includes(kind)),
      [
        info,
        { kind: 'device-facts', ip: at },
        { kind: 'command', command: 'ota_unlock', result: 'done' },
        info,
        { kind: 'command', command: 'ota_flash', result: 'done' },
      ],
    );
  });

  it('is warned of by its version and by its signal, at the very bounds', async () => {
    const bench = await openBench();
    const [version, signal] = ['diy-version-unknown', 'diy-weak-signal'] as const;
    const cases: [fwVersion: string, rssi: number, warned: string[]][] = [
      ['3.7.6', -70, []],
      ['3.7.6', -71, [signal]],
      ['3.7.7', -50, [version]],
      ['3.8.0', -50, [version]],
      ['3.10.0', -50, [version]],
      ['4.0.0', -50, [version]],
      ['3.6.9', -50, []],
      ['3.7', -50, []],
    ];
    const stages = cases.map(async ([fwVersion, rssi, warned], at) => {
      const deviceid = `10000a1b0${at}`;
      const { url } = await device(() => ({ error: 422 }), { deviceid, fwVersion, signalStrength: rssi });
      const stage = bench.begin('diy', { deviceid, url, nodeId: deviceid });
      await assertCode(stage.outcome, 'diy-refused');
      const names = stage.said.map(({ name }) => name).filter((name) => name === version || name === signal);
      assert.deepEqual(names, warned, `${fwVersion}, ${rssi} dBm`);
    });
    await Promise.all(stages);
  });

  it('gets no image of a rehearsal where it is no device of this machine', async () => {
    const bench = await openBench();
    const { url, commands } = await device(() => ({ error: 0 }));
    // It leads to this machine, but not by an address of the loopback.
    const elsewhere = url.replace(PEER, '0.0.0.0');
    const stage = bench.begin('diy', { deviceid: ID, url: elsewhere, sources: { final: 'rehearsal:' } });
    const { values } = await assertCode(stage.outcome, 'rehearsal-only');
    assert.deepEqual([values, commands], [{ peer: '0.0.0.0' }, ['info']]);
  });

  for (const [what, reaction, code] of [
    ['refuses it', { error: 422 }, 'diy-refused'],
    ['says what no device in DIY mode says', { text: 'hello' }, 'diy-stranger'],
    ['is not there any more', undefined, 'diy-unreachable'],
  ] as [string, Reaction | undefined, ErrorCode][]) {
    it(`ends the flash where it ${what} at the command to fetch its image`, async () => {
      const bench = await openBench();
      const { url, server } = await device(() => reaction ?? 'close');
      if (reaction === undefined) bench.host.whenStored = () => server.close();
      const stage = bench.begin('diy', { deviceid: ID, url });
      const { values } = await assertCode(stage.outcome, code);
      const { reason, ...rest } = values;
      const refused = { deviceid: ID, command: 'ota_flash', error: 422 };
      const more = code === 'diy-refused' ? refused : code === 'diy-unreachable' ? { seconds: 600 } : {};
      assert.deepEqual(rest, { url, ...more });
      assert.equal(reason === undefined, code === 'diy-refused');
      const { evidence } = await stage.job();
      assert.ok(evidence.all.some((seen) => seen.kind === 'command' && seen.command === 'ota_flash'));
      assert.equal(DiyDownload.from(PEER), undefined, 'nothing is served any more');
    });
  }

  it('is said to be in trouble as soon as the evidence says so', async () => {
    const bench = await openBench();
    bench.around.patience = { ...PATIENCE, noRequestMs: 0 };
    const { url } = await device(() => ({ error: 0 }));
    const stage = bench.begin('diy', { deviceid: ID, url });
    await stage.recorder.reported(({ name }) => name === 'diy-trouble');
    const { evidence } = await stage.job();
    const verdict = evidence.verdict() as FailureVerdict;
    assert.equal(verdict.code, 'download-blocked');
    const trouble = stage.said.find(({ name }) => name === 'diy-trouble');
    assert.deepEqual(trouble, { name: 'diy-trouble', values: { message: explained(verdict) }, fraction: 0 });
    bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
    assert.equal(evidence.listenerCount('changed'), 1, 'nothing watches for trouble any more');
  });

  it('is sent for its image three times at most where it gives up, and each time counts from the start', async () => {
    const bench = await openBench({}, { lanLookMs: 5, lanStalledMs: 0 });
    const sent: number[] = [];
    const { url, commands } = await device(() => {
      sent.push(download().sent);
      download().requested(1);
      download().sentPart(0, 4096);
      return sent.length === 3 ? { error: 422 } : 'close';
    });
    const stage = bench.begin('diy', { deviceid: ID, url });
    await assertCode(stage.outcome, 'diy-refused');
    assert.deepEqual(sent, [0, 0, 0]);
    assert.deepEqual(
      stage.said.flatMap(({ name, values }) => (name === 'diy-again' ? [values] : [])),
      [2, 3].map((attempt) => ({ deviceid: ID, attempt, attempts: 3 })),
    );
    assert.deepEqual(commands, ['info', 'ota_flash', 'info', 'ota_flash', 'info', 'ota_flash']);
  });

  it('is not told again where it answers a second command and does not come, though its first answer was lost', async () => {
    const bench = await openBench({}, { lanStalledMs: 0 });
    const looks = looksOf(bench);
    let orders = 0;
    const { url, commands } = await device(() => (++orders === 1 ? 'close' : { error: 0 }));
    const stage = bench.begin('diy', { deviceid: ID, url });
    while (orders < 2) await looks.next(1);
    await looks.next(5);
    assert.deepEqual(commands, ['info', 'ota_flash', 'info', 'ota_flash']);
    bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const error of [0, 409]) {
    it(`is believed that reports ${error} and was not seen to come, and nothing is said of bytes then`, async () => {
      const bench = await openBench();
      const served: DiyDownload[] = [];
      const { url } = await device(() => {
        served.push(download());
        setImmediate(() => served[0]?.reported(error));
        return { error: 0 };
      });
      const stage = bench.begin('diy', { deviceid: ID, url });
      if (error === 0) assert.equal((await stage.outcome).found['proof'], 'reported');
      else assert.deepEqual((await assertCode(stage.outcome, 'diy-digest-differs')).values, { deviceid: ID, error });
      assert.ok(!stage.said.some(({ name }) => name === 'image-flows'));
      assert.equal(served[0]?.listenerCount('changed'), 0, 'nothing looks at its download any more');
      assert.equal(DiyDownload.from(PEER), undefined, 'nothing is served any more');
    });
  }

  it('gets no address of this machine that is not known, before it is looked for', async () => {
    const bench = await openBench();
    Object.defineProperty(bench.host, 'address', { value: undefined });
    const stage = bench.begin('diy', { deviceid: ID, url: `http://${PEER}:${await freePort()}` });
    const [began] = (await stage.job()).evidence.all;
    assert.equal(began?.kind === 'stage' && began.event === 'began' && began.address, 'unknown');
    bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const [what, act] of [
    ['has not come for its image', () => undefined],
    ['has all of it', (one: DiyDownload) => one.sentPart(0, SIZE)],
  ] as const) {
    it(`is not told again while it ${what}, however long it is silent`, async () => {
      const bench = await openBench({}, { lanStalledMs: 0 });
      const looks = looksOf(bench);
      const { url, commands } = await device(() => {
        if (what === 'has all of it') download().requested(1);
        act(download());
        return { error: 0 };
      });
      const stage = bench.begin('diy', { deviceid: ID, url });
      while (!commands.includes('ota_flash')) await looks.next(1);
      await looks.next(5);
      assert.deepEqual(commands, ['info', 'ota_flash']);
      assert.ok(!stage.said.some(({ name }) => name === 'diy-again'));
      bench.host.runs.cancel('diy');
      await assertCode(stage.outcome, 'cancelled');
    });
  }

  it('is not ended by the time limit while bytes flow', async () => {
    const bench = await openBench({}, { lanLookMs: 0 });
    const { url, commands } = await device(() => 'hang');
    timeStands(['setTimeout']);
    const timeoutSeconds = 1_000_000;
    const stage = bench.begin('diy', { deviceid: ID, url, timeoutSeconds });
    while (!commands.includes('ota_flash')) {
      timePasses(100);
      await nextTurn();
    }
    download().requested(1);
    download().sentPart(0, 4096);
    timePasses(timeoutSeconds * 1000);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.equal(stage.recorder.outcomes.size, 0);
    download().sentPart(0, SIZE);
    download().reported(0);
    assert.equal((await stage.outcome).found['proof'], 'reported');
  });

  it('is looked for until the time limit', async () => {
    const bench = await openBench();
    const url = `http://${PEER}:${await freePort()}`;
    const stage = bench.begin('diy', { deviceid: ID, url, timeoutSeconds: 0.1 });
    assert.equal((await assertCode(stage.outcome, 'diy-not-found')).values['seconds'], 0.1);
  });

  it('ends as its time limit says, and not as cancelled, also in the middle of a request', async () => {
    const bench = await openBench();
    const server = new StrictDiyServer(() => 'hang');
    servers.push(server);
    const stage = bench.begin('diy', { deviceid: ID, url: `http://127.0.0.1:${await server.listen()}` });
    await stage.job();
    while (server.seen.length === 0) await nextTurn();
    await stage.over();
    await assertCode(stage.outcome, 'diy-not-found');
  });

  it('is looked for at its address until it is there', async () => {
    const port = await freePort();
    timeStands(['setTimeout']);
    const { signal } = new AbortController();
    const finding = findDevice({ deviceid: ID, address: `${PEER}:${port}` }, signal);
    // Nothing is there at the first look.
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    const server = new StrictDiyServer(() => ({ error: 0, data: { deviceid: ID, fwVersion: '3.7.6' } }));
    servers.push(server);
    await server.listen(port);
    let passedMs = 0;
    for (; server.seen.length === 0; passedMs += 100) {
      timePasses(100);
      await nextTurn();
    }
    assert.ok(passedMs >= LOOK_AGAIN_MS, `${passedMs}`);
    const { client, info, ...place } = await finding;
    assert.deepEqual(place, { address: PEER, port, record: undefined });
    assert.deepEqual([client.deviceid, client.url, info.fwVersion], [ID, `http://${PEER}:${port}`, '3.7.6']);
  });

  it('is asked again where it has left the questions for its identity without an answer for ten seconds each', async () => {
    // Under its id, without one, and with an empty one.
    const unanswered = 3;
    const server: StrictDiyServer = new StrictDiyServer(() =>
      server.seen.length <= unanswered ? 'hang' : { error: 0, data: { deviceid: ID, fwVersion: '3.7.6' } },
    );
    servers.push(server);
    const address = `${PEER}:${await server.listen()}`;
    timeStands(['setTimeout']);
    const finding = findDevice({ deviceid: ID, address }, new AbortController().signal);
    let passedMs = 0;
    for (; server.seen.length <= unanswered; passedMs += 100) {
      timePasses(100);
      await nextTurn();
    }
    assert.ok(passedMs >= unanswered * 10_000 + LOOK_AGAIN_MS, `${passedMs}`);
    assert.equal((await finding).info.fwVersion, '3.7.6');
  });

  it('is waited for again where it has left DIY mode before it is known to be the only one', async () => {
    const server = new StrictDiyServer(() => ({ error: 0, data: { deviceid: ID, fwVersion: '3.7.6' } }));
    servers.push(server);
    const mdnsPort = await freePort();
    const announcer = await new Announcer(mdnsPort, ID, { servicePort: await server.listen() }).ready();
    try {
      const { records } = announcer;
      const text = ['id=' + ID, 'type=plug', 'encrypt=true', 'seq=2'].map((one) => Buffer.from(one));
      const inEwelinkMode = records.map((one) => (one.type === 'TXT' ? { ...one, data: text } : one));
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
      timeStands(['setTimeout']);
      let isOver = false;
      const { signal } = new AbortController();
      const finding = findDevice({ deviceid: undefined, address: undefined, discovery }, signal).finally(
        () => (isOver = true),
      );
      finding.catch(() => undefined);
      const passes = async (ms: number): Promise<void> => {
        for (let passed = 0; passed < ms; passed += 100) {
          timePasses(100);
          for (let turn = 0; turn < 5; turn++) await nextTurn();
        }
      };
      while (!announcer.questions.includes('TXT')) await passes(100);
      await passes(200);
      announcer.records = inEwelinkMode;
      announcer.announce();
      await passes(5000);
      assert.deepEqual([server.seen.length, isOver], [0, false]);
      announcer.records = records;
      announcer.announce();
      while (!isOver) await passes(100);
      const { client, record } = await finding;
      assert.deepEqual([client.deviceid, record?.type, record?.encrypt], [ID, 'diy_plug', false]);
    } finally {
      timeGoesOn();
      await announcer.close();
    }
  });

  it('is not taken for one that announces itself where its host name alone is known', async () => {
    // An address that no other test has, at the port of all devices.
    const at = '127.0.0.184';
    const data = { deviceid: ID, otaUnlock: true, fwVersion: '3.7.6' };
    const server = new StrictDiyServer((command) => (command === 'info' ? { error: 0, data } : { error: 422 }));
    servers.push(server);
    await server.listen(8081, at);
    const mdnsPort = await freePort();
    const announcer = await new Announcer(mdnsPort, ID, { address: at }).ready();
    try {
      announcer.records = announcer.records.filter(({ type }) => type === 'A');
      const bench = await openBench();
      const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
      timeStands(['setTimeout']);
      const stage = bench.begin('diy', { deviceid: ID, discovery });
      while (stage.recorder.outcomes.size === 0) {
        timePasses(100);
        for (let turn = 0; turn < 5; turn++) await nextTurn();
      }
      await assertCode(stage.outcome, 'diy-refused');
      const { evidence } = await stage.job();
      const info = evidence.all.find(({ kind }) => kind === 'device-info');
      const known = { romVersion: '3.7.6', isUnlocked: true };
      assert.deepEqual({ ...info, at: 0 }, { at: 0, kind: 'device-info', peer: at, ...known });
    } finally {
      timeGoesOn();
      await announcer.close();
    }
  });

  describe('at the port of all devices unless another one is given', () => {
    /** An address that no other test has. */
    const address = '127.0.0.179';
    let dialled: Server;
    beforeEach(async () => {
      dialled = createServer((socket) => socket.destroy()).listen(8081, address);
      await once(dialled, 'listening');
    });
    afterEach(async () => {
      dialled.close();
      await once(dialled, 'close');
    });

    for (const [what, look] of [
      ['is looked for', (signal: AbortSignal) => findDevice({ deviceid: ID, address }, signal)],
      [
        'counts as gone',
        (signal: AbortSignal) => untilGone(new Job('diy', ID), address, { lookMs: 5, discovery: undefined, signal }),
      ],
    ] as const) {
      it(what, async () => {
        const end = new AbortController();
        const seen = once(dialled, 'connection');
        const looking = look(end.signal);
        await seen;
        end.abort(new FlashError('cancelled'));
        await assertCode(looking, 'cancelled');
      });
    }
  });
});
