import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { mock } from 'node:test';
import type { Node } from 'node-red';
import helper from 'node-red-node-test-helper';
import { FlashError } from '../../lib/errors';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { FlashHost } from '../../lib/flash/host/host';
import { failed, passed, warned, type SaidCheck } from '../../lib/preflight/check';
import type { PreflightReport, SaidReport } from '../../lib/preflight/preflight';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { hosts, type HostNode } from '../../nodes/shared/hosts';
import { MessageValues } from '../../nodes/shared/messages';
import type { FlashForm } from '../../nodes/sonota-flash/flash-form';
import { answerOf, type FlashNode } from '../../nodes/sonota-flash/press';
import { startOf } from '../../nodes/sonota-flash/start';
import { localIPv4 } from '../../lib/net/addresses';
import { FIRMWARE, HOME, ON_LOOPBACK } from '../flash/bench';
import { useHttpServers } from '../shared/http-server';
import type { Flow } from '../shared/node-red';
import { freePort, occupy } from '../shared/ports';
import { timeGoesOn, timeStands } from '../shared/standing-time';
import { useAdminServer } from './admin-server';
import { Bed, freePorts, without, type Ports } from './bed';
import { quoted, wording } from '../../lib/wordings/wording';

const AT = { z: 'tab', x: 100, y: 100 };
const PLACE = { httpsPort: 0, legacyPort: 0, httpPort: 0 };

/** The whole flash in one node. */
function flowOf(ports: Partial<Ports>, node: object = {}): Flow {
  const numbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  return [
    { id: 'tab', type: 'tab', label: 'flash' },
    { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...numbers },
    {
      id: 'flash',
      type: 'sonota-flash',
      ...AT,
      name: '',
      host: 'host',
      ssid: HOME.ssid,
      timeout: '600',
      wires: [['out'], ['progress']],
      ...node,
    },
    { id: 'out', type: 'sink', ...AT, wires: [] },
    { id: 'progress', type: 'sink', ...AT, wires: [] },
    { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...AT, wires: [] },
  ];
}

/** A firmware that a message can name. */
const FIRMWARE_NAMED = 'rehearsal';
const REHEARSAL_NODE = {
  ...{ id: 'firmware', type: 'sonota-firmware', name: FIRMWARE_NAMED },
  ...{ user1: 'rehearsal:', user2: 'rehearsal:', final: 'rehearsal:' },
};

const CREDENTIALS = { flash: { password: HOME.password } };

