import assert from 'node:assert/strict';
import { once } from 'node:events';
import { explain, type FlashError } from '../../lib/errors';
import { wording } from '../../lib/wordings/wording';
import type { HostNode } from '../../nodes/shared/hosts';
import { MessageValues } from '../../nodes/shared/messages';
import { Values } from '../../nodes/shared/values';
import { networkOf } from '../../nodes/sonota-wifi/network';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { freePort } from '../shared/ports';
import { Bed } from './bed';

const SSID = 'ITEAD-1000a1b2c3';
const BSSID = '5E:CF:7F:A1:B2:C3';

describe('nodes: sonota-wifi', () => {
  let nm: FakeNetworkManager;
  let bed: Bed;

  usePrivateBus();

  beforeEach(async () => {
    nm = await FakeNetworkManager.start();
    nm.addWifi('lo');
    nm.accessPoints = [
      { ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', signal: 40 },
      { ssid: SSID, bssid: BSSID, psk: '12345678', signal: 90 },
    ];
    bed = await Bed.load(await flow());
  });

  afterEach(async () => {
    await bed.unload();
    await nm.vanish();
  });

  /** The loopback is the one interface that every machine has; NetworkManager says that it is a Wi-Fi. */
  async function flow(uplink = 'lo', timeout = '') {
    const ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort: await freePort() };
    const wifi = { wifi: 'networkmanager', wifiInterface: 'lo', wifiUplink: uplink };
    const node = (id: string, action: string) => ({
      ...{ id, type: 'sonota-wifi', z: 'tab', x: 1, y: 1, host: 'host', action, timeout, wires: [['out']] },
    });
    return [
      { id: 'tab', type: 'tab', label: 'Wi-Fi' },
      { id: 'host', type: 'sonota-host', bind: '127.0.0.1', finalStagePort: ports.httpPort, ...ports, ...wifi },
      node('any', ''),
      node('joiner', 'join'),
      { id: 'out', type: 'sink', z: 'tab', x: 1, y: 1, wires: [] },
      { id: 'caught', type: 'catch', z: 'tab', x: 1, y: 1, scope: null, wires: [['errors']] },
      { id: 'errors', type: 'sink', z: 'tab', x: 1, y: 1, wires: [] },
    ];
  }

  it('reports what is in reach and what each is, the strongest first', async () => {
    bed.send('any', { action: 'scan', foreign: 'kept' });
    const { payload, foreign } = await bed.at('out');
    assert.equal(foreign, 'kept');
    const found = payload as Record<string, unknown>[];
    assert.deepEqual(found[0], {
      ...{ ssid: SSID, bssid: BSSID, signal: 90, frequency: 2412, security: 'psk' },
      ...{ kind: 'stock', deviceid: '1000a1b2c3' },
    });
    assert.equal(found[1]?.['kind'], 'other');
    assert.deepEqual(
      bed.statuses.filter(({ id }) => id === 'any').map(({ status: { fill, shape, text } }) => [fill, shape, text]),
      [
        ['grey', 'ring', 'idle'],
        ['blue', 'dot', 'scan'],
        ['green', 'dot', 'done'],
      ],
    );
  });

  it('joins with one node, stays over a deploy, and leaves with another', async () => {
    bed.send('joiner', { ssid: SSID });
    const { payload } = await bed.at('out');
    assert.deepEqual(payload, { ssid: SSID, bssid: BSSID, address: '10.10.7.2', interfaceName: 'lo' });
    await bed.deploy(await flow());
    assert.equal(nm.profiles.length, 1);
    bed.send('any', { action: 'leave' });
    await bed.at('out', (msg) => msg['action'] === 'leave');
    assert.deepEqual(nm.names(), { profiles: [], active: [undefined] });
  });

  it('takes the password out of the message, and shows what went wrong', async () => {
    bed.send('joiner', { ssid: 'home', password: 'wrong secret' });
    const caught = await bed.at('errors');
    assert.equal(caught.error?.code, 'wifi-password-wrong');
    assert.doesNotMatch(JSON.stringify(caught), /wrong secret/);
    assert.deepEqual(nm.names().profiles, []);
    bed.send('joiner', {});
    await bed.at('errors', ({ error }) => error?.code === 'wifi-network-missing');
    bed.send('any', { action: 'dance' });
    const unknown = await bed.at('errors', ({ error }) => error?.code === 'wifi-action-unknown');
    assert.equal(unknown.error?.message, explain('wifi-action-unknown', { action: 'dance' }));
    bed.send('any', { mine: 'nothing' });
    const { error } = await bed.at('errors', ({ mine }) => mine === 'nothing');
    assert.equal(error?.message, explain('wifi-action-unknown', { action: wording('nothing') }));
    bed.send('any', { action: 'leave' });
    assert.equal((await bed.at('out', ({ action }) => action === 'leave')).payload, null, 'there was none');
    bed.send('joiner', { ssid: SSID, address: '10.10.7.2' });
    await bed.at('errors', ({ error }) => error?.code === 'wifi-address-invalid');
  });

  it('is cancelled, and ends at its time limit', async () => {
    nm.accessPoints[1]!.hangs = true;
    bed.send('joiner', { ssid: SSID });
    nm.once('state', () => bed.send('joiner', { cancel: true }));
    await bed.at('errors', ({ error }) => error?.code === 'cancelled');
    assert.deepEqual(nm.names().profiles, []);
    await bed.deploy(await flow('lo', '0.5'));
    bed.send('joiner', { ssid: SSID });
    await bed.at('errors', ({ error }) => error?.code === 'wifi-timeout');
    // What comes after either is not meant.
    nm.accessPoints[1]!.hangs = false;
    await bed.deploy(await flow());
    bed.send('joiner', { ssid: SSID });
    await bed.at('out');
  });

  it('does one thing after the other, in the order of its messages', async () => {
    nm.accessPoints[1]!.hangs = true;
    bed.send('joiner', { ssid: SSID, mine: 1 });
    await once(nm, 'state');
    nm.accessPoints[1]!.hangs = false;
    bed.send('joiner', { ssid: SSID, mine: 2 });
    bed.send('joiner', { ssid: SSID, mine: 3, deviceid: '1000000003' });
    await bed.status('joiner', ({ text }) => text === 'join (+2)');
    bed.send('joiner', { cancel: true, deviceid: '1000000003' });
    assert.equal((await bed.at('errors'))['mine'], 3);
    assert.deepEqual(bed.messages('out'), []);
    bed.send('joiner', { cancel: true });
    await bed.at('errors', ({ mine }) => mine === 1);
    assert.deepEqual(
      bed.messages('errors').map(({ mine, error }) => [mine, error?.code]),
      [3, 2, 1].map((mine) => [mine, 'cancelled']),
    );
    assert.deepEqual(bed.messages('out'), []);
  });

  it('is not in the way of a deploy, which cuts a join short without an error', async () => {
    nm.accessPoints[1]!.hangs = true;
    bed.send('joiner', { ssid: SSID });
    await once(nm, 'state');
    await bed.deploy(await flow());
    assert.deepEqual(await bed.doneBy('joiner'), [undefined]);
    assert.deepEqual([bed.messages('errors'), bed.messages('out')], [[], []]);
  });

  it('reports with the node that joins, and with its present instance alone, that the network is gone', async () => {
    await bed.deploy(await flow());
    const { wifiSession } = (bed.node('host') as HostNode).flashHost;
    assert.equal(wifiSession.listenerCount('ended'), 1);
    bed.send('joiner', { ssid: SSID });
    await bed.at('out');
    const from = bed.statuses.length;
    const warned = once(bed.node('joiner'), 'call:warn') as Promise<[{ args: unknown[] }]>;
    nm.loseNetwork(nm.devices[0]!);
    assert.match(String((await warned)[0].args[0]), new RegExp(SSID));
    const { text } = await bed.status('joiner', ({ fill }) => fill === 'red', from);
    assert.equal(text, 'wifi-lost');
    assert.ok(!bed.statuses.slice(from).some(({ id }) => id === 'any'));
  });

  it('does with a radio what the form of its host says', async () => {
    const driver = async (): Promise<string> => {
      const { radio } = (bed.node('host') as HostNode).flashHost;
      return (await radio.choice(new AbortController().signal)).driver;
    };
    assert.equal(await driver(), 'networkmanager');
    await bed.deploy((await flow()).map((node) => (node.id === 'host' ? { ...node, wifi: 'manual' } : node)));
    assert.equal(await driver(), 'manual');
  });

  it('leaves when Node-RED stops', async () => {
    bed.send('joiner', { ssid: SSID });
    await bed.at('out');
    await bed.deploy([{ id: 'tab', type: 'tab', label: 'Nothing' }]);
    while (nm.profiles.length > 0) await new Promise((resolve) => nm.once('state', resolve));
    assert.deepEqual(nm.names(), { profiles: [], active: [undefined] });
  });
});

