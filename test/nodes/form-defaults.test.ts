import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { NodeAPI } from 'node-red';
import type { Job } from '../../lib/flash/job/job';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { Observation } from '../../lib/flash/observation';
import type { HostNode } from '../../nodes/shared/hosts';
import { editorPortOf } from '../../nodes/sonota-host/editor-port';
import { readHostForm } from '../../nodes/sonota-host/settings';
import { Values } from '../../nodes/shared/values';
import { WIFI_DRIVERS } from '../../lib/net/wifi/wifi';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../net/wifi/private-bus';
import { endTimers } from '../shared/ended-timers';
import { Bed, freePorts, road } from './bed';

const AT = { z: 'tab', x: 100, y: 100 };
const HOME = { ssid: 'home', password: 'top secret' };

describe('nodes: what an empty form stands for', () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  /** What each stage starts with where the forms of its node say this: its time limit in seconds, and its address. */
  async function begunWith(form: Record<string, unknown>): Promise<Record<string, unknown>> {
    const newFirmware = { id: 'newfirmware', type: 'sonota-new-firmware', host: 'host', name: '', wires: [[], []] };
    bed = await Bed.load([
      ...road(await freePorts(), {
        host: { wifi: 'manual' },
        ...{ provision: form, cloud: form, upgrade: form, finalstage: form },
      }),
      { ...newFirmware, ...AT, ...form },
      { id: 'diy', type: 'sonota-diy-flash', host: 'host', ...AT, ...form, firmware: 'firmware', wires: [[], []] },
    ]);
    const { runs } = (bed.node('host') as HostNode).flashHost;
    const jobs = new Map<string, Job>();
    // Cancelled as soon as it has started, so that no host is dialled at these addresses.
    runs.on('in-job', ({ nodeId }: PendingMessage, job: Job) => {
      jobs.set(nodeId, job);
      runs.cancel(nodeId);
    });
    const begun: Record<string, unknown> = {};
    for (const [index, id] of ['provision', 'cloud', 'upgrade', 'finalstage', 'newfirmware', 'diy'].entries()) {
      bed.send(id, { ...HOME, deviceid: `100000000${index}`, mine: id });
      await bed.at('caught', ({ mine }) => mine === id);
      const began = jobs.get(id)?.evidence.all.find((seen) => seen.kind === 'stage' && seen.event === 'began');
      const { seconds, url } = began as Extract<Observation, { kind: 'stage'; event: 'began' }>;
      begun[id] = [seconds, url];
    }
    return begun;
  }

  it('a time limit for each stage, and the address at which a device shows itself', async () => {
    assert.deepEqual(await begunWith({ timeout: '', url: '' }), {
      provision: [600, 'http://10.10.7.1'],
      cloud: [300, undefined],
      upgrade: [300, undefined],
      finalstage: [900, 'http://192.168.4.1'],
      newfirmware: [600, 'http://192.168.4.1'],
      diy: [600, undefined],
    });
  });

  it('nothing where they are filled in: each stage has its own time limit and address', async () => {
    const url = 'http://127.0.0.1:1';
    assert.deepEqual(await begunWith({ timeout: '42', url: '127.0.0.1:1', address: '127.0.0.1:2' }), {
      provision: [42, url],
      cloud: [42, undefined],
      upgrade: [42, undefined],
      finalstage: [42, url],
      newfirmware: [42, url],
      diy: [42, '127.0.0.1:2'],
    });
  });

  it('one device at a time where that is at a fixed address, and all concurrently elsewhere', async () => {
    const newFirmware = { id: 'newfirmware', type: 'sonota-new-firmware', host: 'host', name: '', wires: [[], []] };
    const nobody = { url: 'http://127.0.0.1:1' };
    const diy = { id: 'diy', type: 'sonota-diy-flash', host: 'host', name: '', firmware: 'firmware', wires: [[], []] };
    bed = await Bed.load([
      ...road(await freePorts(), { provision: nobody, finalstage: { ...nobody, firmware: 'firmware' } }),
      { ...newFirmware, ...AT, ...nobody, timeout: '600' },
      { ...diy, ...AT, address: '127.0.0.1:1', timeout: '600' },
    ]);
    const { runs } = (bed.node('host') as HostNode).flashHost;
    const begun: string[] = [];
    runs.on('in-job', ({ nodeId }: PendingMessage) => begun.push(nodeId));
    const stages = ['provision', 'cloud', 'upgrade', 'finalstage', 'newfirmware', 'diy'];
    for (const [index, id] of stages.entries()) {
      for (const device of [1, 2]) bed.send(id, { ...HOME, deviceid: `10000000${index}${device}` });
    }
    // A message behind another one waits, and reports that.
    for (const id of ['provision', 'finalstage', 'newfirmware', 'diy']) {
      await bed.status(id, ({ text }) => text.endsWith('(+1)'));
    }
    while (begun.length < 8) await once(runs, 'in-job');
    assert.deepEqual(begun.sort(), [
      ...['cloud', 'cloud', 'diy', 'finalstage', 'newfirmware', 'provision', 'upgrade', 'upgrade'],
    ]);
    assert.deepEqual(
      runs.pending.all().map(({ nodeId, deviceid }) => [nodeId, deviceid]),
      stages.flatMap((id, index) => [1, 2].map((device) => [id, `10000000${index}${device}`])),
    );
    // Of what waits, too, a cancel ends the device alone that it names.
    for (const [id, index] of [
      ['finalstage', 3],
      ['newfirmware', 4],
      ['diy', 5],
    ] as const) {
      const deviceid = `10000000${index}2`;
      bed.send(id, { cancel: true, deviceid });
      await bed.at('caught', (msg) => msg['deviceid'] === deviceid);
    }
    assert.equal(bed.messages('caught').length, 3);
    for (const id of stages) bed.send(id, { cancel: true });
    await bed.at('caught', () => bed!.messages('caught').length >= 12);
  });

  it('the ports of a host on every address, and whatever joins networks here', () => {
    const { settings, wifi, radio } = readHostForm(Values.ofForm({}), 1880);
    assert.deepEqual(settings, {
      ...{ bind: '0.0.0.0', address: '', httpsPort: 8443, legacyPort: 8081, httpPort: 8080, finalStagePort: 8080 },
      problem: undefined,
    });
    assert.deepEqual(wifi, { ssid: undefined, password: undefined });
    assert.deepEqual(radio, { driver: 'auto', interfaceName: '', allowUplink: '', editorPort: 1880 });
  });

  it('nothing where a host has a field filled in: each is taken for what it is called', () => {
    const ports = { httpsPort: 1, legacyPort: 2, httpPort: 3, finalStagePort: 4 };
    const form = { bind: '192.168.1.5', address: '192.168.1.6', ...ports };
    const radio = { wifi: 'manual', wifiInterface: 'wlan1', wifiUplink: 'wlan2' };
    const read = readHostForm(Values.ofForm({ ...form, ...radio, ...HOME }), 1881);
    assert.deepEqual(read.settings, { ...form, problem: undefined });
    assert.deepEqual(read.wifi, HOME);
    assert.deepEqual(read.radio, {
      ...{ driver: 'manual', interfaceName: 'wlan1', allowUplink: 'wlan2', editorPort: 1881 },
      home: { ssid: 'home', psk: 'top secret' },
    });
  });

  it('nothing where a host says how networks are joined, be it by whatever there is', () => {
    for (const driver of ['auto', ...WIFI_DRIVERS]) {
      const { settings, radio } = readHostForm(Values.ofForm({ wifi: driver }), 1880);
      assert.deepEqual([radio.driver, settings.problem], [driver, undefined]);
    }
  });

  it('the port of the editor where Node-RED has none in its settings, or a pipe', () => {
    const portOf = (uiPort?: unknown): number => editorPortOf({ settings: { uiPort } } as unknown as NodeAPI);
    assert.deepEqual([portOf(), portOf('/run/node-red.sock'), portOf('1881'), portOf(1882)], [1880, 1880, 1881, 1882]);
  });

  it('a host knows the home Wi-Fi with its name and its password, not with one of them', () => {
    const homeIn = (form: object): unknown => readHostForm(Values.ofForm(form), 1880).radio.home;
    assert.deepEqual(homeIn(HOME), { ssid: 'home', psk: 'top secret' });
    assert.deepEqual([homeIn({ ssid: 'home' }), homeIn({ password: 'top secret' })], [undefined, undefined]);
  });

  it('a host with several fields that cannot be read reports the first, and takes all others', () => {
    const form = { httpsPort: 'https', address: ' 192.168.1.5 ', wifi: 'magic', legacyPort: '0' };
    const { settings, radio } = readHostForm(Values.ofForm(form), 1880);
    assert.equal(settings.problem?.values['name'], 'wifi');
    assert.deepEqual(
      [settings.address, settings.httpsPort, settings.legacyPort, radio.driver],
      ['192.168.1.5', 8443, 0, 'auto'],
    );
  });

  describe('of sonota-wifi', () => {
    let nm: FakeNetworkManager;

    usePrivateBus();
    beforeEach(async () => {
      nm = await FakeNetworkManager.start();
      nm.addWifi('lo');
      nm.accessPoints = [{ ssid: 'ITEAD-1000a1b2c3', bssid: '5E:CF:7F:A1:B2:C3', psk: '12345678' }];
    });
    afterEach(() => nm.vanish());

    for (const [what, form, hangs, ms, code] of [
      ['a minute to join', {}, true, 60_000, 'wifi-timeout'],
      ['five minutes to stay', {}, false, 300_000, 'wifi-stayed-long'],
      ['nothing where it says how long to join', { timeout: '70' }, true, 70_000, 'wifi-timeout'],
      ['nothing where it says how long to stay', { stay: '310' }, false, 310_000, 'wifi-stayed-long'],
    ] as const) {
      it(what, async () => {
        nm.accessPoints[0]!.hangs = hangs;
        const wifi = { wifi: 'networkmanager', wifiInterface: 'lo', wifiUplink: 'lo' };
        const joiner = { id: 'joiner', type: 'sonota-wifi', ...AT, host: 'host', action: 'join', wires: [[]] };
        bed = await Bed.load([
          ...road(await freePorts(), { host: wifi }),
          { ...joiner, timeout: '', stay: '', ssid: '', address: '', ...form },
        ]);
        const restore = endTimers(ms);
        try {
          bed.send('joiner', { ssid: 'ITEAD-1000a1b2c3' });
          await bed.status('joiner', ({ text }) => text === code);
        } finally {
          restore();
        }
      });
    }
  });
});
