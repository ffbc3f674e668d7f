import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { EventEmitter, once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlashError } from '../../lib/errors';
import type { JobEvidence } from '../../lib/flash/job/evidence';
import { formerIn } from '../../lib/flash/radio/former-file';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import type { JobRegistry } from '../../lib/flash/job/job-registry';
import { NetworkVisit, type JoinPlan } from '../../lib/flash/radio/network-visit';
import { Radio } from '../../lib/flash/radio/radio';
import { apVisit, finalStageVisit, newFirmwareVisit } from '../../lib/flash/radio/join-plans';
import type { ProgressTextName } from '../../lib/progress-texts';
import type { Waits } from '../../lib/flash/stage/waits';
import { RadioOwner } from '../../lib/flash/radio/radio-owner';
import type { WifiSettings } from '../../lib/net/wifi/choose';
import { ManualDriver } from '../../lib/net/wifi/manual';
import { useHttpServers } from '../shared/http-server';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { FakeSupervisor } from '../net/wifi/fake-supervisor';
import { usePrivateBus } from '../net/wifi/private-bus';
import { freePort } from '../shared/ports';
import { type Bench, type Begun, closeBenches, FIRMWARE, HOME, openBench } from './bench';
import { assertCode } from './refusals';
import { quoted } from '../../lib/wordings/wording';

const BY_NM: WifiSettings = { driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: 'wlan0' };
const AROUND = { sees: () => true };
const DEVICE = '1000a1b2c3';
const never = new AbortController().signal;
const ITEAD = { ssid: 'ITEAD-1000a1b2c3', bssid: '5E:CF:7F:A1:B2:C3', psk: '12345678' };
const FINALSTAGE = { ssid: 'FinalStage', bssid: '5E:CF:7F:A1:B2:C3', network: '192.168.4' };

describe('flash/radio/radio-owner', () => {
  it('lets one in at a time, FinalStage first, and no other waits for one that gave up', async () => {
    const owner = new RadioOwner(new ManualDriver());
    const order: string[] = [];
    await owner.acquire('provision', never);
    const next = (['flow', 'provision', 'finalstage', 'set-up'] as const).map((purpose) =>
      owner.acquire(purpose, never).then(() => {
        order.push(purpose);
        owner.release();
      }),
    );
    const impatient = new AbortController();
    const gaveUp = owner.acquire('finalstage', impatient.signal);
    impatient.abort();
    await assertCode(gaveUp, 'cancelled');
    assert.deepEqual(order, []);
    owner.release();
    await Promise.all(next);
    assert.deepEqual(order, ['finalstage', 'set-up', 'provision', 'flow']);
  });

  it('is not given to one who has given up, even where it is free', async () => {
    const owner = new RadioOwner(new ManualDriver());
    await assertCode(owner.acquire('finalstage', AbortSignal.abort()), 'cancelled');
    assert.equal(owner.holder, undefined);
  });
});