describe('nodes: sonota-flash', () => {
  let bed: Bed | undefined;
  const http = useHttpServers();
  useAdminServer();
  afterEach(async () => {
    timeGoesOn();
    await bed?.unload();
    bed = undefined;
  });

  /** A flow, and a device for it that is switched on. */
  async function setUp(
    node: object = {},
    options: Partial<Parameters<Bed['device']>[0]> = {},
  ): Promise<{ bed: Bed; device: VirtualSonoff; flow: Flow; ports: Ports }> {
    const ports = await freePorts();
    const [apPort, finalStagePort] = [await freePort(), await freePort()];
    const urls = { apUrl: `http://127.0.0.1:${apPort}`, finalStageUrl: `http://127.0.0.1:${finalStagePort}` };
    const flow = flowOf(ports, { ...urls, ...node });
    const loaded = await Bed.load(flow, CREDENTIALS);
    loaded.credentials = CREDENTIALS;
    bed = loaded;
    const device = loaded.device({ apPort, finalStagePort, homeNetwork: HOME, ...options });
    await device.start();
    return { bed: loaded, device, flow, ports };
  }

  function jobs(loaded: Bed): readonly { stage: string }[] {
    return (loaded.node('host') as unknown as HostNode).flashHost.jobs.all();
  }

  it('flashes a device from one message, with one result, one done and the progress of all stages', async () => {
    const { bed, device } = await setUp();
    bed.send('flash', { topic: 'mine', firmware: FIRMWARE, foreign: { kept: true } });
    const msg = await bed.at('out');
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(msg['topic'], 'mine');
    assert.deepEqual(msg['foreign'], { kept: true });
    assert.equal(msg['deviceid'], device.deviceid);
    assert.equal(msg.sonota?.['stage'], 'done');
    assert.deepEqual(Object.keys((msg.sonota as { stages: object }).stages), [
      'provision',
      'cloud',
      'upgrade',
      'finalstage',
    ]);
    assert.deepEqual(await bed.doneBy('flash'), [undefined]);
    assert.equal(bed.messages('out').length, 1);
    assert.deepEqual(bed.shown('flash'), { fill: 'green', shape: 'dot', text: 'done' });
    const progress = bed.messages('progress');
    const stages = new Set(progress.map(({ topic }) => String(topic).split('/')[1]));
    assert.deepEqual([...stages], ['provision', 'cloud', 'upgrade', 'finalstage']);
    const percents = progress.map(({ payload }) => Number(payload));
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.ok(!JSON.stringify([bed.arrived, bed.statuses]).includes(HOME.password));
  });

  it('shows that it checks before it starts, and checks a message again only where no flash of it has started', async () => {
    const { bed, flow } = await setUp({ ssid: '' });
    bed.send('flash', { mine: 1, firmware: FIRMWARE });
    await bed.at('caught');
    assert.deepEqual(
      bed.statuses.filter(({ id }) => id === 'flash').map(({ status: { fill, shape, text } }) => [fill, shape, text]),
      [
        ['grey', 'ring', 'idle'],
        ['blue', 'dot', 'checking'],
        ['red', 'ring', 'wifi-credentials-missing'],
      ],
    );
    const { runs, jobs } = (bed.node('host') as unknown as HostNode).flashHost;
    const kept = { nodeId: 'flash', stage: 'provision' as const, left: [] };
    const job = jobs.jobFor('provision', '1000a1b2c3');
    runs.restore([
      { ...kept, id: 'not begun', message: { mine: 2, firmware: FIRMWARE_NAMED } },
      { ...kept, id: 'begun', jobId: job.id, message: { mine: 3, firmware: FIRMWARE_NAMED } },
    ]);
    const from = bed.statuses.length;
    await bed.deploy([...flow, REHEARSAL_NODE]);
    assert.equal((await bed.at('caught', ({ mine }) => mine === 2)).error?.code, 'wifi-credentials-missing');
    // It has no password any more, which the stage itself finds out.
    await bed.at('caught', ({ mine }) => mine === 3);
    const checks = bed.statuses.slice(from).filter(({ status }) => status.text.startsWith('checking'));
    assert.equal(checks.length, 1);
  });

  it('looks for the new firmware where the flash goes in one hop', async () => {
    const { bed, device } = await setUp({ intermediate: 'one-hop' });
    const { user1: _one, user2: _two, ...final } = FIRMWARE;
    bed.send('flash', { firmware: { ...final, intermediate: 'one-hop' } });
    await bed.at('progress', ({ topic }) => String(topic) === `${device.deviceid}/newfirmware`);
    const stages = new Set(bed.messages('progress').map(({ topic }) => String(topic).split('/')[1]));
    assert.deepEqual([...stages], ['provision', 'cloud', 'upgrade', 'newfirmware']);
    bed.send('flash', { cancel: true });
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
  });

  it('skips the set-up of a device that is connected, and needs no Wi-Fi for it', async () => {
    const ports = await freePorts();
    const finalStagePort = await freePort();
    const node = { ssid: '', finalStageUrl: `http://127.0.0.1:${finalStagePort}` };
    bed = await Bed.load([
      ...flowOf(ports, node),
      {
        id: 'every',
        type: 'sonota-cloud-emulator',
        ...AT,
        name: '',
        host: 'host',
        every: true,
        wires: [['ready'], []],
      },
      { id: 'ready', type: 'sink', ...AT, wires: [] },
    ]);
    const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
    const device = bed.device({ finalStagePort, provisioned });
    await device.start();
    await bed.at('ready');
    bed.send('flash', { deviceid: device.deviceid, firmware: FIRMWARE });
    await bed.at('out');
    assert.equal((await device.ended).result, 'flashed');
    assert.ok(!bed.messages('progress').some(({ topic }) => String(topic).endsWith('/provision')));
  });

  it('refuses what cannot succeed before a job starts', async () => {
    const { bed, device } = await setUp({ ssid: '' });
    const refused = async (firmware: object, code: string): Promise<void> => {
      bed.send('flash', { mine: code, firmware, ssid: code === 'wifi-credentials-missing' ? '' : HOME.ssid });
      const caught = await bed.at('caught', (msg) => msg['mine'] === code);
      assert.equal(caught.error?.code, code);
      assert.deepEqual(bed.shown('flash'), { fill: 'red', shape: 'ring', text: code });
    };
    await refused({ ...FIRMWARE, final: '' }, 'firmware-missing');
    await refused({ ...FIRMWARE, final: Buffer.from('no image') }, 'image-invalid');
    await refused(FIRMWARE, 'wifi-credentials-missing');
    assert.deepEqual(jobs(bed), [], 'no job is left behind');
    assert.equal(device.state, 'access-point', 'the device was left alone');
  });

  it('continues over a redeploy in the middle of a stage', async () => {
    // Held: progress is reported a few times a second, and the whole download could lie between two reports.
    const { bed, device, flow } = await setUp({}, { behaviours: { holdsAtByte: 8192 } });
    const firmware = {
      user1: makeUserImage({ slot: 1, size: 24_576 }),
      user2: makeUserImage({ slot: 2, size: 24_576 }),
      final: makeFinalImage({ size: 40_960 }),
    };
    bed.send('flash', { firmware, mine: 1 });
    await bed.at('progress', ({ topic, transfer }) => String(topic).endsWith('/upgrade') && transfer !== undefined);
    await bed.deploy(flow);
    device.behave({ holdsAtByte: undefined });
    const msg = await bed.at('out');
    assert.equal(msg['mine'], 1);
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(bed.messages('caught').length, 0);
  });

  it('gives the new firmware the Wi-Fi of its own form, in the access point of a rehearsal alone', async () => {
    for (const [newFirmwareUrl, apUrl] of [
      ['', undefined],
      ['http://127.0.0.1:1234', 'http://127.0.0.1:1234'],
      ['http://192.168.1.9', undefined],
    ]) {
      const loaded = await Bed.load(flowOf(await freePorts(), { newFirmwareUrl }), CREDENTIALS);
      try {
        assert.deepEqual((loaded.node('flash') as FlashNode).afterFlash(), { ...HOME, apUrl });
      } finally {
        await loaded.unload();
      }
    }
  });

  it('ends where what its message names for the next stage is gone by then', async () => {
    const ports = await freePorts();
    const named = { id: 'fw', type: 'sonota-firmware', name: 'mine', user1: '', user2: '', final: 'rehearsal:' };
    const flow = flowOf(ports);
    bed = await Bed.load([...flow, named]);
    const device = bed.device({ provisioned: { serverName: '127.0.0.1', port: ports.httpsPort } });
    bed.send('flash', { deviceid: device.deviceid, stage: 'cloud', firmware: 'mine', foreign: 1 });
    await bed.at('progress', ({ topic }) => String(topic) === `${device.deviceid}/cloud`);
    await bed.deploy(flow);
    await device.start();
    const caught = await bed.at('caught');
    assert.deepEqual([caught.error?.code, caught['foreign']], ['firmware-missing', 1]);
    assert.deepEqual(bed.shown('flash'), { fill: 'red', shape: 'ring', text: 'firmware-missing' });
    assert.equal(bed.messages('out').length, 0);
  });

  it('resumes a failed flash at the stage that failed when it is tried again', async () => {
    const { bed, device } = await setUp({ timeout: '' }, { homeNetwork: { ...HOME, ssid: 'another' } });
    bed.send('flash', { firmware: FIRMWARE });
    await bed.at('progress', ({ topic }) => String(topic) === `${device.deviceid}/cloud`);
    bed.send('flash', { cancel: true });
    await bed.at('caught');
    const from = bed.messages('progress').length;
    const [job] = (bed.node('host') as unknown as HostNode).flashHost.jobs.all();
    await helper.request().post(`/sonota/host/host/jobs/${job?.id}/retry`).expect(204);
    await bed.at('progress', (msg) => bed.messages('progress').indexOf(msg) >= from);
    assert.equal(String(bed.messages('progress')[from]?.['topic']), `${device.deviceid}/cloud`);
    assert.equal(jobs(bed).length, 1);
  });

  describe('the button', () => {
    const press = async (query = ''): Promise<Record<string, unknown>> =>
      (await helper.request().post(`/sonota/flash/flash/press${query}`).expect(200)).body as Record<string, unknown>;

    /** A firmware of this machine's own, so that nothing is fetched. */
    const REHEARSAL = {
      id: 'firmware',
      type: 'sonota-firmware',
      name: '',
      user1: 'rehearsal:',
      user2: 'rehearsal:',
      final: 'rehearsal:',
    };

    async function loadWith(node: object = {}): Promise<Bed> {
      const apUrl = `http://127.0.0.1:${await freePort()}`;
      const flow = flowOf(await freePorts(), { firmware: 'firmware', apUrl, ...node });
      bed = await Bed.load([...flow, REHEARSAL], CREDENTIALS);
      return bed;
    }

    it('starts a flash, and says of a second press that the first one waits', async () => {
      const bed = await loadWith();
      assert.deepEqual(await press(), { state: 'started' });
      await bed.at('progress', ({ topic }) => topic === 'unknown/provision');
      const checks = mock.method(hosts, 'whileListening');
      try {
        assert.deepEqual(await press(), { state: 'waiting' });
        assert.equal(checks.mock.callCount(), 0, 'it checks nothing again');
      } finally {
        checks.mock.restore();
      }
      assert.equal(jobs(bed).length, 1);
    });

    it('starts one flash where two people press at a time', async () => {
      const bed = await loadWith();
      const node = bed.node('flash') as FlashNode;
      const { signal } = new AbortController();
      const answers = await Promise.all([node.press(false, signal), node.press(false, signal)]);
      assert.deepEqual(answers.map(({ state }) => state).sort(), ['started', 'waiting']);
    });

    it('asks before a real device is given a host that is for rehearsals', async () => {
      const bed = await loadWith({ apUrl: '' });
      const answer = (await press()) as { state: string; report: PreflightReport };
      assert.equal(answer.state, 'doubtful');
      const { ok } = answer.report.checks.find(({ check }) => check === 'address') ?? {};
      assert.equal(ok, 'warn');
      assert.deepEqual(jobs(bed), []);
    });

    it('ends the wait where a person asks for it, and no flash whose device has its set-up', async () => {
      const { bed, device } = await setUp();
      bed.send('flash', { firmware: FIRMWARE });
      await bed.at('progress', ({ topic }) => topic === `${device.deviceid}/cloud`);
      bed.send('flash', { firmware: FIRMWARE });
      await bed.at('progress', ({ topic }) => topic === 'unknown/provision');
      await helper.request().post('/sonota/flash/flash/cancel').expect(204);
      assert.equal((await bed.at('caught')).error?.code, 'cancelled');
      assert.equal((await bed.at('out'))['deviceid'], device.deviceid);
    });

    it('shows under the node what to do, and how long the wait lasts', async () => {
      const bed = await loadWith();
      await press();
      const { text } = await bed.status('flash', ({ fill }) => fill === 'yellow');
      assert.match(text, /^join ITEAD-… (10:00|9:50)$/);
    });

    it('leaves nothing behind where it is cancelled before a device was there', async () => {
      const bed = await loadWith();
      await press();
      await bed.at('progress', ({ topic }) => topic === 'unknown/provision');
      bed.send('flash', { cancel: true });
      await bed.at('caught');
      assert.deepEqual(jobs(bed), []);
    });

    it('starts nothing that cannot succeed, and says why, even to one who insists', async () => {
      const bed = await loadWith({ ssid: '' });
      for (const query of ['', '?confirmed=true']) {
        const answer = await press(query);
        assert.equal(answer['state'], 'refused');
        const { checks } = answer['report'] as { checks: { code: string; ok: unknown; remedy: string }[] };
        const [missing] = checks.filter(({ code, ok }) => code === 'wifi-credentials-missing' && ok !== true);
        assert.ok(missing && missing.remedy !== '');
        const { isListening } = (bed.node('host') as unknown as HostNode).flashHost;
        assert.equal(isListening, false, 'it has listened for the checks alone');
      }
      assert.deepEqual(jobs(bed), []);
      assert.equal(bed.messages('caught').length, 0);
    });

    it('names a port that another program holds', async () => {
      const ports = await freePorts();
      const holder = await occupy(ports.httpsPort);
      try {
        bed = await Bed.load([...flowOf(ports, { firmware: 'firmware' }), REHEARSAL], CREDENTIALS);
        const answer = await press();
        assert.equal(answer['state'], 'refused');
        assert.match(JSON.stringify(answer), /port-in-use/);
      } finally {
        await holder.release();
      }
    });

    /** What a press says on a machine that listens to more than itself: it asks, since no device can dial the loopback. */
    async function checked(node: object, firmware: object = {}): Promise<PreflightReport['checks']> {
      const ports = await freePorts();
      const flow = flowOf(ports, { firmware: 'firmware', ...node });
      const open = flow.map((one) => (one.type === 'sonota-host' ? { ...one, bind: '0.0.0.0' } : one));
      bed = await Bed.load([...open, { ...REHEARSAL, ...firmware }], CREDENTIALS);
      const answer = (await press()) as { state: string; report: PreflightReport };
      await bed.unload();
      bed = undefined;
      const { checks } = answer.report;
      assert.equal(answer.state, checks.some(({ ok }) => ok === false) ? 'refused' : 'doubtful');
      return checks;
    }

    it('asks where host or access point alone is on this machine, since a device may be at stake', async function () {
      const apUrl = `http://127.0.0.1:${await freePort()}`;
      const [own] = localIPv4();
      if (!own) return this.skip();
      const isOpen = { bind: '0.0.0.0', address: own.address };
      for (const [host, node] of [
        [isOpen, { apUrl }],
        [{}, { apUrl: 'http://10.10.7.1' }],
      ] as const) {
        const flow = flowOf(await freePorts(), { firmware: 'firmware', ...node });
        bed = await Bed.load(
          [...flow.map((one) => (one.type === 'sonota-host' ? { ...one, ...host } : one)), REHEARSAL],
          CREDENTIALS,
        );
        const answer = (await press()) as { state: string; report?: PreflightReport };
        assert.equal(answer.state, 'doubtful', JSON.stringify(answer.report?.checks.filter(({ ok }) => ok !== true)));
        assert.deepEqual(jobs(bed), []);
        await bed.unload();
      }
      bed = undefined;
    });

    it('takes a pair that cannot be fetched as its method needs it', async () => {
      const pair = { user1: `http://127.0.0.1:${await freePort()}/user1.bin` };
      for (const [method, expected] of [
        ['', ['fetch-failed', 'warn']],
        ['cloud', ['fetch-failed', false]],
        ['diy', ['firmware-missing', true]],
      ] as const) {
        const firmware = (await checked({ method }, pair)).find(({ check }) => check === 'firmware');
        assert.deepEqual([firmware?.code, firmware?.ok], expected, method);
      }
    });

    /** A node whose method the device decides, and whose pair nobody serves. */
    async function loadWithoutPair(): Promise<Bed> {
      const [apUrl, away] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}/user1.bin`];
      const flow = flowOf(await freePorts(), { firmware: 'firmware', apUrl });
      bed = await Bed.load([...flow, { ...REHEARSAL, user1: away }], CREDENTIALS);
      return bed;
    }

    it('starts without the pair where a person insists', async () => {
      const bed = await loadWithoutPair();
      assert.deepEqual(await press('?confirmed=true'), { state: 'started' });
      await bed.at('progress', ({ topic }) => topic === 'unknown/provision');
    });

    it('starts without the pair for a message, but not for the emulated cloud', async () => {
      const bed = await loadWithoutPair();
      bed.send('flash', { method: 'cloud' });
      assert.equal((await bed.at('caught')).error?.code, 'fetch-failed');
      assert.deepEqual(jobs(bed), []);
      bed.send('flash', {});
      await bed.at('progress', ({ topic }) => topic === 'unknown/provision');
    });

    it('looks at the ports for unlocking a device where it may do that', async () => {
      for (const [node, rows] of [
        [{ unlock: 'local' }, 2],
        [{ unlock: 'local', method: 'diy' }, 2],
        [{ unlock: 'local', method: 'cloud' }, 0],
        [{ unlock: '' }, 0],
      ] as const) {
        const ports = (await checked(node)).filter(({ code }) => code === 'diy-unlock-port');
        assert.equal(ports.length, rows, JSON.stringify(node));
      }
    });

    /** A node whose image comes when `answer` is called; `isAsked` resolves when it is asked for. */
    async function withSlowImage(): Promise<{ bed: Bed; flow: Flow; isAsked: Promise<ServerResponse> }> {
      let asked = (_: ServerResponse): void => undefined;
      const isAsked = new Promise<ServerResponse>((resolve) => (asked = resolve));
      const image = await http.serve((_, response) => asked(response));
      const apUrl = `http://127.0.0.1:${await freePort()}`;
      const flow = flowOf(await freePorts(), { apUrl, method: 'diy', image: `${image}/final.bin` });
      bed = await Bed.load(flow, CREDENTIALS);
      bed.credentials = CREDENTIALS;
      return { bed, flow, isAsked };
    }

    it('ends its checks when the browser that asked goes away, and starts nothing', async () => {
      const { bed, isAsked } = await withSlowImage();
      assert.ok(bed.RED);
      const origin = await http.serve(bed.RED.httpAdmin);
      // A fetch that stalls is not let go for that.
      timeStands(['setTimeout']);
      const browser = request(`${origin}/sonota/flash/flash/press`, { method: 'POST' });
      browser.on('error', () => undefined).end();
      const image = await isAsked;
      const isLetGo = once(image, 'close');
      browser.destroy();
      await isLetGo;
      assert.deepEqual([jobs(bed), bed.done], [[], []]);
    });

    it('starts the flash in the instance of the node that is deployed by then', async () => {
      const { bed, flow, isAsked } = await withSlowImage();
      const old = bed.node('flash');
      const received: Node[] = [];
      const answer = press();
      const image = await isAsked;
      await bed.deploy(flow);
      assert.notEqual(bed.node('flash'), old);
      for (const node of [old, bed.node('flash')]) Object.assign(node, { receive: () => received.push(node) });
      image.end(FIRMWARE.final);
      assert.deepEqual(await answer, { state: 'started' });
      assert.deepEqual(received, [bed.node('flash')]);
    });

    it('starts nothing where the node has gone by then, and says so', async () => {
      const { bed, flow, isAsked } = await withSlowImage();
      const answer = helper.request().post('/sonota/flash/flash/press').expect(422);
      const answered = answer.then(({ body }) => (body as { code: string }).code);
      const image = await isAsked;
      await bed.deploy(without(flow, 'flash'));
      image.end(FIRMWARE.final);
      assert.equal(await answered, 'not-possible');
    });

    it('answers with a sentence where there is no host, or no such node', async () => {
      bed = await Bed.load(flowOf(PLACE, { host: '' }), CREDENTIALS);
      const { body } = await helper.request().post('/sonota/flash/flash/press').expect(422);
      assert.equal((body as { code: string }).code, 'host-missing');
      const other = await helper.request().post('/sonota/flash/host/press').expect(404);
      assert.equal((other.body as { code: string }).code, 'not-possible');
    });
  });
});