describe('nodes: the network that sonota-wifi joins', () => {
  const network = (form: object, message: object): unknown =>
    networkOf(Values.ofForm(form), new MessageValues({ ...message }));
  const none = { bssid: undefined, psk: undefined, address: undefined, peer: undefined };
  const ap = { psk: '12345678', address: { cidr: '10.10.7.2/24', fixed: false }, peer: '10.10.7.1' };
  const guest = { address: { cidr: '192.168.4.2/24', fixed: false }, peer: '192.168.4.1' };

  for (const [what, form, message, wanted] of [
    [
      'the form before the message',
      { ssid: 'a', password: 'secret-a' },
      { ssid: 'b', password: 'secret-b' },
      { ssid: 'a', psk: 'secret-a' },
    ],
    [
      'the message',
      { ssid: '' },
      { ssid: 'b', password: 'secret-b', bssid: '5e:cf:7f:a1:b2:c3' },
      { ssid: 'b', psk: 'secret-b', bssid: '5E:CF:7F:A1:B2:C3' },
    ],
    ['an open one', { ssid: 'a' }, { password: '' }, { ssid: 'a' }],
    ['a device in its access point', {}, { ssid: 'ITEAD-1000a1b2c3' }, { ssid: 'ITEAD-1000a1b2c3', ...ap }],
    [
      'one with a password of its own',
      { password: 'secret-a' },
      { ssid: 'ITEAD-1000a1b2c3' },
      { ssid: 'ITEAD-1000a1b2c3', ...ap, psk: 'secret-a' },
    ],
    [
      'one with another address',
      { address: '10.10.7.9/24' },
      { ssid: 'ITEAD-1000a1b2c3' },
      { ssid: 'ITEAD-1000a1b2c3', ...ap, address: { cidr: '10.10.7.9/24', fixed: true } },
    ],
    [
      'FinalStage, at the one address that it knows',
      {},
      { ssid: 'FinalStage' },
      { ssid: 'FinalStage', ...guest, address: { cidr: '192.168.4.2/24', fixed: true } },
    ],
    ['a Tasmota', {}, { ssid: 'tasmota-A1B2C3-1234' }, { ssid: 'tasmota-A1B2C3-1234', ...guest }],
    ['an ESPHome', {}, { ssid: 'Lamp Fallback Hotspot' }, { ssid: 'Lamp Fallback Hotspot', ...guest }],
    [
      'one whose address the message says',
      { address: '' },
      { ssid: 'home', address: '192.168.1.9/24' },
      { ssid: 'home', address: { cidr: '192.168.1.9/24', fixed: true } },
    ],
    [
      'one whose address the form says before the message',
      { address: '192.168.1.8/30' },
      { ssid: 'home', address: '192.168.1.9/24' },
      { ssid: 'home', address: { cidr: '192.168.1.8/30', fixed: true } },
    ],
  ] as const) {
    it(`is that of ${what}`, () => assert.deepEqual(network(form, message), { ...none, ...wanted }));
  }

  const unusable = (what: 'home-wifi-name' | 'home-wifi-password'): object => ({
    ...{ what: wording(what), reason: wording('wifi-outer-space') },
  });
  for (const [what, form, message, code, values] of [
    ['no name', { ssid: '' }, { ssid: '' }, 'wifi-network-missing', {}],
    ['a space at the end of its name', {}, { ssid: 'home ' }, 'wifi-credentials-unusable', unusable('home-wifi-name')],
    [
      'a space at the end of its password',
      {},
      { ssid: 'home', password: 'secret ' },
      'wifi-credentials-unusable',
      unusable('home-wifi-password'),
    ],
    ...[
      '10.10.7.2',
      '10.10.7.256/24',
      '10.10.7/24',
      '10.10.7.2/33',
      '10.10.7.2/0',
      'x10.10.7.2/24',
      '10.10.7.2/24x',
    ].map(
      (address) =>
        [`the address ${address}`, { address }, { ssid: 'home' }, 'wifi-address-invalid', { address }] as const,
    ),
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.throws(
        () => network(form, message),
        (error: FlashError) => {
          assert.deepEqual([error.code, error.values], [code, values]);
          return true;
        },
      );
    });
  }
});
