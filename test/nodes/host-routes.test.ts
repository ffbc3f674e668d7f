import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import helper from 'node-red-node-test-helper';
import { explain, FlashError } from '../../lib/errors';
import { homeNetworkIn } from '../../lib/flash/host/home-memory';
import { localIPv4 } from '../../lib/net/addresses';
import { canBeHome } from '../../lib/net/home-network';
import { PHRASES } from '../../lib/preflight/phrases';
import type { PreflightReport } from '../../lib/preflight/preflight';
import { fill, quoted, wording } from '../../lib/wordings/wording';
import type { HostNode } from '../../nodes/shared/hosts';
import { ownFolder } from '../../nodes/shared/library';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { useHttpServers } from '../shared/http-server';
import { occupy } from '../shared/ports';
import { timeGoesOn, timeStands } from '../shared/standing-time';
import { useAdminServer } from './admin-server';
import { Bed, freePorts, road } from './bed';

describe('nodes: what the form of a host asks for', () => {
  let bed: Bed;

  const http = useHttpServers();
  useAdminServer();
  usePrivateBus();
  beforeEach(async () => {
    bed = await Bed.load(road(await freePorts()));
  });
  afterEach(() => bed.unload());

  it('offers the addresses of this machine that can be at home, the one that devices get first', async () => {
    const { RED } = bed;
    assert.ok(RED);
    const home = homeNetworkIn(ownFolder(RED), () => undefined);
    const answer = await helper.request().get('/sonota/addresses').expect(200).expect('Cache-Control', 'no-store');
    const offered = answer.body as { name: string; address: string; hint?: string }[];
    const own = localIPv4().filter(({ address }) => canBeHome(address));
    assert.deepEqual(offered.map(({ address }) => address).sort(), own.map(({ address }) => address).sort());
    const told = home.current;
    if (told !== undefined) assert.equal(offered[0]?.address, told);
    for (const { address, name, kind } of own) {
      const entry = offered.find((one) => one.address === address);
      const reason = home.choice.home && 'reason' in home.choice ? home.choice.reason : undefined;
      const hint = address === told ? reason : kind === 'lan' ? undefined : kind;
      assert.deepEqual(entry, { name, address, ...(hint === undefined ? {} : { hint }) });
    }
  });

  it('says why the addresses cannot be found out', async () => {
    assert.ok(bed.RED);
    const home = homeNetworkIn(ownFolder(bed.RED), () => undefined);
    const broken = mock.method(home, 'update', () => Promise.reject(new Error('it is broken')));
    try {
      const { body } = await helper.request().get('/sonota/addresses').expect(500);
      assert.deepEqual(body, {
        code: 'unexplained',
        message: explain('unexplained', { reason: quoted('it is broken') }),
      });
    } finally {
      broken.mock.restore();
    }
  });

  it('offers the Wi-Fi interfaces that a service knows here, or none', async () => {
    const interfaces = async (): Promise<unknown> =>
      (await helper.request().get('/sonota/wifi/interfaces').expect(200)).body;
    assert.deepEqual(await interfaces(), []);
    const nm = await FakeNetworkManager.start();
    try {
      nm.addWifi('wlan1');
      nm.addWifi('wlan0');
      assert.deepEqual(await interfaces(), ['wlan0', 'wlan1']);
    } finally {
      await nm.vanish();
    }
  });

  it('offers the Wi-Fi that this machine is in as that of the home, or none', async () => {
    const names = async (): Promise<unknown> =>
      (await helper.request().get('/sonota/wifi/home').expect(200).expect('Cache-Control', 'no-store')).body;
    assert.deepEqual(await names(), []);
    const nm = await FakeNetworkManager.start();
    try {
      const device = nm.addWifi('wlan0');
      nm.accessPoints = [{ ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', signal: 40 }];
      nm.connect(device, nm.addProfile('home', 'home'));
      device.joined = nm.accessPoints[0];
      assert.deepEqual(await names(), ['home']);
    } finally {
      await nm.vanish();
    }
  });

  it('gets the ports for unlocking where a node of the host unlocks here, with a form and without', async () => {
    const ports = await freePorts();
    const flow = road(ports);
    const isTold = async (form?: object): Promise<boolean> => {
      const { body } = await helper.request().post('/sonota/host/host/preflight').send(form).expect(200);
      return (body as PreflightReport).checks.some(({ code }) => code === 'diy-unlock-port');
    };
    const form = { bind: '127.0.0.1', address: '127.0.0.1', ...ports };
    await bed.deploy(flow);
    assert.deepEqual([await isTold(), await isTold(form)], [false, false]);
    const diy = { id: 'diy', type: 'sonota-diy-flash', z: 'tab', x: 1, y: 1, host: 'host', unlock: 'local', wires: [] };
    await bed.deploy([...flow, diy]);
    assert.deepEqual([await isTold(), await isTold(form)], [true, true]);
  });

  it('gets how networks are joined, as the form says it, saved or not', async () => {
    const nm = await FakeNetworkManager.start();
    try {
      nm.addWifi('lo');
      const form = { bind: '127.0.0.1', address: '127.0.0.1', ...(await freePorts()) };
      const radio = async (more: object): Promise<unknown> => {
        const answer = await helper
          .request()
          .post('/sonota/host/new/preflight')
          .send({ ...form, ...more })
          .expect(200);
        return (answer.body as PreflightReport).checks.find(({ check }) => check === 'radio')?.text;
      };
      const byHand = PHRASES['radio-by-hand'];
      assert.equal(await radio({ wifi: 'manual' }), byHand);
      const joined = await radio({ wifi: 'networkmanager', wifiInterface: 'lo', wifiUplink: 'lo' });
      assert.equal(joined, fill(PHRASES['radio-networkmanager'], { interfaceName: 'lo' }));
    } finally {
      await nm.vanish();
    }
  });

  it('has no checks go on whose browser has gone, with a form and without, and no port left open', async () => {
    const nm = await FakeNetworkManager.start();
    try {
      nm.addWifi('lo');
      nm.hanging.add('GetDevices');
      const wifi = { wifi: 'networkmanager', wifiInterface: 'lo', wifiUplink: 'lo' };
      const [deployed, typed] = [await freePorts(), await freePorts()];
      await bed.deploy(road(deployed, { host: wifi }));
      assert.ok(bed.RED);
      const origin = await http.serve(bed.RED.httpAdmin);
      // A service that gives no answer is not given up for that.
      timeStands(['setTimeout']);
      for (const [{ httpPort }, form] of [
        [deployed, undefined],
        [typed, { bind: '127.0.0.1', address: '127.0.0.1', ...typed, ...wifi }],
      ] as const) {
        const isAsked = new Promise<void>((resolve) => {
          nm.on('call', (call) => void (call === 'GetDevices' && resolve()));
        });
        const headers = { 'content-type': 'application/json' };
        const browser = request(`${origin}/sonota/host/host/preflight`, { method: 'POST', headers });
        browser.on('error', () => undefined).end(form && JSON.stringify(form));
        await isAsked;
        browser.destroy();
        while (await isTaken(httpPort)) await nextTurn();
      }
    } finally {
      timeGoesOn();
      await nm.vanish();
    }
  });

  async function isTaken(port: number): Promise<boolean> {
    const holder = await occupy(port).catch(() => undefined);
    await holder?.release();
    return holder === undefined;
  }

  it('gets what the variables in its form stand for, and which of them is not set', async () => {
    const { httpsPort, ...ports } = await freePorts();
    const form = { bind: '127.0.0.1', address: '127.0.0.1', ...ports, httpsPort: '${SONOTA_TEST_PORT}' };
    const ask = (status: number) => helper.request().post('/sonota/host/host/preflight').send(form).expect(status);
    const isUnset = async (): Promise<void> => {
      const { code, message } = (await ask(422)).body as { code: string; message: string };
      assert.deepEqual([code, /SONOTA_TEST_PORT/.test(message)], ['variable-unset', true]);
    };
    await isUnset();
    process.env['SONOTA_TEST_PORT'] = '';
    try {
      await isUnset();
      process.env['SONOTA_TEST_PORT'] = String(httpsPort);
      assert.match(JSON.stringify((await ask(200)).body), new RegExp(`\\b${httpsPort}\\b`));
    } finally {
      delete process.env['SONOTA_TEST_PORT'];
    }
  });

  it('reads that a firmware is checked elsewhere, with a form and without', async () => {
    for (const form of [undefined, { bind: '127.0.0.1', address: '127.0.0.1', ...(await freePorts()) }]) {
      const { body } = await helper.request().post('/sonota/host/host/preflight').send(form).expect(200);
      const rows = (body as PreflightReport).checks.filter(({ check }) => check === 'firmware');
      assert.equal(rows.length, 1, JSON.stringify(form));
    }
  });

  it('gets a sentence on what is wrong with the host', async () => {
    await bed.deploy(road(await freePorts(), { host: { httpsPort: 'https' } }));
    const { body } = await helper.request().post('/sonota/host/host/preflight').expect(422);
    const { code, message } = body as { code: string; message: string };
    assert.equal(code, 'value-invalid');
    assert.match(message, /httpsPort/);
  });
});

describe('nodes: the addresses that the form of a host offers', () => {
  let bed: Bed | undefined;
  useAdminServer();
  afterEach(() => bed?.unload());

  it('are led by the one that devices are told, though this machine does not have it now', async () => {
    const away = { address: '203.0.113.7', name: 'eth9' };
    bed = await Bed.load(road(await freePorts()), {}, (folder) =>
      writeFile(join(folder, 'home-address.json'), JSON.stringify({ format: 'sonota-home-address/1', ...away })),
    );
    const { RED } = bed;
    assert.ok(RED);
    const home = homeNetworkIn(ownFolder(RED), () => undefined);
    // A flash holds what its device was told.
    const release = home.join({ isFlashing: () => true, wifiName: () => undefined });
    try {
      const { body } = await helper.request().get('/sonota/addresses').expect(200);
      assert.deepEqual((body as object[])[0], { ...away, hint: 'remembered' });
    } finally {
      release();
    }
  });
});

describe('nodes: what a host logs', () => {
  let bed: Bed | undefined;
  afterEach(() => bed?.unload());

  it('is a warning of its config node, or a line', async () => {
    bed = await Bed.load(road(await freePorts()));
    const node = bed.node('host');
    const { flashHost } = node as HostNode;
    for (const [level, call] of [
      ['warn', 'warn'],
      ['info', 'log'],
    ] as const) {
      const told = once(node, `call:${call}`) as Promise<[{ args: unknown[] }]>;
      flashHost.log(level, `of ${level}`);
      assert.deepEqual((await told)[0].args, [`of ${level}`]);
    }
  });

  it('is in the language of Node-RED where it can be', async () => {
    const said = { 'wordings.not-json': 'kein JSON', 'errors.host-missing.what': 'Kein Host.' } as Record<
      string,
      string
    >;
    const remedy = { 'errors.host-missing.remedy': 'Wählen.' };
    const translate = (key: string): string => ({ ...said, ...remedy })[key.slice(key.indexOf(':') + 1)] ?? key;
    bed = await Bed.load(road(await freePorts()), {}, undefined, translate);
    const node = bed.node('host');
    for (const [what, line] of [
      [wording('not-json'), 'kein JSON'],
      [new FlashError('host-missing'), 'Kein Host. Wählen.'],
    ] as const) {
      const told = once(node, 'call:log') as Promise<[{ args: unknown[] }]>;
      (node as HostNode).flashHost.log('info', 'in English', what);
      assert.deepEqual((await told)[0].args, [line]);
    }
  });
});

describe('nodes: what a host is called', () => {
  let bed: Bed | undefined;
  afterEach(() => bed?.unload());

  const tab = (id: string, label: string) => ({ id, type: 'tab', label });
  const user = (id: string, z: string) => ({
    ...{ id, z, type: 'sonota-cloud-emulator', x: 1, y: 1, name: '', host: 'host', every: false, wires: [[], []] },
  });
  const host = { id: 'host', type: 'sonota-host', bind: '127.0.0.1', address: '127.0.0.1' };

  it('is its name with the tabs of its users, else its id', async () => {
    bed = await Bed.load([
      ...[tab('one', 'Kitchen'), tab('two', ''), tab('three', 'Attic'), { ...host, name: 'at home' }],
      ...[user('a', 'one'), user('b', 'two'), user('c', 'two')],
    ]);
    const labelOf = (): unknown => (bed!.node('host') as HostNode).flashHost.label();
    assert.deepEqual(labelOf(), { host: 'at home', tab: 'Kitchen, two' });
    await bed.deploy([tab('one', 'Kitchen'), { ...host, name: '' }]);
    assert.deepEqual(labelOf(), { host: 'host', tab: '?' });
  });
});
