import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LOOK_AGAIN_MS } from '../../lib/flash/stage/diy/at-home';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { StrictDiyServer } from '../client/diy/strict-server';
import { Announcer, LOOPBACK } from '../net/mdns/announcer';
import { afterwards, closeAll } from '../server/serving';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, HOME, openBench, type Begun, type StageOptions } from './bench';
import { assertCode } from './refusals';

const ID = '10000a1b2c';
const OTHER_ID = '10000a1b2d';

describe('flash/stage/provision: a device that is in DIY mode at home', () => {
  afterEach(async () => {
    timeGoesOn();
    await closeBenches();
    await closeAll();
  });

  /** A host, and a network in which devices announce themselves; no access point is there unless a device opens one. */
  async function setUp() {
    const bench = await openBench();
    const mdnsPort = await freePort();
    const apPort = await freePort();
    const device = async (options: Partial<VirtualDiyOptions> = {}): Promise<VirtualDiySonoff> => {
      const made = new VirtualDiySonoff({
        ...{ apAddress: '127.0.0.1', apPort, lanPort: 0, mdns: { port: mdnsPort }, speed: 100 },
        ...{ deviceid: ID, startsIn: 'diy', homeNetwork: HOME },
        ...options,
      });
      afterwards(() => made.stop());
      await made.start();
      return made;
    };
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const url = `http://127.0.0.1:${apPort}`;
    const begin = (more: StageOptions = {}): Begun => bench.begin('provision', { ...HOME, url, discovery, ...more });
    return { bench, device, begin };
  }

  it('needs no set-up where it is named, and its job takes that route', async () => {
    const { bench, device, begin } = await setUp();
    await device();
    const { found, job } = await begin({ deviceid: ID }).outcome;
    const { method, answer, deviceid, address } = found;
    assert.deepEqual([method, answer, deviceid, address], ['diy', 'in-diy-mode', ID, '127.0.0.1']);
    assert.deepEqual([job.intermediate, job.deviceid, job.percent], ['diy', ID, 10]);
    assert.equal(bench.host.directory.get(ID)?.how, 'announcement');
  });

  it('is waited for beside its access point, until it has got there', async () => {
    const { device, begin } = await setUp();
    const stage = begin({ deviceid: ID });
    await stage.recorder.reported(({ name }) => name === 'wait-for-ap');
    await device();
    assert.equal((await stage.outcome).found['answer'], 'in-diy-mode');
  });

  it('is taken without a name only with the method for it, and where that is wanted', async () => {
    const { device, begin } = await setUp();
    await device();
    const { found, job } = await begin({ method: 'diy', takesAnyInDiyMode: true }).outcome;
    assert.deepEqual([found['deviceid'], job.deviceid, job.intermediate], [ID, ID, 'diy']);
    const otherwise: StageOptions[] = [{}, { method: 'diy' }, { takesAnyInDiyMode: true }];
    for (const [index, how] of otherwise.entries()) {
      const stage = begin({ ...how, nodeId: `node ${index}` });
      const deviceid = `100000000${index}`;
      const inReach = await device({ startsIn: 'access-point', deviceid });
      assert.equal((await stage.outcome).found['deviceid'], deviceid, 'the one in its access point is meant');
      await inReach.stop();
    }
  });

  it('is not guessed where there are several', async () => {
    const { device, begin } = await setUp();
    await device();
    await device({ deviceid: OTHER_ID });
    const error = await assertCode(begin({ method: 'diy', takesAnyInDiyMode: true }).outcome, 'device-unknown');
    assert.deepEqual((error.values['known'] as string).split(', ').sort(), [ID, OTHER_ID]);
  });

  it('is left alone where the emulated cloud is chosen', async () => {
    const { device, begin } = await setUp();
    const there = await device();
    const stage = begin({ deviceid: ID, method: 'cloud' });
    const open = once(there, 'state');
    there.holdButton();
    await open;
    assert.equal((await stage.outcome).found['answer'], 'accepted');
  });

  it('is waited for until it has changed over to DIY mode, and answers', async () => {
    const mdnsPort = await freePort();
    const device: StrictDiyServer = new StrictDiyServer(() =>
      device.seen.length < 12 ? 'reset' : { error: 0, data: { deviceid: ID, fwVersion: '3.7.6', otaUnlock: true } },
    );
    afterwards(() => device.close());
    const servicePort = await device.listen();
    const announcer = await new Announcer(mdnsPort, ID, { servicePort }).ready();
    afterwards(() => announcer.close());
    const { records } = announcer;
    const text = ['id=' + ID, 'type=plug', 'encrypt=true', 'seq=1'].map((one) => Buffer.from(one));
    announcer.records = records.map((one) => (one.type === 'TXT' ? { ...one, data: text } : one));
    const bench = await openBench();
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const url = `http://127.0.0.1:${await freePort()}`;
    timeStands(['setTimeout']);
    const stage = bench.begin('provision', { ...HOME, url, discovery, deviceid: ID });
    // Its whole description is asked for twice as long as it is in eWeLink mode.
    const asked = (): number => announcer.questions.filter((type) => type === 'TXT').length;
    let betweenMs = 0;
    while (stage.recorder.outcomes.size === 0) {
      if (asked() === 1) betweenMs += 100;
      if (asked() >= 2) announcer.records = records;
      timePasses(100);
      await nextTurn();
    }
    assert.ok(betweenMs >= LOOK_AGAIN_MS, `${betweenMs}`);
    assert.equal((await stage.outcome).found['answer'], 'in-diy-mode');
    assert.ok(asked() >= 3 && device.seen.length >= 12);
  });

  it('is not taken for one in DIY mode while it is in eWeLink mode', async () => {
    const { device, begin } = await setUp();
    const there = await device({ startsIn: 'ewelink' });
    const stage = begin({ deviceid: ID });
    await stage.recorder.reported(({ name }) => name === 'wait-for-ap');
    there.holdButton();
    const { found } = await stage.outcome;
    assert.deepEqual([found['method'], found['answer']], ['diy', 'accepted']);
  });
});
