import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import type { FlashHost } from '../../lib/flash/host/host';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { Job } from '../../lib/flash/job/job';
import { FINALSTAGE } from '../../lib/flash/routes';
import { digestOf, makeUserImage } from '../../lib/image';
import { PROVEN_VERSION } from '../../lib/protocol/upgrade';
import { StrictDiyServer } from '../client/diy/strict-server';
import { closeAll, RawClient } from '../server/serving';
import { WebSocketDevice } from '../server/websocket-device';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { closeBenches, FIRMWARE, HOME, openBench, type Begun } from './bench';
import { assertCode } from './refusals';
import { wording } from '../../lib/wordings/wording';

const TOOK_SETTINGS = 'access point: took settings';
const NEVER = new AbortController().signal;

/** The names of what a stage announced, each once in a row. */
function names({ said }: Begun): string[] {
  return said.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1]);
}

/** Lets the disk of a host take its time: `asked` resolves when something waits for it. */
function slowDisk(host: FlashHost): { asked: Promise<void>; written(): void } {
  let written = (): void => undefined;
  const onDisk = new Promise<void>((resolve) => (written = resolve));
  const asked = new Promise<void>((resolve) => {
    host.whenStored = () => {
      resolve();
      return onDisk;
    };
  });
  return { asked, written: () => written() };
}