describe('flash/radio', () => {
  const servers = useHttpServers();
  let nm: FakeNetworkManager;
  const radios: Radio[] = [];

  usePrivateBus();

  beforeEach(async () => {
    nm = await FakeNetworkManager.start();
    nm.accessPoints = [{ ssid: 'home', bssid: '00:11:22:33:44:55', psk: 'secret word', network: '192.168.1' }];
    const device = nm.addWifi('wlan0');
    nm.connect(device, nm.addProfile('home', 'home', { autoconnect: false }));
  });

  afterEach(async () => {
    await closeBenches();
    await Promise.all(radios.splice(0).map((radio) => radio.close()));
    await nm.vanish();
  });

  function radioOf(settings: WifiSettings = BY_NM): Radio {
    const radio = new Radio(undefined, () => AROUND);
    radio.use(settings);
    radios.push(radio);
    return radio;
  }

  it('is free again at whichever moment of a look a stage ends', async () => {
    const radio = radioOf();
    const nothingThere: JoinPlan = {
      purpose: 'finalstage',
      looking: 'look-for-finalstage',
      answerLimitMs: 0,
      isThereAlready: () => false,
      pick: () => undefined,
      networkOf: () => assert.fail('nothing is there to join'),
      joined: () => undefined,
    };
    const evidence = { add: () => undefined } as unknown as JobEvidence;
    const callsOfALook = await callsUntil(radio, nothingThere, evidence, Infinity);
    assert.ok(callsOfALook > 10);
    for (let at = 1; at <= callsOfALook; at++) {
      await callsUntil(radio, nothingThere, evidence, at);
      const lease = await radio.acquire('flow', new AbortController().signal);
      await lease.release();
    }
  });

  for (const { looking, visitOf, network } of [
    { looking: 'look-for-ap', visitOf: (job, jobs) => apVisit(job, jobs, undefined), network: ITEAD },
    {
      looking: 'look-for-finalstage',
      visitOf: (job, jobs) => finalStageVisit(job, jobs, new FinalStageSession()),
      network: FINALSTAGE,
    },
    {
      looking: 'look-for-new-firmware',
      visitOf: (job) => newFirmwareVisit(job),
      network: { ssid: 'tasmota-A1B2C3-0123', bssid: FINALSTAGE.bssid, network: '192.168.4' },
    },
  ] as const satisfies readonly {
    looking: ProgressTextName;
    visitOf: (job: Job, jobs: JobRegistry) => JoinPlan;
    network: object;
  }[]) {
    it(`says ${looking} until the network is there, and joins it`, async () => {
      const bench = await openBench();
      const job = bench.host.jobs.jobFor('provision', '1000a1b2c3');
      job.learn({ bssid: FINALSTAGE.bssid });
      const visit = new NetworkVisit(radioOf(), job.evidence, visitOf(job, bench.host.jobs));
      const news: (string | undefined)[] = [];
      visit.on('changed', () => news.push(visit.news?.name));
      const ended = new AbortController();
      const kept = visit.keepJoined(ended.signal);
      while (!nm.calls.includes('RequestScan')) await once(nm, 'call');
      nm.accessPoints.push(network);
      await once(nm, 'joined');
      ended.abort(new FlashError('cancelled'));
      await assertCode(kept, 'cancelled');
      await visit.leave();
      assert.deepEqual([...new Set(news)].slice(0, 2), [looking, 'wifi-joining']);
    });
  }

  it('is free again where a stage ends while what is left of an earlier run is looked for', async () => {
    const radio = radioOf();
    const ended = new AbortController();
    const onCall = (call: string): void => void (call === 'ListConnections' && ended.abort());
    nm.on('call', onCall);
    await assertCode(radio.acquire('finalstage', ended.signal), 'cancelled');
    nm.off('call', onCall);
    assert.equal(radio.holder, undefined);
    await (await radio.acquire('flow', new AbortController().signal)).release();
  });

  it('looks again for what an earlier run left behind where it could not, and reports that', async () => {
    const radio = radioOf();
    const lines: string[] = [];
    radio.log = (_level, text) => lines.push(text);
    nm.addProfile('sonota-wifi :1.4711', 'FinalStage', { autoconnect: false });
    nm.refusals['ListConnections'] = 'org.freedesktop.DBus.Error.Failed';
    await (await radio.acquire('flow', never)).release();
    delete nm.refusals['ListConnections'];
    assert.equal(nm.profiles.length, 2);
    await radio.clean(never);
    assertAsBefore();
    assert.match(lines.join('\n'), /could not be looked for.*\n.*was removed: sonota-wifi :1\.4711/s);
  });

  it('is not closed with one host as long as another has it', async () => {
    nm.accessPoints.push(ITEAD);
    const [radio, other] = [radioOf(), radioOf()];
    const lease = await radio.acquire('provision', never);
    await lease.join(ITEAD, never);
    const { active } = nm.names();
    await other.choice(never);
    await other.close();
    await lease.scan(never);
    assert.deepEqual(nm.names().active, active);
    await lease.release();
    assertAsBefore();
  });

  /** Ends a visit with its n-th call to NetworkManager, or with its first look. @returns how many calls there were */
  async function callsUntil(radio: Radio, visit: JoinPlan, evidence: JobEvidence, at: number): Promise<number> {
    const networkVisit = new NetworkVisit(radio, evidence, visit);
    const ended = new AbortController();
    let calls = 0;
    let left: Promise<void> | undefined;
    const end = (): void => {
      ended.abort(new FlashError('cancelled'));
      left ??= networkVisit.leave();
    };
    let hasLooked = false;
    const onCall = (call: string): void => {
      hasLooked ||= call === 'GetAllAccessPoints';
      if (++calls === at) end();
    };
    nm.on('call', onCall);
    networkVisit.on('changed', () => void (hasLooked && end()));
    await networkVisit.keepJoined(ended.signal).catch(() => undefined);
    nm.off('call', onCall);
    await left;
    return calls;
  }

  /** A host whose devices are on loopback, and their networks in the air. */
  async function benchWithRadio(settings: WifiSettings = BY_NM, waits: Partial<Waits> = {}): Promise<Bench> {
    const bench = await openBench({}, waits);
    bench.around.hasWifi = () => true;
    Object.assign(bench.host, { radio: radioOf(settings) });
    return bench;
  }

  const assertAsBefore = (): void => assert.deepEqual(nm.names(), { profiles: ['home'], active: ['home'] });

  it('joins for the time of a work, and leaves whatever becomes of it', async () => {
    nm.accessPoints.push(ITEAD);
    const radio = radioOf();
    const options = { purpose: 'set-up', signal: never } as const;
    const address = await radio.withNetwork(ITEAD, options, async (joined) => joined.address);
    assert.equal(address, '10.10.7.2');
    assertAsBefore();
    const failing = radio.withNetwork(ITEAD, options, async () => {
      throw new FlashError('unexplained', { reason: quoted('a test') });
    });
    await assertCode(failing, 'unexplained');
    assertAsBefore();
  });

  it('ends a work whose network is lost', async () => {
    nm.accessPoints.push(ITEAD);
    const radio = radioOf();
    const working = radio.withNetwork(ITEAD, { purpose: 'set-up', signal: never }, async (_, signal) => {
      nm.accessPoints.pop();
      nm.loseNetwork(nm.devices[0]!);
      await once(signal, 'abort');
      throw signal.reason as Error;
    });
    await assertCode(working, 'wifi-lost');
    assertAsBefore();
  });

  it('keeps on disk what was there before, until it is back, and no password', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-radio-'));
    const radio = new Radio(
      formerIn(folder, () => undefined),
      () => AROUND,
    );
    radio.use(BY_NM);
    radios.push(radio);
    nm.accessPoints.push(ITEAD);
    const file = join(folder, 'wifi.json');
    await radio.withNetwork(ITEAD, { purpose: 'set-up', signal: never }, async () => {
      const kept = await readFile(file, 'utf8');
      assert.match(kept, /"wlan0":\{"uuid":/);
      assert.doesNotMatch(kept, /12345678/);
    });
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { format: 'sonota-wifi/1', interfaces: {} });
    await rm(folder, { recursive: true, force: true });
  });

  it('joins the network of the new firmware of its own device only, and leaves it', async () => {
    const bench = await benchWithRadio();
    const own = { ssid: 'tasmota-A1B2C3-0967', bssid: '5E:CF:7F:A1:B2:C3', network: '192.168.4' };
    nm.accessPoints.push({ ...own, ssid: 'tasmota-FFFFFF-8191', bssid: '5E:CF:7F:FF:FF:FF' }, own);
    const job = bench.host.jobs.jobFor('finalstage', '1000a1b2c3');
    job.learn({ mac: '5C:CF:7F:A1:B2:C3' });
    job.enter('finalstage');
    job.leave('finalstage');
    const joined: string[] = [];
    nm.on('joined', (ssid: string) => joined.push(ssid));
    // It shows its page to clients in its network.
    const url = await servers.serve(({ socket }, response) => {
      if (joined.length === 0) socket.destroy();
      else response.end('Tasmota 14.1.0 by Theo Arends');
    });
    const { found } = await bench.begin('newfirmware', { deviceid: '1000a1b2c3', url }).outcome;
    assert.equal(found['kind'], 'tasmota');
    assert.equal(joined[0], own.ssid);
    assertAsBefore();
  });

  it('leaves the network of the new firmware to a person where this machine may not join it', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push({ ssid: 'tasmota-A1B2C3-0967', bssid: '5E:CF:7F:A1:B2:C3', network: '192.168.4' });
    nm.refusals['AddAndActivateConnection2'] = 'org.freedesktop.NetworkManager.PermissionDenied';
    bench.host.jobs.jobFor('finalstage', '1000a1b2c3').learn({ mac: '5C:CF:7F:A1:B2:C3' });
    let hasJoined = false;
    const url = await servers.serve(({ socket }, response) => {
      if (hasJoined) response.end('Tasmota 14.1.0 by Theo Arends');
      else socket.destroy();
    });
    const stage = bench.begin('newfirmware', { deviceid: '1000a1b2c3', url });
    await stage.recorder.reported(({ name }) => name === 'wifi-trouble');
    assert.equal(stage.recorder.outcomes.size, 0);
    hasJoined = true;
    assert.equal((await stage.outcome).found['kind'], 'tasmota');
    assertAsBefore();
  });

  it('counts FinalStage as gone although this machine is in its network, and asks no person to leave it', async () => {
    const bench = await benchWithRadio(BY_NM, { goneMs: 0 });
    nm.accessPoints.push(FINALSTAGE);
    const job = bench.host.jobs.jobFor('finalstage', '1000a1b2c3');
    job.learn({ mac: '5C:CF:7F:A1:B2:C3' });
    bench.around.ownAddresses = () => [{ name: 'wlan0', address: '192.168.4.2' }];
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
    while (!job.finalStage?.isJoined) await once(job.evidence, 'changed');
    const { finalStage: session } = job;
    session?.requested('final', 4096).ended('delivered');
    assert.equal((await stage.outcome).found['image'], 'final');
    assert.equal(session?.isJoined, false, 'a client there is the device no more');
    const names = stage.said.map(({ name }) => name);
    assert.ok(names.includes('final-sent') && !names.includes('leave-finalstage'), names.join());
    assertAsBefore();
  });

  it('says nothing of FinalStage while it is in the network of another device', async () => {
    const bench = await benchWithRadio(BY_NM, { goneMs: 0 });
    nm.accessPoints.push({ ...ITEAD, ssid: 'tasmota_A1B2C3-0707' });
    const job = bench.host.jobs.jobFor('finalstage', DEVICE);
    job.learn({ mac: '5C:CF:7F:A1:B2:C3' });
    const looks = new EventEmitter();
    bench.around.ownAddresses = () => {
      looks.emit('look');
      return [{ name: 'wlan0', address: '192.168.4.2' }];
    };
    const { radio } = bench.host;
    const network = { ...ITEAD, ssid: 'tasmota_A1B2C3-0707' };
    const looked = (): boolean => job.evidence.all.some(({ kind }) => kind === 'finalstage-looked');
    let stage: Begun | undefined;
    await radio.withNetwork(network, { purpose: 'set-up', signal: never }, async () => {
      const url = `http://127.0.0.1:${await freePort()}`;
      stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
      for (let times = 0; times < 3; times++) await once(looks, 'look');
      assert.equal(looked(), false);
    });
    assert.ok(stage);
    while (!looked()) await once(job.evidence, 'changed');
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
    assertAsBefore();
  });

  it('asks which device is meant where several show their access point', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD, { ...ITEAD, ssid: 'ITEAD-1000ffffff', bssid: '5E:CF:7F:FF:FF:FF' });
    const url = `http://127.0.0.1:${await freePort()}`;
    const error = await assertCode(bench.begin('provision', { ...HOME, url }).outcome, 'device-unknown');
    assert.equal(error.values['known'], '1000a1b2c3, 1000ffffff');
    assertAsBefore();
  });

  it('joins the access point of the device that is meant, and is not touched by its end before it has left', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD, { ...ITEAD, ssid: 'ITEAD-1000ffffff', bssid: '5E:CF:7F:FF:FF:FF' });
    const apPort = await freePort();
    const url = `http://127.0.0.1:${apPort}`;
    const stage = bench.begin('provision', { ...HOME, url, deviceid: '1000ffffff' });
    const [ssid] = (await once(nm, 'joined')) as [string];
    assert.equal(ssid, 'ITEAD-1000ffffff');
    const device = await bench.factoryDevice({ apPort, deviceid: '1000ffffff' });
    await device.start();
    const { job } = await stage.outcome;
    assert.equal(job.bssid, '5E:CF:7F:FF:FF:FF');
    assertAsBefore();
    const seen = bench.host.jobs
      .latest('1000ffffff')
      ?.evidence.all.flatMap((one) => (one.kind === 'wifi' ? one.event : []));
    assert.deepEqual(seen, ['joining', 'joined', 'left']);
    const said = stage.said.map(({ name }) => name);
    assert.ok(said.includes('wifi-sent-by-itself') && !said.includes('wifi-sent'), said.join(' '));
    const joining = stage.said.find(({ name }) => name === 'wifi-joining');
    assert.equal(joining?.values['ssid'], 'ITEAD-1000ffffff');
  });

  it('does the same with the Supervisor, over a deploy in the middle', async () => {
    const supervisor = await FakeSupervisor.start();
    const { token: supervisorToken, url: supervisorUrl } = supervisor;
    const settings: WifiSettings = { driver: 'auto', interfaceName: '', allowUplink: 'wlan0' };
    const radio = new Radio(undefined, () => ({ supervisorToken, supervisorUrl }));
    radio.use(settings);
    radios.push(radio);
    try {
      const bench = await openBench();
      bench.around.hasWifi = () => true;
      Object.assign(bench.host, { radio });
      const apPort = await freePort();
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
      await stage.recorder.reported(({ name }) => name === 'wifi-joined');
      radio.use({ ...settings });
      assert.equal((await radio.choice(never)).driver, 'supervisor');
      const device = await bench.factoryDevice({ apPort });
      await device.start();
      await stage.outcome;
      assert.equal(supervisor.wlan.enabled, false);
      assert.deepEqual(
        supervisor.updates.map(({ enabled, wifi }) => wifi?.ssid ?? enabled),
        [ITEAD.ssid, false],
      );
    } finally {
      await closeBenches();
      await radio.close();
      await supervisor.stop();
    }
  });

  it('leaves nothing to a person, also while the radio is held', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD);
    const other = await bench.host.radio.acquire('flow', never);
    const looks = new EventEmitter();
    bench.around.ownAddresses = () => {
      looks.emit('look');
      return [];
    };
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${await freePort()}` });
    const { details } = await stage.recorder.reported(({ name }) => name === 'look-for-ap');
    assert.match(details ?? '', /joins it automatically/);
    assert.ok(!nm.calls.includes('RequestScan'));
    for (let times = 0; times < 3; times++) await once(looks, 'look');
    const names = stage.said.map(({ name }) => name);
    assert.deepEqual([...new Set(names.slice(names.indexOf('look-for-ap')))], ['look-for-ap'], 'at every look');
    await other.release();
    await once(nm, 'joined');
    bench.host.runs.cancel('provision');
    await assertCode(stage.outcome, 'cancelled');
    assertAsBefore();
  });

  it('is cancelled while it is joined, and has left then', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD);
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${await freePort()}` });
    await once(nm, 'joined');
    bench.host.runs.cancel('provision');
    await assertCode(stage.outcome, 'cancelled');
    assertAsBefore();
  });

  it('ends with the code of its Wi-Fi at the time limit: the network goes again and again', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD);
    const stage = bench.begin('provision', {
      ...HOME,
      url: `http://127.0.0.1:${await freePort()}`,
    });
    await stage.recorder.reported(({ name }) => name === 'wifi-joined');
    nm.accessPoints.pop();
    nm.loseNetwork(nm.devices[0]!);
    await stage.overAs('wifi-lost');
    await assertCode(stage.outcome, 'wifi-lost');
    assertAsBefore();
  });

  it('ends immediately where it may not', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD);
    nm.refusals['AddAndActivateConnection2'] = 'org.freedesktop.NetworkManager.PermissionDenied';
    const url = `http://127.0.0.1:${await freePort()}`;
    await assertCode(bench.begin('provision', { ...HOME, url }).outcome, 'wifi-not-permitted');
    assertAsBefore();
  });

  it('continues after a restart of NetworkManager', async () => {
    const bench = await benchWithRadio();
    nm.accessPoints.push(ITEAD);
    const apPort = await freePort();
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
    await stage.recorder.reported(({ name }) => name === 'wifi-joined');
    await nm.vanish();
    await stage.recorder.reported(({ warning }) => warning === 'wifi-service-away');
    await nm.appear();
    for (let ssid = ''; ssid !== ITEAD.ssid;) [ssid] = (await once(nm, 'joined')) as [string];
    const device = await bench.factoryDevice({ apPort });
    await device.start();
    await stage.outcome;
    assertAsBefore();
  });

  it('leaves it to a person where the interface is the uplink, and reports that as usual', async () => {
    const bench = await benchWithRadio({ driver: 'auto', interfaceName: 'lo', allowUplink: '' });
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${await freePort()}`, timeoutSeconds: 1 });
    const { text } = await stage.recorder.reported(({ state }) => state === 'waiting');
    assert.match(text, /then join the Wi-Fi ITEAD/);
    await assertCode(stage.outcome, 'ap-unreachable');
    assert.ok(!nm.calls.includes('RequestScan'), 'it was not touched');
  });

  it('joins FinalStage of its own device, and leaves the one of another alone', async () => {
    const bench = await benchWithRadio();
    const job = bench.host.jobs.jobFor('finalstage', '1000a1b2c3');
    job.learn({ mac: '5C:CF:7F:A1:B2:C3' });
    nm.accessPoints.push({ ...FINALSTAGE, bssid: '5E:CF:7F:FF:FF:FF' });
    const url = `http://127.0.0.1:${await freePort()}`;
    const stage = bench.begin('finalstage', { deviceid: '1000a1b2c3', url, sources: FIRMWARE });
    await stage.recorder.reported(({ warning }) => warning === 'finalstage-foreign');
    assert.ok(!nm.calls.includes('AddAndActivateConnection2'));
    nm.accessPoints.push(FINALSTAGE);
    const [, address] = (await once(nm, 'joined')) as [string, string];
    assert.equal(address, '192.168.4.2');
    await stage.recorder.reported(({ name }) => name === 'wifi-joined');
    const joined = stage.said.find(({ name }) => name === 'wifi-joined');
    assert.deepEqual(joined?.values, { ssid: 'FinalStage', actual: '192.168.4.2' });
    const before = stage.said.length;
    bench.host.runs.cancel('finalstage');
    await assertCode(stage.outcome, 'cancelled');
    assert.deepEqual(stage.said.slice(before), [], 'that it leaves is not said');
    assertAsBefore();
  });
});
