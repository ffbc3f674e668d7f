import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { THIS_MACHINE } from '../../../lib/flash/host/environment';
import { FlashHost, type HostSettings } from '../../../lib/flash/host/host';
import { latestOfAllJobs } from '../../../lib/flash/job/all-jobs';
import { DIY } from '../../../lib/flash/routes';
import { Radio } from '../../../lib/flash/radio/radio';
import { WifiSession } from '../../../lib/flash/radio/wifi-session';
import { WAITS } from '../../../lib/flash/stage/waits';
import type { DeviceConnection } from '../../../lib/server/device-connection';
import { wording } from '../../../lib/wordings/wording';
import { FakeNetworkManager } from '../../net/wifi/fake-networkmanager';
import { usePrivateBus } from '../../net/wifi/private-bus';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { ON_LOOPBACK } from '../bench';

const ID = '1000a1b2c3';
const NEVER = new AbortController().signal;
const HOUR_MS = 60 * 60_000;
const BY_HAND = { driver: 'manual', interfaceName: '', allowUplink: '' } as const;

describe('flash/discovery/host-survey', () => {
  const hosts: FlashHost[] = [];
  afterEach(async () => {
    timeGoesOn();
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  /** A host that receives no announcements: a look need not wait for any. */
  function make(settings: Partial<HostSettings> = {}): FlashHost {
    const around = { ...THIS_MACHINE, waits: { ...WAITS, handOverMs: 7 }, discovery: { interfaces: () => [] } };
    const host = new FlashHost({ ...ON_LOOPBACK, ...settings }, undefined, undefined, around);
    host.radio.use(BY_HAND);
    hosts.push(host);
    return host;
  }

  /** A host whose survey is watched, and its news. */
  function watched(): { host: FlashHost; news: string[] } {
    const host = make();
    const news: string[] = [];
    host.survey.watch('a node', (changes) => {
      for (const { event, device } of changes) news.push(`${event} ${device.key}`);
    });
    return { host, news };
  }

  it('lists a device for as long as it has a session, however long ago it was seen', () => {
    timeStands(['setTimeout', 'setInterval', 'Date'], 1_000_000);
    const { host, news } = watched();
    const device = { deviceid: ID, apikey: 'own', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    const session = Object.assign(new EventEmitter(), {
      peer: '192.0.2.7',
      device,
      sessionKey: 'key',
      close: () => undefined,
    });
    host.devices.add(session as unknown as DeviceConnection);
    timePasses(HOUR_MS);
    assert.deepEqual(news, [`appeared ${ID}`]);
    assert.deepEqual(host.survey.list[0]?.known, ['session']);
    session.emit('closed');
    timePasses(250);
    assert.deepEqual(news, [`appeared ${ID}`, `gone ${ID}`]);
  });

  it('lets a device go as soon as its flash has ended well, and looks at nothing where bytes merely flow', () => {
    timeStands(['setTimeout', 'setInterval', 'Date'], 1_000_000);
    const { host, news } = watched();
    host.directory.saw({ deviceid: ID, how: 'dispatch' });
    const job = host.jobs.jobFor('newfirmware', ID);
    job.route = DIY;
    job.enter('newfirmware');
    timePasses(1000);
    let looks = 0;
    const all = host.directory.all.bind(host.directory);
    host.directory.all = () => ((looks += 1), all());
    job.onChange(false);
    timePasses(1000);
    assert.equal(looks, 0);
    job.leave('newfirmware');
    timePasses(1000);
    assert.deepEqual([news, looks], [[`appeared ${ID}`, `gone ${ID}`], 1]);
  });

  it('lets a device go as soon as another host has flashed it', () => {
    timeStands(['setTimeout', 'setInterval', 'Date'], 1_000_000);
    const { host, news } = watched();
    host.directory.saw({ deviceid: ID, how: 'dispatch' });
    const job = make().jobs.jobFor('newfirmware', ID);
    job.route = DIY;
    job.enter('newfirmware');
    timePasses(1000);
    job.leave('newfirmware');
    timePasses(1000);
    assert.deepEqual(news, [`appeared ${ID}`, `gone ${ID}`]);
  });

  it('knows the newest job of a device at any host, and none of a host that is closed', async () => {
    const { survey } = make();
    const [early, late] = [make(), make()];
    const [before, after] = [early.jobs.jobFor('cloud', ID), late.jobs.jobFor('cloud', ID)];
    Object.assign(before, { startedAt: new Date(after.startedAt.getTime() - 1) });
    assert.equal(survey['sources'].latestJob(ID), after);
    await late.close();
    assert.equal(survey['sources'].latestJob(ID), before);
    await early.close();
    assert.equal(survey['sources'].latestJob(ID), undefined);
  });

  it('knows the newest flash of a device at whichever host, until that is closed', async () => {
    timeStands(['setTimeout', 'setInterval', 'Date'], 1_000_000);
    const { host, news } = watched();
    const other = make();
    host.directory.saw({ deviceid: ID, how: 'dispatch' });
    timePasses(1000);
    const job = other.jobs.jobFor('newfirmware', ID);
    job.route = DIY;
    job.enter('newfirmware');
    job.leave('newfirmware');
    timePasses(1000);
    assert.deepEqual(news.splice(0), [`appeared ${ID}`, `gone ${ID}`]);
    host.jobs.jobFor('cloud', ID).enter('cloud');
    timePasses(1000);
    assert.deepEqual(news, [`appeared ${ID}`], 'it is flashed once more');
    timeGoesOn();
    const [newest] = host.jobs.all();
    assert.equal(latestOfAllJobs(ID), newest);
    await host.close();
    assert.equal(latestOfAllJobs(ID), job);
    await other.close();
    assert.equal(latestOfAllJobs(ID), undefined);
  });

  it('remembers a watcher for as long as the host has for a deploy', () => {
    timeStands();
    const { survey } = make();
    survey.watch('a node', () => undefined)();
    timePasses(6);
    assert.equal(survey.isWatching, true);
    timePasses(1);
    assert.equal(survey.isWatching, false);
  });

  it('sweeps no network in which this machine is not', async () => {
    const { survey } = make({ address: '192.0.2.9' });
    const { list, troubles } = await survey.look({ signal: NEVER, sweep: true });
    assert.deepEqual(
      [list, troubles.map(({ code, values }) => [code, values.reason])],
      [[], [['address-invalid', wording('address-gone', { address: '192.0.2.9' })]]],
    );
  });

  it('listens for announcements where the host does', () => {
    let asked = 0;
    const discovery = { interfaces: () => ((asked += 1), []) };
    const host = new FlashHost(ON_LOOPBACK, undefined, undefined, { ...THIS_MACHINE, discovery });
    hosts.push(host);
    assert.equal(asked, 0);
    host.survey.watch('a node', () => undefined);
    assert.equal(asked, 1);
  });

  it('sweeps the network of a rehearsal, and no more of the loopback', async () => {
    const { survey } = make({ address: '127.0.0.5' });
    assert.deepEqual(survey['sources'].network(), { address: '127.0.0.5', netmask: '255.255.255.0' });
    assert.deepEqual((await survey.look({ signal: NEVER })).troubles, []);
  });

  describe('by the Wi-Fi of this machine', () => {
    let nm: FakeNetworkManager;
    usePrivateBus();
    beforeEach(async () => {
      nm = await FakeNetworkManager.start();
      nm.accessPoints = [{ ssid: `ITEAD-${ID}`, bssid: '5E:CF:7F:A1:B2:C3', psk: '12345678' }];
      nm.addWifi('wlan0');
    });
    afterEach(() => nm.vanish());

    function withWifi(): FlashHost {
      const host = make();
      const radio = new Radio(undefined, () => ({ sees: () => true }));
      radio.use({ driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: '' });
      return Object.assign(host, { radio, wifiSession: new WifiSession(radio) });
    }

    it('lists the access points in sight, unless a person joins networks by hand', async () => {
      const host = withWifi();
      const { list, troubles } = await host.survey.look({ signal: NEVER });
      assert.deepEqual(
        [list.map(({ deviceid, known }) => [deviceid, known]), troubles],
        [[[ID, ['access-point']]], []],
      );
      host.radio.use(BY_HAND);
      assert.deepEqual((await host.survey.look({ signal: NEVER })).list, []);
    });

    it('waits for its turn for twenty seconds, then says who has it', async () => {
      const { radio, survey } = withWifi();
      const lease = await radio.acquire('finalstage', NEVER);
      timeStands(['setTimeout']);
      let isOver = false;
      const looking = survey.look({ signal: NEVER }).finally(() => (isOver = true));
      for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      timePasses(19_999);
      for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      assert.equal(isOver, false);
      timePasses(1);
      const { troubles } = await looking;
      assert.deepEqual(
        troubles.map(({ code, values }) => [code, values['name'], values['what']]),
        [['wifi-busy', 'wlan0', wording('purpose-finalstage')]],
      );
      timeGoesOn();
      await lease.release();
    });
  });
});