describe('nodes: the stage with which sonota-flash starts', () => {
  const ID = '1000a1b2c3';
  let host: FlashHost;
  beforeEach(() => {
    host = new FlashHost(ON_LOOPBACK, undefined);
  });
  afterEach(() => host.close());

  /** @param more `only`: the device of the form; `method`: its way of setting a device up */
  function start(
    message: Record<string, unknown>,
    { only, method = 'automatic' }: { only?: string; method?: string } = {},
    firmware = (): undefined => undefined,
  ): string {
    const form = { upgrade: { firmware }, provision: { only, method: () => method } } as unknown as FlashForm;
    return startOf({ host: { flashHost: host } as HostNode, form, said: new MessageValues(message) });
  }

  /** @param deviceid empty for a job of no known device */
  function jobIn(stage: 'cloud' | 'finalstage' | 'provision', then: 'fails' | 'ends' | 'runs', deviceid = ID): void {
    const job = host.jobs.jobFor(stage, deviceid || undefined);
    job.enter(stage);
    if (then === 'fails') job.fail('device-timeout');
    if (then === 'ends') job.leave(stage);
  }

  function connect(): void {
    const device = { deviceid: ID, apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    const session = { peer: '192.0.2.7', sessionKey: 'session', device, ready: true, close: () => undefined };
    host.devices.add(Object.assign(new EventEmitter(), session) as unknown as DeviceConnection);
  }

  const CASES: [
    what: string,
    prepare: () => void,
    message: object,
    stage: string,
    more?: Parameters<typeof start>[1],
  ][] = [
    ['the set-up of a device that nothing is known of', () => undefined, { deviceid: ID }, 'provision'],
    ['the set-up where no device is named', connect, {}, 'provision'],
    [
      'the set-up where no device is named, be there a flash of none',
      () => jobIn('finalstage', 'fails', ''),
      {},
      'provision',
    ],
    ['the one that the message names', connect, { deviceid: ID, stage: ' FinalStage ' }, 'finalstage'],
    ['the cloud of a device that has a session', connect, { deviceid: ID }, 'cloud'],
    ['the cloud of the device of the form', connect, {}, 'cloud', { only: ID }],
    ['DIY mode, where it has an address at home', connect, { deviceid: ID, address: '192.168.1.9' }, 'diy'],
    [
      'the cloud, where DIY mode is ruled out',
      connect,
      { deviceid: ID, address: '192.168.1.9' },
      'cloud',
      { method: 'cloud' },
    ],
    ['FinalStage, where it failed there', () => jobIn('finalstage', 'fails'), { deviceid: ID }, 'finalstage'],
    ['the set-up, where it failed before', () => jobIn('cloud', 'fails'), { deviceid: ID }, 'provision'],
    ['the set-up, where it was flashed', () => jobIn('finalstage', 'ends'), { deviceid: ID }, 'provision'],
    ['the next one, where it stands between two', () => jobIn('cloud', 'ends'), { deviceid: ID }, 'upgrade'],
    ['the next one, where it was just set up', () => jobIn('provision', 'ends'), { deviceid: ID }, 'cloud'],
    ['the set-up, where it is not there yet', () => jobIn('cloud', 'runs'), { deviceid: ID }, 'provision'],
  ];
  for (const [what, prepare, message, stage, more] of CASES) {
    it(`is ${what}`, () => {
      prepare();
      assert.equal(start({ ...message }, more), stage);
    });
  }

  it('is none where the stage or the firmware that is named is not there', () => {
    assert.throws(() => start({ stage: 'dance' }), { code: 'value-invalid' });
    assert.throws(() => start({ address: 'ftp://x' }), { code: 'url-invalid' });
    assert.throws(() => start({ stage: 'cloud', unlock: 'by hand' }), { code: 'value-invalid' });
    const missing = (): undefined => {
      throw new FlashError('firmware-missing', { what: wording('no-image') });
    };
    assert.throws(() => start({ stage: 'cloud' }, {}, missing), { code: 'firmware-missing' });
  });
});

describe('nodes: the answer to a press on the button', () => {
  const fine = passed('tls', 'tls-refused', []);
  const doubt = warned('clock', 'clock-wrong');
  const rehearsal = warned('firmware', 'rehearsal-only');
  const noWifi = warned('wifi', 'wifi-credentials-missing', { what: wording('wifi-password') });
  const wrong = failed('port', new FlashError('port-in-use', { port: 1, bind: '', reason: quoted('') }));
  const CASES: [what: string, checks: SaidCheck[], isConfirmed: boolean, state: string][] = [
    ['starts where all is well', [fine], false, 'started'],
    ['starts where only the images are for a rehearsal', [fine, rehearsal], false, 'started'],
    ['asks about a doubt', [fine, doubt], false, 'doubtful'],
    ['starts with a doubt that a person has seen', [fine, doubt], true, 'started'],
    ['refuses what cannot succeed', [doubt, wrong], false, 'refused'],
    ['refuses what cannot succeed, even where a person has seen it', [fine, wrong], true, 'refused'],
    ['refuses where no device could join a Wi-Fi', [noWifi], true, 'refused'],
  ];
  for (const [what, checks, isConfirmed, state] of CASES) {
    it(what, () => {
      const report = { checks } as unknown as SaidReport;
      const expected = state === 'started' ? { state } : { state, report };
      assert.deepEqual(answerOf(report, isConfirmed), expected);
    });
  }
});