describe('flash: the order of what a stage does', () => {
  afterEach(closeBenches);

  describe('provision', () => {
    const servers = useHttpServers();

    it('gives the Wi-Fi to a device only when a restart would recognise that device', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice();
      const { apPort } = await device.start();
      const disk = slowDisk(bench.host);
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
      await disk.asked;
      const job = await stage.job();
      assert.equal(job.deviceid, device.deviceid);
      assert.deepEqual(names(stage), ['wait-for-ap', 'send-wifi']);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.ok(!device.log.includes(TOOK_SETTINGS), device.log.join('\n'));
      disk.written();
      await stage.outcome;
      assert.ok(device.log.includes(TOOK_SETTINGS), device.log.join('\n'));
      assert.deepEqual(
        stage.said.map(({ name, fraction }) => [name, fraction]),
        [
          ['wait-for-ap', 0],
          ['send-wifi', 0.5],
          ['wifi-sent', 0.9],
        ],
      );
      const kinds = job.evidence.all.map((seen) => (seen.kind === 'stage' ? seen.event : seen.kind));
      assert.deepEqual(kinds, ['began', 'addresses', 'ap-looked', 'provisioned', 'ended']);
      assert.ok(bench.host.devices.factoryKey(device.deviceid), 'its key is known');
    });

    it('brings a device into DIY mode only when a restart would take it for one that never dials', async () => {
      const bench = await openBench();
      const asked: unknown[] = [];
      const url = await servers.serve((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.end(JSON.stringify({ deviceid: '10000a1b2c', apikey: randomUUID(), accept: 'post', error: 0 }));
      });
      const disk = slowDisk(bench.host);
      const stage = bench.begin('provision', { ...HOME, url, method: 'diy' });
      await disk.asked;
      const job = await stage.job();
      assert.deepEqual([job.route?.name, job.deviceid], ['diy', '10000a1b2c']);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.deepEqual(asked, ['GET /device']);
      disk.written();
      await stage.outcome;
      assert.deepEqual(asked, ['GET /device', 'POST /ap_diy']);
    });

    it('gives the Wi-Fi to no device after a cancel that came meanwhile', async () => {
      const bench = await openBench();
      const device = await bench.factoryDevice();
      const { apPort } = await device.start();
      const disk = slowDisk(bench.host);
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
      await disk.asked;
      bench.host.runs.cancel('provision');
      disk.written();
      await assertCode(stage.outcome, 'cancelled');
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.equal(device.state, 'access-point');
      assert.ok(!device.log.includes(TOOK_SETTINGS), device.log.join('\n'));
    });

    it('says that the Wi-Fi was probably sent where the device goes with its answer', async () => {
      const bench = await openBench();
      const url = await servers.serve((request, response) => {
        if (request.method === 'POST') return void response.destroy();
        response.end(JSON.stringify({ deviceid: '1000a1b2c3', apikey: randomUUID(), accept: 'post' }));
      });
      const stage = bench.begin('provision', { ...HOME, url });
      const { found } = await stage.outcome;
      const deviceid = '1000a1b2c3';
      const server = { serverName: '127.0.0.1', port: bench.host.ports.https };
      assert.deepEqual(found, { deviceid, answer: 'probably-accepted', ...server, warnings: [] });
      assert.deepEqual(stage.said.at(-1), { name: 'wifi-probably-sent', values: { deviceid }, fraction: 0.9 });
    });

    it('is over when the device that is meant dials in, which was set up before', async () => {
      const bench = await openBench();
      const device = await bench.device();
      const url = await servers.serve((_request, response) => void response.destroy());
      await device.start();
      await once(bench.host.devices, 'ready');
      const options = { ssid: 'home', password: '', url, deviceid: device.deviceid };
      const stage = bench.begin('provision', options);
      const { found } = await stage.outcome;
      const warnings = [wording('doubt-empty-password')];
      assert.deepEqual(found, { deviceid: device.deviceid, answer: 'dialled-in', warnings });
      assert.deepEqual(stage.said.at(-1), {
        name: 'already-set-up',
        values: { deviceid: device.deviceid },
        fraction: 0.9,
      });
    });

    it('is not over for another device that dials in', async () => {
      const bench = await openBench();
      const other = await bench.device();
      const url = `http://127.0.0.1:${await freePort()}`;
      const stages = ['1000ffffff', undefined].map((deviceid, index) =>
        bench.begin('provision', { ...HOME, url, nodeId: `${index}`, ...(deviceid ? { deviceid } : {}) }),
      );
      await other.start();
      await once(bench.host.devices, 'ready');
      for (const stage of stages) assert.equal(stage.recorder.outcomes.size, 0);
    });
  });

  describe('cloud', () => {
    it('reports each step, and what it found', async () => {
      const bench = await openBench();
      const device = await bench.device();
      const { deviceid } = device;
      const stage = bench.begin('cloud', { deviceid });
      await stage.job();
      await device.start();
      const { found } = await stage.outcome;
      assert.deepEqual(
        stage.said.map(({ name, fraction }) => [name, fraction]),
        [
          ['wait-for-device', 0],
          ['device-dispatched', 0.4],
          ['device-ready', 0.95],
        ],
      );
      assert.deepEqual(stage.said[0]?.values, { deviceid, address: '127.0.0.1' });
      assert.deepEqual([found['via'], found['ip'], found['road']], ['tls', '127.0.0.1', 'cloud']);
      const { evidence } = bench.host.jobs.latest(deviceid)!;
      const [began] = evidence.all;
      assert.deepEqual(began && { ...began, at: 0 }, {
        at: 0,
        kind: 'stage',
        event: 'began',
        stage: 'cloud',
        seconds: 600,
        deviceid,
        address: '127.0.0.1',
        ports: `${bench.host.ports.https} and ${bench.host.ports.legacy}`,
      });
      assert.deepEqual([bench.host.listenerCount('addresses'), evidence.listenerCount('changed')], [0, 1]);
    });

    it('looks at the addresses of this machine whenever one came or went, until it ends', async () => {
      const bench = await openBench({ legacyPort: 0 });
      const { host } = bench;
      const listeners = (): number[] =>
        (['ready', 'trouble', 'dispatched', 'refused'] as const).map((name) => host.devices.listenerCount(name));
      const before = listeners();
      const asked = new Set<string>();
      let own = [{ name: 'eth0', address: '192.0.2.5' }];
      bench.around.ownAddresses = (url) => {
        asked.add(url);
        return own;
      };
      const stage = bench.begin('cloud', { deviceid: '1000ffffff' });
      const { evidence } = await stage.job();
      own = [{ name: 'wlan0', address: '192.0.2.77' }];
      host.emit('addresses');
      host.emit('addresses');
      host.runs.cancel('cloud');
      await assertCode(stage.outcome, 'cancelled');
      own = [];
      host.emit('addresses');
      const [began, ...seen] = evidence.all;
      assert.equal(
        began?.kind === 'stage' && began.event === 'began' && began.ports,
        `${host.ports.https}`,
        'no other',
      );
      assert.deepEqual(
        seen.flatMap((one) => (one.kind === 'addresses' ? [one.addresses[0]?.address] : [])),
        ['192.0.2.5', '192.0.2.77'],
      );
      assert.deepEqual([...asked], ['http://127.0.0.1']);
      assert.deepEqual(listeners(), before);
    });

    it('takes none of which two peers say that they are it, where none is named', async () => {
      const bench = await openBench();
      const { devices } = bench.host;
      await (await bench.device({ localAddress: '127.0.0.2' })).start();
      await once(devices, 'ready');
      const refused = once(devices, 'refused');
      await (await bench.device({ localAddress: '127.0.0.66', apikey: randomUUID() })).start();
      await refused;
      const stage = bench.begin('cloud');
      await stage.job();
      await (await bench.device({ deviceid: '1000ffffff' })).start();
      assert.equal((await stage.outcome).job.deviceid, '1000ffffff');
      const named = bench.begin('cloud', { deviceid: '1000a1b2c3' });
      const { values } = await assertCode(named.outcome, 'device-contested');
      assert.deepEqual(values, { deviceid: '1000a1b2c3', peer: '127.0.0.2', other: '127.0.0.66' });
      const { evidence } = await named.job();
      assert.deepEqual(
        evidence.all.flatMap((seen) => (seen.kind === 'stranger' ? [{ ...seen, at: 0 }] : [])),
        [{ at: 0, kind: 'stranger', peer: '127.0.0.66', act: 'second-key', rival: '127.0.0.2' }],
        'it came before this wait',
      );
    });

    it('keeps of a wait without result how it started, that its time was over, and why it failed', async () => {
      const bench = await openBench();
      const stage = bench.begin('cloud', { deviceid: '1000ffffff' });
      const { evidence } = await stage.job();
      evidence.patience = { ...evidence.patience, nothingArrivedMs: 0 };
      await stage.over();
      await assertCode(stage.outcome, 'nothing-arrived');
      const steps = evidence.all.flatMap((seen) => (seen.kind === 'stage' ? [{ ...seen, at: 0 }] : []));
      const { values } = steps.at(-1) as { values?: object };
      const common = { at: 0, kind: 'stage', stage: 'cloud' };
      assert.deepEqual(steps.slice(1), [
        { ...common, event: 'over' },
        { ...common, event: 'failed', code: 'nothing-arrived', values },
      ]);
    });

    it('says again what it waits for when trouble has passed', async () => {
      const bench = await openBench();
      const stage = bench.begin('cloud', { deviceid: '1000ffffff' });
      const { evidence } = await stage.job();
      const { patience } = evidence;
      const becomes = async (nothingArrivedMs: number, ...wanted: string[]): Promise<void> => {
        evidence.patience = { ...patience, nothingArrivedMs };
        evidence.add({ kind: 'addresses', addresses: [] });
        while (names(stage).length < wanted.length) await nextTurn();
        assert.deepEqual(names(stage), wanted);
      };
      await becomes(0, 'wait-for-device', 'cloud-trouble');
      const message = stage.said.at(-1)?.values['message'];
      assert.equal(typeof message === 'object' && message.text, evidence.verdict().text);
      await becomes(patience.nothingArrivedMs, 'wait-for-device', 'cloud-trouble', 'wait-for-device');
      bench.host.runs.cancel('cloud');
      await assertCode(stage.outcome, 'cancelled');
    });

    it('reports no device but the one that is meant, and takes no other', async () => {
      const bench = await openBench();
      const stage = bench.begin('cloud', { deviceid: '1000ffffff' });
      await stage.job();
      await (await bench.device()).start();
      await once(bench.host.devices, 'ready');
      assert.deepEqual(names(stage), ['wait-for-device']);
      assert.equal(stage.recorder.outcomes.size, 0);
    });

    it('leaves alone what another flash has in hand, or has handed on since this one waits', async () => {
      const bench = await openBench();
      const device = await bench.device();
      const busy = bench.host.jobs.jobFor('cloud', device.deviceid);
      busy.enter('cloud');
      busy.running = new AbortController();
      const stage = bench.begin('cloud');
      await stage.job();
      await device.start();
      await once(bench.host.devices, 'ready');
      assert.equal(stage.recorder.outcomes.size, 0);
      busy.leave('cloud');
      busy.running = undefined;
      bench.host.devices.emit('trouble', { peer: '192.0.2.7', error: new FlashError('unexplained') });
      await nextTurn();
      assert.equal(stage.recorder.outcomes.size, 0, 'it was handed on since');
      const next = await bench.device({ deviceid: '1000ffffff' });
      await next.start();
      assert.equal((await stage.outcome).job.deviceid, '1000ffffff');
      const later = bench.begin('cloud', { nodeId: 'later' });
      assert.equal((await later.outcome).job.deviceid, device.deviceid, 'its flash was left where it was');
    });
  });

  describe('upgrade', () => {
    it('sends nothing before a restart would know of it, then reports each step', async () => {
      const bench = await openBench();
      const device = await bench.device();
      const { deviceid } = device;
      await device.start();
      await bench.begin('cloud', { deviceid }).outcome;
      const disk = slowDisk(bench.host);
      const stage = bench.begin('upgrade', { deviceid });
      await disk.asked;
      const job = await stage.job();
      const { download } = job;
      assert.deepEqual([download?.isOffered, download?.requests, job.finalStage], [true, 0, undefined]);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.ok(!device.log.includes('told to upgrade'), device.log.join('\n'));
      disk.written();
      const { found } = await stage.outcome;
      assert.deepEqual(names(stage), ['load-firmware', 'upgrade-sent', 'image-flows', 'image-written']);
      const flows = stage.said.filter(({ name }) => name === 'image-flows').map(({ fraction }) => fraction);
      assert.ok(Math.abs((flows.at(-1) ?? 0) - 0.95) < 0.001, flows.join());
      assert.deepEqual(stage.said[1], {
        name: 'upgrade-sent',
        values: { deviceid, version: PROVEN_VERSION },
        fraction: 0.05,
      });
      assert.deepEqual(stage.said.at(-1), {
        name: 'image-written',
        values: { deviceid, image: wording('image-user2') },
        fraction: 1,
      });
      const size = FIRMWARE.user2.length;
      const requests = Math.ceil(size / 4096);
      const rest = { requests, transport: 'range', version: PROVEN_VERSION, sessions: 1 };
      assert.deepEqual(found, { intermediate: 'finalstage', image: 'user2', size, ...rest });
      assert.deepEqual([job.download, download?.isTaken], [undefined, true]);
      assert.equal(download?.listenerCount('changed'), 1, 'that of the job itself');
      assert.ok(job.finalStage, 'it may be in FinalStage');
      assert.equal(job.evidence.listenerCount('changed'), 1, 'nothing watches for trouble any more');
      const session = bench.host.devices.get(deviceid);
      for (const event of ['acknowledged', 'malformed']) assert.equal(session?.listenerCount(event) ?? 1, 1, event);
    });

    for (const [what, code, end] of [
      ['a cancel', 'cancelled', ({ runs }) => runs.cancel('upgrade')],
      [
        'a peer that states its id with another key',
        'device-contested',
        ({ devices }, deviceid) => {
          const statement = { deviceid, apikey: 'another', model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
          devices.admits(statement, '127.0.0.66', 'dispatch');
        },
      ],
    ] as [string, ErrorCode, (host: FlashHost, deviceid: string) => void][]) {
      it(`is not sent any more after ${what} that came while the disk took its time`, async () => {
        const bench = await openBench();
        const device = await bench.device();
        const { deviceid } = device;
        await device.start();
        await bench.begin('cloud', { deviceid }).outcome;
        const sent: string[] = [];
        bench.host.devices.get(deviceid)?.on('message', (_direction, text) => sent.push(text));
        const disk = slowDisk(bench.host);
        const stage = bench.begin('upgrade', { deviceid });
        await disk.asked;
        end(bench.host, deviceid);
        await assertCode(stage.outcome, code);
        disk.written();
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        assert.deepEqual(sent, []);
        assert.ok(!names(stage).includes('upgrade-sent'), names(stage).join());
      });
    }

    it('ends with turn-timeout where another device does not get out of the way, and holds up no other device then', async () => {
      const bench = await openBench({}, { turnMs: 1 });
      const holder = bench.host.jobs.jobFor('upgrade', '1000ffffff');
      holder.finalStage = new FinalStageSession();
      const stage = bench.begin('upgrade', { deviceid: '1000a1b2c3' });
      const { values } = await assertCode(stage.outcome, 'turn-timeout');
      assert.deepEqual(values, { deviceid: '1000a1b2c3', holder: '1000ffffff', minutes: 1 / 60_000 });
      assert.deepEqual(stage.said.at(-1)?.values, { deviceid: '1000a1b2c3', holder: '1000ffffff' });
      assert.equal((await stage.job()).download, undefined);
      holder.fail('cancelled');
      const next = bench.host.jobs.jobFor('upgrade', '1000000002');
      await bench.host.finalStageLock.acquire(next, NEVER, () => assert.fail('it has to wait'));
    });

    it('serves a device to the last byte that acknowledges before it downloads', async () => {
      const bench = await openBench();
      const device = await bench.device({ behaviours: { holdsAtByte: 4096 } });
      const { deviceid } = device;
      await device.start();
      await bench.begin('cloud', { deviceid }).outcome;
      const stage = bench.begin('upgrade', { deviceid });
      await stage.recorder.reported(({ name }) => name === 'image-flows');
      bench.host.devices.get(deviceid)?.emit('acknowledged', 0, '1');
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      assert.deepEqual([stage.recorder.outcomes.size, (await stage.job()).download?.isTaken], [0, false]);
      device.behave({ holdsAtByte: undefined });
      assert.equal((await stage.outcome).found['requests'], 2);
    });

    it('waits for a device without a name, too', async () => {
      const bench = await openBench({}, { turnMs: 1 });
      bench.host.jobs.jobFor('finalstage', undefined).finalStage = new FinalStageSession();
      const stage = bench.begin('upgrade', { deviceid: '1000a1b2c3' });
      const { values } = await assertCode(stage.outcome, 'turn-timeout');
      assert.deepEqual(values['holder'], wording('no-known-id'));
    });

    it('continues after a restart of ours with the images that the device has a part of, and with no other', async () => {
      const bench = await openBench();
      const device = await bench.device();
      const { deviceid } = device;
      await device.start();
      const before = new Job('upgrade', deviceid);
      before.enter('upgrade');
      before.route = FINALSTAGE;
      const { id, lastStage } = before;
      const job = Job.restore({ id, lastStage, snapshot: before.snapshot() });
      job.firmware = await loadFirmware(FIRMWARE, { signal: NEVER });
      bench.host.jobs.restore(job);
      const sources = { ...FIRMWARE, user2: makeUserImage({ slot: 2, size: 20_480 }) };
      const { found } = await bench.begin('upgrade', { deviceid, sources }).outcome;
      assert.equal(found['size'], FIRMWARE.user2.length);
    });

    it('takes the images that it is given where the upgrade is restarted after a failure', async () => {
      const bench = await openBench();
      const device = await bench.device({ behaviours: { refusesWith: 404 } });
      await assertCode(bench.upgraded(device), 'download-failed');
      device.behave({ refusesWith: undefined });
      const user2 = makeUserImage({ slot: 2, size: 20_480 });
      const sources = { ...FIRMWARE, user2 };
      const { found } = await bench.begin('upgrade', { deviceid: device.deviceid, sources }).outcome;
      assert.equal(found['size'], user2.length);
    });

    it('knows a wrong way into the flash before it fetches anything', async () => {
      const bench = await openBench();
      const sources = { ...FIRMWARE, intermediate: 'by post' } as never;
      await assertCode(bench.begin('upgrade', { deviceid: '1000a1b2c3', sources }).outcome, 'intermediate-unknown');
    });
  });

  describe('diy', () => {
    it('tells a device nothing after a cancel that came while the disk took its time', async () => {
      const bench = await openBench();
      const deviceid = '10000a1b2c';
      const commands: string[] = [];
      const device = new StrictDiyServer((command) => {
        commands.push(command);
        return { error: 0, data: { deviceid, otaUnlock: true } };
      });
      try {
        const disk = slowDisk(bench.host);
        const stage = bench.begin('diy', { deviceid, url: `http://127.0.0.1:${await device.listen()}` });
        await disk.asked;
        bench.host.runs.cancel('diy');
        await assertCode(stage.outcome, 'cancelled');
        const { length } = stage.said;
        disk.written();
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        assert.deepEqual([commands, stage.said.length], [['info'], length]);
      } finally {
        await device.close();
      }
    });

    it('tells a device to fetch its image only when a restart would know of it', async () => {
      const bench = await openBench();
      const deviceid = '10000a1b2c';
      const commands: string[] = [];
      const device = new StrictDiyServer((command) => {
        commands.push(command);
        return command === 'info' ? { error: 0, data: { deviceid, otaUnlock: true } } : { error: 422 };
      });
      try {
        const url = `http://127.0.0.1:${await device.listen()}`;
        const disk = slowDisk(bench.host);
        const stage = bench.begin('diy', { deviceid, url });
        await disk.asked;
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        assert.deepEqual([commands, names(stage)], [['info'], ['load-firmware', 'diy-look', 'diy-found']]);
        disk.written();
        await assertCode(stage.outcome, 'diy-refused');
        assert.deepEqual(commands, ['info', 'ota_flash']);
      } finally {
        await device.close();
      }
    });
  });

  describe('to which address devices are led: the one to dial, not the one that the host listens at', () => {
    afterEach(closeAll);

    const address = '127.0.0.5';
    async function beganAt(stage: Begun): Promise<string | undefined> {
      const { evidence } = await stage.job();
      const began = evidence.all.findLast((one) => one.kind === 'stage' && one.event === 'began');
      return began && 'address' in began ? began.address : undefined;
    }

    it('in the set-up, and at the wait for the cloud', async () => {
      const bench = await openBench({ address });
      const { host } = bench;
      const device = await bench.factoryDevice();
      const { apPort } = await device.start();
      const { found } = await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
      assert.deepEqual([found['serverName'], found['port']], [address, host.ports.https]);
      const cloud = bench.begin('cloud', { deviceid: device.deviceid });
      assert.equal(await beganAt(cloud), address);
      assert.deepEqual(cloud.said[0]?.values, { deviceid: device.deviceid, address });
      host.runs.cancel('cloud');
      await assertCode(cloud.outcome, 'cancelled');
    });

    it('in the upgrade', async () => {
      const bench = await openBench({ address });
      const { host } = bench;
      const { device } = await WebSocketDevice.open(await RawClient.to(host.ports.legacy));
      const deviceid = '1000a1b2c3';
      await device.becomeReady(deviceid);
      const upgrade = bench.begin('upgrade', { deviceid });
      const { params } = (await device.answer()) as { params: { binList: { downloadUrl: string }[] } };
      assert.deepEqual(
        params.binList.map(({ downloadUrl }) => downloadUrl),
        ['user1', 'user2'].map((role) => `http://${address}:${host.ports.http}/sonota/${deviceid}/${role}.bin`),
      );
      assert.equal(await beganAt(upgrade), address);
      assert.equal((await upgrade.job()).facts.ip, '127.0.0.9', 'its own');
      host.runs.cancel('upgrade');
      await assertCode(upgrade.outcome, 'cancelled');
    });

    it('in DIY mode', async () => {
      const bench = await openBench({ address });
      const { host } = bench;
      const deviceid = '10000a1b2c';
      const orders: unknown[] = [];
      const device = new StrictDiyServer((command, { data }) => {
        if (command === 'info') return { error: 0, data: { deviceid, otaUnlock: true } };
        orders.push(data);
        return { error: 422 };
      });
      try {
        const diy = bench.begin('diy', { deviceid, url: `http://127.0.0.1:${await device.listen()}` });
        await assertCode(diy.outcome, 'diy-refused');
        const job = await diy.job();
        const downloadUrl = `http://${address}:${host.ports.http}/d${job.id.slice(0, 8)}.bin`;
        assert.deepEqual(orders, [{ downloadUrl, sha256sum: digestOf(FIRMWARE.final) }]);
        assert.equal(await beganAt(diy), address);
      } finally {
        await device.close();
      }
    });
  });
});
