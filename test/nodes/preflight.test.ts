import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import helper from 'node-red-node-test-helper';
import { mock } from 'node:test';
import { FlashError } from '../../lib/errors';
import { failed, passed, warned } from '../../lib/preflight/check';
import { phrase } from '../../lib/preflight/phrases';
import type { PreflightReport, SaidReport } from '../../lib/preflight/preflight';
import { quoted } from '../../lib/wordings/wording';
import { hosts } from '../../nodes/shared/hosts';
import { FIRMWARE } from '../flash/bench';
import type { Flow } from '../shared/node-red';
import { occupy } from '../shared/ports';
import { useAdminServer } from './admin-server';
import { Bed, freePorts, type Ports } from './bed';

const CREDENTIALS = { host: { password: 'top secret' } };

function flowOf(ports: Ports, preflight: object = {}, host: object = {}): Flow {
  const at = { z: 'tab', x: 100, y: 100 };
  return [
    { id: 'tab', type: 'tab', label: 'checks' },
    {
      id: 'host',
      type: 'sonota-host',
      name: '',
      bind: '127.0.0.1',
      address: '127.0.0.1',
      ssid: 'home',
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...host,
    },
    { id: 'firmware', type: 'sonota-firmware', name: 'made up', user1: 'rehearsal:', user2: 'rehearsal:', final: '' },
    { id: 'preflight', type: 'sonota-preflight', ...at, host: 'host', firmware: '', wires: [['out']], ...preflight },
    { id: 'out', type: 'sink', ...at, wires: [] },
    { id: 'catch', type: 'catch', ...at, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...at, wires: [] },
  ];
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('nodes: sonota-preflight', function () {
  let bed: Bed | undefined;
  let ports: Ports;

  beforeEach(async () => {
    ports = await freePorts();
  });
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  async function report(message: Record<string, unknown> = {}): Promise<PreflightReport> {
    assert.ok(bed);
    bed.send('preflight', message);
    return (await bed.at('out')).payload as PreflightReport;
  }

  it('puts out the table in the message that came, and is done once', async () => {
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    const { checks, verdict, text } = await report({ topic: 'mine', foreign: { kept: true } });
    assert.equal(verdict, 'warning', text);
    for (const check of checks) {
      assert.deepEqual(Object.keys(check).sort(), ['check', 'code', 'ok', 'remedy', 'text']);
    }
    assert.deepEqual(
      checks.filter(({ ok }) => ok !== true).map(({ code }) => code),
      ['address-invalid'],
    );
    const message = await bed.at('out');
    assert.deepEqual([message['topic'], message['foreign']], ['mine', { kept: true }]);
    assert.deepEqual(await bed.doneBy('preflight'), [undefined]);
    assert.deepEqual(
      bed.statuses
        .filter(({ id }) => id === 'preflight')
        .map(({ status: { fill, shape, text: shown } }) => [fill, shape, shown]),
      [
        ['grey', 'ring', 'idle'],
        ['blue', 'dot', 'checking'],
        ['yellow', 'ring', 'address-invalid'],
      ],
    );
  });

  it('puts out the table too where something is wrong, and shows the first code in red', async () => {
    const other = await occupy(ports.legacyPort);
    try {
      bed = await Bed.load(flowOf(ports), CREDENTIALS);
      const { verdict, checks } = await report();
      assert.equal(verdict, 'not-ready');
      assert.equal(checks.filter(({ code, ok }) => code === 'port-in-use' && ok === false).length, 1);
      assert.deepEqual(await bed.doneBy('preflight'), [undefined]);
      assert.deepEqual(bed.messages('caught'), []);
      assert.deepEqual(bed.shown('preflight'), { fill: 'red', shape: 'ring', text: 'port-in-use' });
    } finally {
      await other.release();
    }
  });

  it('shows the first check that fails, else the first that is doubtful, else that all is well', async () => {
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    const fine = passed('tls', 'tls-refused', []);
    const [doubt, other] = [warned('clock', 'clock-wrong'), warned('wifi', 'wifi-credentials-missing')];
    const wrong = failed('port', new FlashError('port-in-use', { port: 1, bind: '', reason: quoted('') }));
    const said = phrase('ready');
    for (const [checks, verdict, shown] of [
      [[fine], 'ready', { fill: 'green', shape: 'dot', text: 'done' }],
      [[fine, doubt, other], 'warning', { fill: 'yellow', shape: 'ring', text: 'clock-wrong' }],
      [[doubt, wrong], 'not-ready', { fill: 'red', shape: 'ring', text: 'port-in-use' }],
    ] as const) {
      const report: SaidReport = { checks, verdict, text: '', said };
      const listening = mock.method(hosts, 'whileListening', () => Promise.resolve(report));
      try {
        bed.send('preflight', { mine: verdict });
        const { payload } = await bed.at('out', ({ mine }) => mine === verdict);
        assert.equal((payload as PreflightReport).verdict, verdict);
        assert.deepEqual(bed.shown('preflight'), shown);
      } finally {
        listening.mock.restore();
      }
    }
  });

  it('examines the firmware of its form, or that of the message', async () => {
    bed = await Bed.load(flowOf(ports, { firmware: 'firmware' }), CREDENTIALS);
    const fromForm = await report({ firmware: FIRMWARE });
    assert.equal(fromForm.checks.find(({ check }) => check === 'firmware')?.code, 'firmware-missing');
    await bed.unload();
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    const fromMessage = await report({ firmware: FIRMWARE });
    assert.equal(fromMessage.checks.find(({ check }) => check === 'firmware')?.ok, true);
  });

  it('looks at the ports for unlocking devices where a node of its host may do that', async () => {
    const diy = { type: 'sonota-diy-flash', z: 'tab', x: 1, y: 1, firmware: '', address: '', timeout: '', wires: [] };
    const flash = { type: 'sonota-flash', host: 'host', unlock: 'local' };
    const portsOf = ({ checks }: PreflightReport): string[] =>
      checks
        .filter(({ code, text }) => code === 'diy-unlock-port' && /\b(80|53)\b/.test(text))
        .map(({ check }) => check);
    for (const [own, rows] of [
      [{ host: 'host', unlock: 'local' }, ['port', 'port']],
      [{ host: 'host', unlock: '' }, []],
      [{ host: 'other', unlock: 'local' }, []],
      [{ host: 'host', unlock: 'local', d: true }, []],
      [{ ...flash, method: '' }, ['port', 'port']],
      [{ ...flash, method: 'cloud' }, []],
    ] as const) {
      bed = await Bed.load([...flowOf(ports), { id: 'diy', ...diy, ...own }], CREDENTIALS);
      assert.deepEqual(portsOf(await report()), rows, JSON.stringify(own));
      await bed.unload();
    }
  });

  it('takes the Wi-Fi of the message for known where the host has none, and the password out of it', async () => {
    bed = await Bed.load(flowOf(ports, {}, { ssid: '' }));
    const { checks } = await report({ ssid: 'guests', password: 'top secret' });
    assert.equal(checks.find(({ check }) => check === 'wifi')?.ok, true);
    const text = JSON.stringify([await bed.at('out'), bed.statuses]);
    assert.doesNotMatch(text, /top secret/);
  });

  it('says of a Wi-Fi that no device can join why it cannot', async () => {
    bed = await Bed.load(flowOf(ports, {}, { ssid: 'x'.repeat(40) }), CREDENTIALS);
    const { checks, verdict } = await report();
    const wifi = checks.find(({ check }) => check === 'wifi');
    assert.deepEqual([wifi?.ok, wifi?.code, verdict], [false, 'wifi-credentials-unusable', 'not-ready']);
  });

  it('takes what an event of Home Assistant says, such as the firmware', async () => {
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    bed.send('preflight', { payload: { event_type: 'sonota_flash', event: { firmware: 'nobody' } } });
    assert.equal((await bed.at('caught')).error?.code, 'firmware-missing');
  });

  it('says which part of the Wi-Fi is missing', async () => {
    bed = await Bed.load(flowOf(ports));
    const { checks } = await report();
    assert.match(checks.find(({ check }) => check === 'wifi')?.text ?? '', /^The password of/);
  });

  it('fails without a host, and for a firmware node that is not there', async () => {
    bed = await Bed.load(flowOf(ports, { host: '' }), CREDENTIALS);
    assert.equal(bed.shown('preflight')?.text, 'host-missing');
    bed.send('preflight');
    assert.equal((await bed.at('caught')).error?.code, 'host-missing');
    await bed.unload();
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    bed.send('preflight', { firmware: 'nobody' });
    assert.equal((await bed.at('caught')).error?.code, 'firmware-missing');
  });

  it('makes its host listen for the time of the checks', async () => {
    bed = await Bed.load(flowOf(ports), CREDENTIALS);
    assert.equal(await listens(ports.httpsPort), false);
    const { checks } = await report();
    assert.ok(checks.some(({ check, ok }) => check === 'self' && ok === true));
    assert.equal(await listens(ports.httpsPort), false);
  });
});

describe('nodes: Check now in the form of a host', () => {
  let bed: Bed | undefined;

  useAdminServer();
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  async function ask(id: string, form?: object): Promise<PreflightReport> {
    const answer = await helper.request().post(`/sonota/host/${id}/preflight`).send(form).expect(200);
    return answer.body as PreflightReport;
  }

  function hostAlone(ports: Ports): Flow {
    return flowOf(ports).filter(({ id }) => ['tab', 'host', 'catch', 'caught'].includes(id));
  }

  it('answers with the same table, for an unused host too, and leaves it as it was', async () => {
    const ports = await freePorts();
    bed = await Bed.load(hostAlone(ports), CREDENTIALS);
    assert.equal(await listens(ports.httpsPort), false);
    const { verdict, checks } = await ask('host');
    assert.equal(verdict, 'warning');
    assert.ok(checks.some(({ check, ok }) => check === 'self' && ok === true));
    assert.equal(await listens(ports.httpsPort), false);
  });

  it('does nothing for a GET, which any link can make', async () => {
    bed = await Bed.load(hostAlone(await freePorts()), CREDENTIALS);
    await helper.request().get('/sonota/host/host/preflight').expect(404);
  });

  it('leaves a host listening that waits for devices', async () => {
    const ports = await freePorts();
    const cloud = {
      id: 'cloud',
      type: 'sonota-cloud-emulator',
      z: 'tab',
      x: 1,
      y: 1,
      host: 'host',
      every: true,
      wires: [],
    };
    bed = await Bed.load([...flowOf(ports), cloud], CREDENTIALS);
    await ask('host');
    assert.ok(await listens(ports.httpsPort));
  });

  it('holds no secret', async () => {
    bed = await Bed.load(flowOf(await freePorts()), CREDENTIALS);
    assert.doesNotMatch(JSON.stringify(await ask('host')), /top secret|"home"/);
  });

  it('refuses what is no host where no form comes with it', async () => {
    bed = await Bed.load(flowOf(await freePorts()), CREDENTIALS);
    for (const id of ['nobody', 'preflight']) {
      const { body } = await helper.request().post(`/sonota/host/${id}/preflight`).expect(422);
      assert.equal((body as { code: string }).code, 'host-missing');
    }
  });

  it('checks what a form holds, deployed or not, and leaves nothing listening', async () => {
    const [deployed, typed] = [await freePorts(), await freePorts()];
    bed = await Bed.load(flowOf(deployed), CREDENTIALS);
    const form = { bind: '127.0.0.1', address: '127.0.0.1', ...typed, finalStagePort: typed.httpPort, ssid: 'home' };
    const wifiOf = ({ checks }: PreflightReport): unknown => checks.find(({ check }) => check === 'wifi')?.ok;
    const report = await ask('host', form);
    assert.ok(report.checks.some(({ text }) => text.includes(String(typed.httpsPort))));
    assert.ok(!JSON.stringify(report).includes(String(deployed.httpsPort)));
    assert.equal(wifiOf(report), true, 'a password that was not typed is the deployed one');
    assert.equal(wifiOf(await ask('new', form)), 'warn');
    assert.equal(wifiOf(await ask('new', { ...form, password: 'typed just now' })), true);
    assert.equal(
      wifiOf(await ask('host', { ...form, password: 'no device takes it ' })),
      false,
      'before the deployed one',
    );
    const holder = await occupy(typed.httpPort);
    try {
      assert.equal((await ask('new', form)).verdict, 'not-ready');
    } finally {
      await holder.release();
    }
    assert.equal(await listens(typed.httpsPort), false);
    const wrong = { ...form, httpsPort: 'https' };
    const { body } = await helper.request().post('/sonota/host/host/preflight').send(wrong).expect(422);
    assert.match((body as { message: string }).message, /httpsPort/);
  });
});
