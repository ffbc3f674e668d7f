import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import os from 'node:os';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';
import type { ErrorCode } from '../../../lib/errors';
import type { JobEvidence } from '../../../lib/flash/job/evidence';
import type { Seen } from '../../../lib/flash/observation';
import { localIPv4 } from '../../../lib/net/addresses';
import { UNLOCK_HOST } from '../../../lib/protocol/diy/unlock-service';
import { isWording } from '../../../lib/wordings/wording';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { type Reaction, StrictDiyServer } from '../../client/diy/strict-server';
import { WAITS } from '../../../lib/flash/stage/waits';
import { freePort, occupy } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { type Begun, type Bench, closeBenches, openBench, type StageOptions } from '../bench';
import { assertCode } from '../refusals';
import { ask } from '../stranger';

const ID = '10000a1b2c';
/** A call that hangs is given up soon; no other limit is near, so that a busy machine misses none. */
const HANGS = { lanUnlockMs: 400 };

describe('flash/stage/diy: unlock', () => {
  const devices: VirtualDiySonoff[] = [];
  const servers: StrictDiyServer[] = [];

  afterEach(async () => {
    timeGoesOn();
    await Promise.all([...devices.splice(0).map((one) => one.stop()), ...servers.splice(0).map((one) => one.close())]);
    await closeBenches();
  });

  interface Ready {
    readonly bench: Bench;
    readonly ports: { readonly http: number; readonly dns: number };
  }

  /** A host that unlocks at free ports. */
  async function host(waits: object = {}): Promise<Ready> {
    const bench = await openBench({}, { lanLookMs: 20, lanHangsMs: 600_000, ...waits });
    const ports = { http: await freePort(), dns: await freePort() };
    bench.around.unlockPorts = ports;
    return { bench, ports };
  }

  /** A device whose DNS server and whose maker's service are looked for where the host would be both. */
  async function device(
    { ports }: Ready,
    behaviours: VirtualDiyOptions['behaviours'] = {},
    more: Partial<VirtualDiyOptions> = {},
  ): Promise<{ sonoff: VirtualDiySonoff; url: string }> {
    const sonoff = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort: 0, lanPort: 0, mdns: false, speed: 100, deviceid: ID, startsIn: 'diy' },
      ...{ dns: `127.0.0.1:${ports.dns}`, vendorPort: ports.http, behaviours: { unlock: 'asks', ...behaviours } },
      ...more,
    });
    devices.push(sonoff);
    const { lanPort } = await sonoff.start();
    return { sonoff, url: `http://127.0.0.1:${lanPort}` };
  }

  /** A device by hand, for what the virtual one does not do. */
  async function byHand(react: (command: string) => Reaction, address = '127.0.0.1'): Promise<string> {
    const server = new StrictDiyServer(react);
    servers.push(server);
    return `http://${address}:${await server.listen(0, address)}`;
  }

  function begin({ bench }: Ready, url: string, more: StageOptions = { unlock: 'local' }): Begun {
    return bench.begin('diy', { url, deviceid: ID, ...more });
  }

  type Unlocking = Seen<'unlock-asked'> | Seen<'unlock-offered'>;

  async function seen(stage: Begun): Promise<Partial<Unlocking>[]> {
    const { evidence } = await stage.job();
    return evidence.all
      .filter((one): one is Unlocking => one.kind === 'unlock-asked' || one.kind === 'unlock-offered')
      .map(({ at: _, ...one }) => one);
  }

  async function unlockings(stage: Begun): Promise<(boolean | undefined)[]> {
    const { evidence } = await stage.job();
    return evidence.all.flatMap((one) => (one.kind === 'device-info' ? [one.isUnlocked] : []));
  }

  async function areClosed({ http, dns }: Ready['ports']): Promise<void> {
    await assert.rejects(ask(http, 'GET / HTTP/1.1\r\n\r\n'), { code: 'ECONNREFUSED' });
    const socket = createSocket('udp4').bind({ port: dns, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    socket.close();
  }

  /** What came over two ports has no order. */
  const sorted = (all: readonly object[]): string[] => all.map((one) => JSON.stringify(one)).sort();

  const peer = '127.0.0.1';
  const OFFERED = { kind: 'unlock-offered', address: peer };
  const NAMED = { kind: 'unlock-asked', peer, what: 'name' };
  const answered = (error: number): object => ({ kind: 'unlock-asked', peer, what: 'service', error });

  for (const [unlocksOn, errors] of [
    [0, [0]],
    [422, [0, 422]],
  ] as const) {
    it(`unlocks a device that wants the answer ${unlocksOn}, flashes it, and keeps every step`, async () => {
      const ready = await host();
      const { sonoff, url } = await device(ready, { unlocksOn });
      const stage = begin(ready, url);
      assert.equal((await stage.outcome).found['proof'], 'reported');
      assert.equal((await sonoff.ended).result, 'flashed');
      assert.deepEqual(await seen(stage), [OFFERED, NAMED, ...errors.map(answered)]);
      // As it was found, after the maker's service, and after each answer of this machine.
      assert.deepEqual(await unlockings(stage), [false, false, ...errors.map((error) => error === unlocksOn)]);
      await areClosed(ready.ports);
    });
  }

  it('does none of it unless a person wants that, nor where the maker has unlocked the device', async () => {
    const unwanted = await host();
    const { url } = await device(unwanted, { unlocksOn: 0 });
    const stage = begin(unwanted, url, {});
    await assertCode(stage.outcome, 'diy-unlock-offline');
    assert.deepEqual(await seen(stage), []);
    const unneeded = await host();
    const other = await device(unneeded, { unlock: 'vendor' });
    const second = begin(unneeded, other.url);
    await second.outcome;
    assert.deepEqual(await seen(second), []);
  });

  for (const [what, unlock] of [
    ['refuses', 500],
    ['is out of reach', 503],
    ['lies', 'lies'],
    ['hangs', 'hangs'],
  ] as const) {
    it(`waits for the device to come here where the maker's service ${what}`, async () => {
      const ready = await host(unlock === 'hangs' ? HANGS : {});
      const { url } = await device(ready, { unlock });
      const stage = begin(ready, url);
      const { values } = await assertCode(stage.outcome, 'diy-unlock-not-asked');
      assert.deepEqual(values, { deviceid: ID, address: '127.0.0.1' });
      assert.deepEqual(await seen(stage), [OFFERED]);
      // Once for the maker's service, and once for this machine: another answer of it would not be fetched either.
      assert.deepEqual(await unlockings(stage), [false, false, false]);
      await areClosed(ready.ports);
    });
  }

  it('says that a device took none of its answers', async () => {
    const ready = await host();
    const { url } = await device(ready, { unlocksOn: 777 });
    const stage = begin(ready, url);
    assert.deepEqual((await assertCode(stage.outcome, 'diy-unlock-not-taken')).values, { deviceid: ID });
    assert.deepEqual(await seen(stage), [OFFERED, NAMED, answered(0), answered(422)]);
    await areClosed(ready.ports);
  });

  it('waits for a device that does not answer for a while after an unlock that hangs', async () => {
    const ready = await host(HANGS);
    let asked = 0;
    const url = await byHand((command) => {
      if (command === 'ota_unlock') return 'hang';
      if (command !== 'info') return { error: 500 };
      asked++;
      // More often than a request is repeated.
      if (asked > 1 && asked < 18) return 'reset';
      return { error: 0, data: { otaUnlock: asked > 1, fwVersion: '3.7.6', deviceid: ID } };
    });
    const stage = begin(ready, url, {});
    // It is flashed after that, which this one refuses.
    await assertCode(stage.outcome, 'diy-refused');
    assert.deepEqual(await unlockings(stage), [false, true]);
  });

  it('waits for no device that has answered the unlock and does not answer then', async () => {
    const ready = await host();
    let isAsked = false;
    const url = await byHand((command) => {
      if (command === 'info') return isAsked ? 'reset' : { error: 0, data: { otaUnlock: false, deviceid: ID } };
      isAsked = true;
      return { error: 503 };
    });
    const { values } = await assertCode(begin(ready, url).outcome, 'diy-unreachable');
    assert.deepEqual([values['url'], values['seconds']], [url, 10]);
  });

  it('gives the call to the service a minute, and no more', async () => {
    const ready = await host();
    const url = await byHand((command) =>
      command === 'ota_unlock' ? 'hang' : { error: 0, data: { otaUnlock: false, deviceid: ID } },
    );
    timeStands(['setTimeout']);
    const stage = begin(ready, url, {});
    const { evidence } = await stage.job();
    const passes = async (ms: number): Promise<void> => {
      timePasses(ms);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
    };
    const results = (): string[] => evidence.all.flatMap((one) => (one.kind === 'command' ? [one.result] : []));
    while (!servers[0]?.seen.some(({ command }) => command === 'ota_unlock')) await passes(100);
    await passes(WAITS.lanUnlockMs - 1);
    assert.deepEqual(results(), []);
    await passes(1);
    assert.deepEqual(results(), ['lost']);
    ready.bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
  });

  describe('where another program has the only connection', () => {
    /** A device that answers nothing but its first question, and what it was asked. */
    async function occupied(ready: Ready, reaction: 'reset' | 'close') {
      const commands: string[] = [];
      const url = await byHand((command) => {
        commands.push(command);
        return commands.length === 1 ? { error: 0, data: { otaUnlock: false, deviceid: ID } } : reaction;
      });
      const stage = begin(ready, url, {});
      await stage.job();
      const passes = async (ms: number): Promise<void> => {
        for (let passed = 0; passed < ms; passed += 100) {
          timePasses(100);
          for (let turn = 0; turn < 10; turn++) await nextTurn();
        }
      };
      const asked = (name: string): number => commands.filter((one) => one === name).length;
      return { stage, passes, asked, url };
    }

    it('tells the device again only after a while', async () => {
      const ready = await host({ lanLookMs: 20_000 });
      timeStands(['setTimeout']);
      const { stage, passes, asked } = await occupied(ready, 'reset');
      while (asked('ota_unlock') === 0) await passes(100);
      await passes(19_000);
      assert.equal(asked('ota_unlock'), 1);
      await passes(2000);
      assert.equal(asked('ota_unlock'), 2);
      ready.bench.host.runs.cancel('diy');
      await assertCode(stage.outcome, 'cancelled');
    });

    it('asks what came of it again only after a while', async () => {
      const ready = await host({ lanLookMs: 20_000 });
      timeStands(['setTimeout']);
      const { stage, passes, asked } = await occupied(ready, 'close');
      while (asked('ota_unlock') === 0) await passes(100);
      // Under each name that it may have, as often as a request is repeated.
      await passes(10_000);
      const before = asked('info');
      await passes(9000);
      assert.equal(asked('info'), before);
      await passes(10_000);
      assert.ok(asked('info') > before);
      assert.equal(asked('ota_unlock'), 1, 'it may have that');
      ready.bench.host.runs.cancel('diy');
      await assertCode(stage.outcome, 'cancelled');
    });

    it('is given up after the time that a call may hang', async () => {
      const ready = await host({ lanHangsMs: 0 });
      timeStands(['setTimeout']);
      const { stage, passes, url } = await occupied(ready, 'reset');
      while (stage.recorder.outcomes.size === 0) await passes(100);
      const { values } = await assertCode(stage.outcome, 'diy-unreachable');
      assert.deepEqual([values['url'], values['seconds']], [url, 10]);
    });
  });

  for (const [unlock, code] of [
    [500, 'diy-unlock-refused'],
    [503, 'diy-unlock-offline'],
  ] as const) {
    it(`passes on that the maker's service answers ${unlock}`, async () => {
      const ready = await host();
      const { url } = await device(ready, { unlock });
      const { values } = await assertCode(begin(ready, url, {}).outcome, code);
      assert.deepEqual(values, { url, deviceid: ID, command: 'ota_unlock', error: unlock });
    });
  }

  it('gives up a device that never answers again', async () => {
    const ready = await host({ lanHangsMs: 50 });
    let asked = 0;
    const url = await byHand((command) => {
      if (command === 'ota_unlock') return 'close';
      return ++asked > 1 ? 'reset' : { error: 0, data: { otaUnlock: false, deviceid: ID } };
    });
    await assertCode(begin(ready, url).outcome, 'diy-unreachable');
  });

  it('continues without DNS where another program has the port, and says which', async () => {
    const ready = await host();
    const { url } = await device(ready, { unlock: 503 });
    const socket = createSocket('udp4').bind({ port: ready.ports.dns, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    const stage = begin(ready, url);
    await assertCode(stage.outcome, 'diy-unlock-not-asked');
    socket.close();
    const [offered] = await seen(stage);
    assert.match((offered as Seen<'unlock-offered'>).withoutNames?.text ?? '', /Node-RED itself holds it/);
  });

  it('ends where the port of the service is taken', async () => {
    const ready = await host();
    const { url } = await device(ready, { unlock: 503 });
    const holder = await occupy(ready.ports.http);
    const error = await assertCode(begin(ready, url).outcome, 'diy-unlock-port' satisfies ErrorCode);
    await holder.release();
    const { reason, ...where } = error.values;
    assert.deepEqual(where, { port: ready.ports.http, bind: '127.0.0.1' });
    assert.match(isWording(reason) ? reason.text : '', /Node-RED itself holds it/);
  });

  /** A flash in which this machine offers to unlock a device that does not come for it. */
  async function offering(ready: Ready, at?: string): Promise<{ stage: Begun; evidence: JobEvidence }> {
    let orders = 0;
    const url = await byHand((command) => {
      if (command === 'ota_unlock') return ++orders === 1 ? { error: 503 } : 'hang';
      return { error: 0, data: { otaUnlock: false, deviceid: ID } };
    }, at);
    const stage = begin(ready, url);
    const { evidence } = await stage.job();
    while (!evidence.all.some(({ kind }) => kind === 'unlock-offered')) await once(evidence, 'changed');
    return { stage, evidence };
  }

  it('keeps what else the device asks for here, each once, and nothing of other machines', async () => {
    const ready = await host();
    const { stage } = await offering(ready);
    const query = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'pool.ntp.org' }] });
    for (const address of ['127.0.0.9', peer, peer]) {
      const socket = createSocket('udp4').bind({ address });
      await once(socket, 'listening');
      const answer = once(socket, 'message');
      socket.send(query, ready.ports.dns, '127.0.0.1');
      await answer;
      socket.close();
      assert.match(await ask(ready.ports.http, 'GET /v1/time HTTP/1.1\r\n\r\n', peer), /^HTTP\/1\.1 404 /);
    }
    const asked = { kind: 'unlock-asked', peer };
    const otherwise = [
      { ...asked, what: 'other-name', name: 'pool.ntp.org' },
      { ...asked, what: 'other' },
    ];
    assert.deepEqual(sorted(await seen(stage)), sorted([OFFERED, ...otherwise]));
    ready.bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
  });

  it('serves the device at its own address, and names that of this machine where it does not come', async () => {
    const ready = await host();
    const at = '127.0.0.181';
    const { stage } = await offering(ready, at);
    const get = (from: string): Promise<string> => ask(ready.ports.http, 'GET /v1/time HTTP/1.1\r\n\r\n', from);
    assert.match(await get(at), /^HTTP\/1\.1 404 /);
    await assert.rejects(get(peer), { code: 'ECONNRESET' });
    assert.deepEqual(await seen(stage), [OFFERED, { kind: 'unlock-asked', peer: at, what: 'other' }]);
    ready.bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
    const url = await byHand(
      (command) => (command === 'info' ? { error: 0, data: { otaUnlock: false, deviceid: ID } } : { error: 503 }),
      at,
    );
    const { values } = await assertCode(begin(ready, url).outcome, 'diy-unlock-not-asked');
    assert.deepEqual(values, { deviceid: ID, address: peer });
  });

  it("leads local machines to the maker's service, and answers no other one", async function () {
    const far = localIPv4()[0]?.address;
    if (far === undefined) return this.skip();
    const ready = await host();
    const { stage } = await offering(ready);
    // As if it was on none of the networks of this machine.
    const none = mock.method(os, 'networkInterfaces', () => ({}));
    const query = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: UNLOCK_HOST }] });
    const [other, local] = [far, '127.0.0.9'].map((address) => createSocket('udp4').bind({ address }));
    assert.ok(other && local);
    let answers = 0;
    other.on('message', () => (answers += 1));
    await Promise.all([once(other, 'listening'), once(local, 'listening')]);
    other.send(query, ready.ports.dns, '127.0.0.1');
    const answer = once(local, 'message');
    local.send(query, ready.ports.dns, '127.0.0.1');
    const [reply] = (await answer) as [Buffer];
    none.mock.restore();
    for (const socket of [other, local]) socket.close();
    assert.deepEqual(
      decode(reply).answers?.map((one) => one.type === 'A' && one.data),
      ['127.0.0.1'],
    );
    const asked = { kind: 'unlock-asked', peer: '127.0.0.9', what: 'name' };
    assert.deepEqual([answers, await seen(stage)], [0, [OFFERED, asked]]);
    ready.bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
  });

  for (const [isAddressSet, address] of [
    [true, '127.0.0.5'],
    [false, '127.0.0.1'],
  ] as const) {
    it(`offers it at ${isAddressSet ? 'the address that a person has set' : 'its address on the way to the device'}, and there alone`, async () => {
      const ready = await host();
      Object.defineProperty(ready.bench.host, 'isAddressSet', { value: isAddressSet });
      ready.bench.host.addressToDial = () => '127.0.0.5';
      const { stage } = await offering(ready);
      assert.deepEqual(await seen(stage), [{ kind: 'unlock-offered', address }]);
      const socket = connect({ host: address, port: ready.ports.http });
      await once(socket, 'connect');
      socket.destroy();
      const other = connect({ host: address === '127.0.0.1' ? '127.0.0.5' : '127.0.0.1', port: ready.ports.http });
      await assert.rejects(once(other, 'connect'), { code: 'ECONNREFUSED' });
      ready.bench.host.runs.cancel('diy');
      await assertCode(stage.outcome, 'cancelled');
    });
  }

  for (const [what, unlock, code, values] of [
    ['says nothing', 'close', 'diy-unlock-silent', { deviceid: ID, seconds: 60 }],
    ['says yes and stays locked', { error: 0 }, 'diy-locked', { deviceid: ID }],
  ] as const) {
    it(`says that a device ${what}`, async () => {
      const ready = await host();
      const url = await byHand((command) =>
        command === 'ota_unlock' ? unlock : { error: 0, data: { otaUnlock: false, deviceid: ID } },
      );
      assert.deepEqual((await assertCode(begin(ready, url, {}).outcome, code)).values, values);
    });
  }

  it('closes its ports when it is cancelled', async () => {
    const ready = await host();
    const { stage, evidence } = await offering(ready);
    // Another machine is turned away meanwhile.
    const post = 'POST /v2/d/otaflash HTTP/1.1\r\nContent-Length: 0\r\n\r\n';
    await assert.rejects(ask(ready.ports.http, post, '127.0.0.9'), { code: 'ECONNRESET' });
    assert.ok(evidence.all.some((one) => one.kind === 'stranger' && one.act === 'unlock' && one.peer === '127.0.0.9'));
    ready.bench.host.runs.cancel('diy');
    await assertCode(stage.outcome, 'cancelled');
    await areClosed(ready.ports);
  });

  it('unlocks one device after the other where two want it', async () => {
    const ready = await host();
    const one = await device(ready, { unlocksOn: 422 });
    const other = await device(ready, { unlocksOn: 422 }, { deviceid: '10000a1b2d' });
    const stages = [
      begin(ready, one.url, { unlock: 'local', nodeId: 'one' }),
      begin(ready, other.url, { unlock: 'local', nodeId: 'other', deviceid: '10000a1b2d' }),
    ];
    for (const stage of stages) assert.equal((await stage.outcome).found['proof'], 'reported');
  });
});
