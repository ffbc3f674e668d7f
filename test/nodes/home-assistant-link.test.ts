import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { FlashError, sentencesOf } from '../../lib/errors';
import { FlashHost } from '../../lib/flash/host/host';
import type { LoadedImage } from '../../lib/firmware/firmware';
import { Job, type JobSnapshot } from '../../lib/flash/job/job';
import { FINALSTAGE } from '../../lib/flash/routes';
import type { ProgressTextName } from '../../lib/progress-texts';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import { Arming, type MqttMessage, type ShownJob } from '../../lib/home-assistant';
import { digestOf, makeFinalImage } from '../../lib/image';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { ChosenImage } from '../../nodes/sonota-home-assistant/chosen-image';
import { DeviceMemory } from '../../nodes/sonota-home-assistant/device-memory';
import { FailureWatch, type FailureStore } from '../../nodes/sonota-home-assistant/failure-watch';
import { FirmwareList } from '../../nodes/sonota-home-assistant/firmware-list';
import { lastUse, newFirmwareIn } from '../../nodes/sonota-home-assistant/job-facts';
import { JobReports } from '../../nodes/sonota-home-assistant/job-reports';
import { HomeAssistantLink, type FlashRequest } from '../../nodes/sonota-home-assistant/link';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { SYSTEM_CLOCK } from '../../nodes/sonota-home-assistant/system-clock';
import { WorldView } from '../../nodes/sonota-home-assistant/snapshot-view';
import { ARMED_MS } from '../../lib/home-assistant/arming';
import { FakeClock } from '../home-assistant/fake-clock';
import { NAMES, phrase, STATES } from '../home-assistant/snapshots';
import { quoted, wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const [ONE, TWO, THREE] = ['1000000001', '1000000002', '1000000003'] as const;
const PORTS = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
const sentences = ({ code, values }: FlashError): ReturnType<typeof sentencesOf> => sentencesOf(code, values);

function newHost(): FlashHost {
  return new FlashHost({ bind: '127.0.0.1', address: '127.0.0.1', ...PORTS }, undefined);
}

describe('nodes: what Home Assistant asks of a host', () => {
  let host: FlashHost;
  let memory: DeviceMemory;
  let link: HomeAssistantLink;
  let clock: FakeClock;
  const requests: FlashRequest[] = [];
  const published: MqttMessage[] = [];
  const failed: unknown[] = [];
  /** How many devices are shown under the node, each time that its broker is reported to it. */
  const counts: number[] = [];
  /** Firmware whose image was looked at. */
  const looked: (string | undefined)[] = [];

  beforeEach(() => {
    requests.length = published.length = looked.length = 0;
    host = newHost();
    clock = new FakeClock();
    memory = new DeviceMemory(undefined, 'memory', () => undefined);
    for (const deviceid of [ONE, TWO, THREE]) memory.learn({ deviceid });
    link = newLink();
    link.start();
  });
  afterEach(async () => {
    await link.stop(false);
    await host.close();
    assert.deepEqual(failed.splice(0), []);
  });

  /** @param folder of what it has published; in this process alone where there is none */
  function newLink(folder?: string): HomeAssistantLink {
    const definitions = [
      { id: 'tasmota', type: 'sonota-firmware', name: 'Tasmota', final: '/data/tasmota.bin' },
      { id: 'esphome', type: 'sonota-firmware', name: 'ESPHome', final: '/data/esphome.bin' },
    ];
    const more = { defaultId: 'tasmota', unknownName: 'new firmware' };
    const publications = Publications.in(folder, () => undefined);
    return new HomeAssistantLink(
      {
        ...{ host, memory, phrase, sentences, clock, names: NAMES, states: STATES, version: '0.1.0' },
        firmware: new FirmwareList(runtimeWith(definitions), () => memory.chosen, more),
        images: () => ({ of: () => undefined, look: (firmware) => looked.push(firmware) }),
        topics: { prefix: 'homeassistant', base: 'sonota' },
        reportText: ({ text }) => text,
        translated: (job) => job,
        inSight: () => assert.fail('nobody looks for Sonoffs here'),
        publications,
        own: publications.arrives('ha'),
        wiring: { outlets: [], broker: '', filters: undefined },
      },
      {
        publish: (message) => published.push(message),
        flash: (request) => requests.push(request),
        contact: (_state, devices) => counts.push(devices),
        failed: (error) => failed.push(error),
      },
    );
  }

  const ask = (what: string, payload = 'PRESS'): unknown => link.take({ topic: `sonota/set/${what}`, payload });
  const asked = (): unknown[] => requests.splice(0).map(({ topic, deviceid }) => [topic, deviceid]);

  it('holds the queue, and lets it continue with one press, without a new device', () => {
    ask('pause');
    assert.equal(host.queue.snapshot().state, 'paused');
    ask('start', '{"count":2}');
    assert.deepEqual(asked(), [
      ['provision', undefined],
      ['provision', undefined],
    ]);
    assert.equal(host.queue.snapshot().state, 'paused', 'two new devices do not let it go on');
    ask('start');
    assert.deepEqual([host.queue.snapshot().state, asked()], ['idle', []]);
    ask('start');
    assert.deepEqual(asked(), [['provision', undefined]]);
  });

  it('cancels what waits, and reports where there is nothing', () => {
    const refusals = (): string[] =>
      published.filter(({ payload }) => payload.includes('"refused"')).map(({ topic }) => topic);
    assert.throws(() => ask('cancel'), { code: 'cancel-nothing' });
    assert.deepEqual(refusals(), ['sonota/event']);
    host.queue.pause();
    host.queue.add({ deviceid: ONE });
    assert.throws(() => ask(`cancel/${TWO}`), { code: 'cancel-nothing' });
    assert.ok(refusals().includes(`sonota/device/${TWO}/event`));
    ask(`cancel/${ONE}`);
    assert.equal(host.queue.snapshot().skipped, 1);
  });

  it('flashes a device that is armed, alone or with all others, once', () => {
    const isRefused = (deviceid: string): void =>
      assert.throws(() => ask(`install/${deviceid}`, 'INSTALL'), { code: 'not-armed' });
    isRefused(ONE);
    ask(`arm/${ONE}`, 'ON');
    isRefused(TWO);
    ask(`install/${ONE}`, 'INSTALL');
    assert.deepEqual(asked(), [['provision', ONE]]);
    isRefused(ONE);
    ask(`arm/${ONE}`, 'ON');
    ask(`arm/${ONE}`, 'OFF');
    isRefused(ONE);
    ask('arm', 'ON');
    ask(`install/${TWO}`, 'INSTALL');
    ask('arm', 'OFF');
    isRefused(THREE);
    assert.deepEqual(asked(), [['provision', TWO]]);
  });

  it('learns what a device is from its session', () => {
    const device = { deviceid: ONE, apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    host.devices.emit('ready', { device } as DeviceConnection);
    const { model, romVersion } = memory.all().find(({ deviceid }) => deviceid === ONE) ?? {};
    assert.deepEqual([model, romVersion], ['PSF-B04-GL', '1.5.5']);
  });

  it('starts each device where it is', () => {
    memory.saw({ deviceid: ONE, romVersion: '1.5.5' });
    const atFinalStage = host.jobs.jobFor('finalstage', TWO);
    atFinalStage.fail('finalstage-timeout');
    ask('start', '{"all":true}');
    assert.deepEqual(asked(), [
      ['finalstage', TWO],
      ['provision', THREE],
      ['cloud', ONE],
    ]);
    // Its access point is there again: a person has held its button.
    link.take({ topic: '', payload: [{ ssid: `ITEAD-${ONE}`, kind: 'stock', deviceid: ONE, signal: 1, bssid: '' }] });
    ask('start', `{"deviceid":"${ONE}"}`);
    ask('start', `{"deviceid":"${ONE}"}`);
    assert.deepEqual(asked(), [
      ['provision', ONE],
      ['cloud', ONE],
    ]);
    atFinalStage.enter('finalstage');
    atFinalStage.leave('finalstage');
    ask('start', `{"deviceid":"${TWO}"}`);
    assert.deepEqual(asked(), [['provision', TWO]], 'a flash that is done does not go on');
  });

  it('starts no device that is in work, and none again that has its firmware', () => {
    const job = host.jobs.jobFor('cloud', ONE);
    job.running = new AbortController();
    memory.learn({ deviceid: TWO, installed: 'Tasmota' });
    ask('start', '{"all":true}');
    assert.deepEqual(asked(), [['provision', THREE]]);
  });

  it('tries every device again whose flash failed, where no queue has them', () => {
    memory.learn({ deviceid: TWO, failure: { code: 'device-silent', text: 'So it was.' } });
    ask('retry');
    assert.deepEqual(asked(), [['provision', TWO]]);
  });

  it('removes no device that is in work', () => {
    const job = host.jobs.jobFor('cloud', ONE);
    job.running = new AbortController();
    ask(`remove/${ONE}`);
    ask(`remove/${TWO}`);
    assert.deepEqual(
      memory.all().map(({ deviceid }) => deviceid),
      [ONE, THREE],
    );
  });

  it('starts a device in its access point only where it was seen there last, and has no session', () => {
    const seen = (...deviceids: string[]): unknown =>
      link.take({
        topic: '',
        payload: [home, ...deviceids.map((deviceid) => ({ ssid: 'x', kind: 'stock', deviceid }))],
      });
    const home = { ssid: 'home', kind: 'other' };
    const begins = (deviceid: string): unknown => {
      ask('start', JSON.stringify({ deviceid }));
      return requests.splice(0)[0]?.topic;
    };
    for (const deviceid of [ONE, TWO]) memory.saw({ deviceid, romVersion: '1.5.5' });
    seen(ONE, TWO, '1000000009');
    assert.ok(memory.get('1000000009'), 'a new one is offered');
    seen(TWO);
    assert.deepEqual([begins(ONE), begins(TWO)], ['cloud', 'provision']);
    seen(ONE);
    const device = { deviceid: ONE, apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    const session = { peer: '192.0.2.7', sessionKey: 'session', device, ready: true, close: () => undefined };
    const connection = Object.assign(new EventEmitter(), session) as unknown as DeviceConnection;
    host.devices.add(connection);
    assert.equal(begins(ONE), 'cloud');
    host.jobs.jobFor('finalstage', ONE).fail('finalstage-timeout');
    assert.equal(begins(ONE), 'cloud', 'it has left FinalStage');
    host.jobs.jobFor('cloud', ONE).enter('cloud');
    connection.emit('closed');
    assert.equal(host.devices.get(ONE), undefined);
    assert.equal(begins(ONE), 'cloud', 'what was seen before counts once');
  });

  it('has on disk what was asked of it once it has stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-link-'));
    const open = (): DeviceMemory => new DeviceMemory(folder, 'memory.json', assert.fail);
    try {
      await link.stop(false);
      memory = open();
      link = newLink(folder);
      link.start();
      ask('firmware', 'ESPHome');
      await link.stop(false);
      assert.deepEqual(readdirSync(folder).sort(), ['ha.published.json', 'memory.json']);
      assert.equal(open().chosen, 'ESPHome');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('tries again what failed in the queue, where there is one', () => {
    memory.learn({ deviceid: TWO, failure: { code: 'device-silent', text: 'So it was.' } });
    host.queue.attach('queue', { atOnce: 1, attempts: 1, start: () => false });
    host.queue.add({ deviceid: ONE });
    host.queue.pause();
    assert.equal(host.queue.snapshot().failed, 1);
    ask('retry');
    assert.deepEqual([host.queue.snapshot().failed, host.queue.snapshot().waiting, asked()], [0, 1, []]);
  });

  describe('with its broker reached', () => {
    const FLASHER = 'homeassistant/device/sonota_flasher/config';
    const configOf = (deviceid: string): string => `homeassistant/device/sonota_${deviceid}/config`;
    const stateOf = (deviceid: string): string => `sonota/device/${deviceid}/state`;

    /** Waits until something goes out under a topic, after what is done. */
    async function told(topic: string, act: () => unknown, wanted = /^/): Promise<string> {
      published.length = 0;
      act();
      for (;;) {
        const found = published.find((message) => message.topic === topic && wanted.test(message.payload));
        if (found) return found.payload;
        await nextTurn();
      }
    }

    beforeEach(async () => {
      const instance = published.find(({ topic }) => topic === 'sonota/status')?.payload.split(' ')[1];
      await told(FLASHER, () => {
        link.take({ topic: 'sonota/status', payload: 'offline', retain: true });
        link.take({ topic: 'homeassistant/device/sonota_flasher/knock', payload: instance });
      });
    });

    it('publishes soon what each command has changed', async () => {
      await told(stateOf(ONE), () => ask(`arm/${ONE}`, 'ON'), /"armed":"ON"/);
      await told(stateOf(ONE), () => ask(`install/${ONE}`, 'INSTALL'), /"armed":"OFF"/);
      await told('sonota/state', () => ask('arm', 'ON'), /"armed":"ON"/);
      await told('sonota/state', () => ask('arm', 'OFF'), /"armed":"OFF"/);
      await told(configOf(TWO), () => ask(`remove/${TWO}`), /^$/);
      await told(configOf(TWO), () => ask('restore'), /./);
      await told('sonota/state', () => ask('firmware', 'ESPHome'), /"firmware":"ESPHome"/);
      const payload = [{ ssid: 'ITEAD-1000000009', kind: 'stock', deviceid: '1000000009' }];
      await told(configOf('1000000009'), () => link.take({ topic: '', payload }));
      await told('sonota/state', () => ask('pause'), /"state":"paused"/);
    });

    it('shows under its node how many devices there are, with all that it announces', async () => {
      counts.length = 0;
      memory.learn({ deviceid: '1000000009' });
      await told(FLASHER, () => link.take({ topic: 'homeassistant/status', payload: 'online' }));
      assert.deepEqual(counts, [4]);
      memory.remove(ONE);
      await told('sonota/state', () => ask('pause'));
      assert.deepEqual([counts.length > 1, counts.at(-1)], [true, 3]);
    });

    it('shows when an offer ends because of its age, unless it has stopped by then', async () => {
      await told(stateOf(ONE), () => ask(`arm/${ONE}`, 'ON'), /"armed":"ON"/);
      await told(stateOf(ONE), () => clock.advance(ARMED_MS), /"armed":"OFF"/);
      await told(stateOf(ONE), () => ask(`arm/${ONE}`, 'ON'), /"armed":"ON"/);
      await link.stop(false);
      timeStands(['setTimeout']);
      try {
        counts.length = 0;
        clock.advance(ARMED_MS);
        timePasses(1000);
        assert.deepEqual(counts, []);
      } finally {
        timeGoesOn();
      }
    });

    it('hands on what fails while it tells', async () => {
      const broken = mock.method(host.queue, 'snapshot', () => {
        throw new Error('it is broken');
      });
      ask(`arm/${ONE}`, 'ON');
      while (failed.length === 0) await nextTurn();
      assert.match(String(failed.splice(0)), /it is broken/);
      broken.mock.restore();
    });

    it('keeps a device deleted that a person deleted in Home Assistant, unless it is in work', async () => {
      const job = host.jobs.jobFor('cloud', ONE);
      job.running = new AbortController();
      for (const deviceid of [ONE, TWO]) link.take({ topic: configOf(deviceid), payload: '' });
      assert.deepEqual(
        memory.all().map(({ deviceid }) => deviceid),
        [ONE, THREE],
      );
      await told(configOf(ONE), () => undefined, /./);
      await told(configOf(TWO), () => ask('restore'), /./);
    });

    it('keeps the flasher deleted until a person wants something of it', async () => {
      link.take({ topic: FLASHER, payload: '' });
      assert.equal(memory.isFlasherRemoved, true);
      // What no person does.
      for (const [topic, payload] of [
        ['sonota/status', 'online'],
        ['homeassistant/status', 'online'],
        ['homeassistant/device/sonota_flasher/knock', 'ffffffff'],
        [configOf('garage'), ''],
        ['sonota/set/start', 'nothing'],
        ['', [{ ssid: 'home', kind: 'other' }]],
      ]) {
        link.take({ topic, payload });
        assert.equal(memory.isFlasherRemoved, true, JSON.stringify(topic));
      }
      // What changes nothing else.
      await told(FLASHER, () => ask('start'), /./);
      assert.equal(memory.isFlasherRemoved, false);
    });
  });

  it('listens to its host until it is stopped', async () => {
    const listeners = (): unknown => [
      host.jobs.listenerCount('changed'),
      host.devices.listenerCount('dispatched'),
      host.devices.listenerCount('ready'),
      host.queue.listenerCount('changed'),
      host.queue.listenerCount('given-up'),
      host.survey.listenerCount('changed'),
      host.runs.listenerCount('reported'),
      host.runs.listenerCount('failed'),
      host.listenerCount('state'),
    ];
    const during = listeners();
    await link.stop(false);
    const other = newHost();
    try {
      const without = [
        other.jobs.listenerCount('changed'),
        other.devices.listenerCount('dispatched'),
        other.devices.listenerCount('ready'),
        other.queue.listenerCount('changed'),
        other.queue.listenerCount('given-up'),
        other.survey.listenerCount('changed'),
        other.runs.listenerCount('reported'),
        other.runs.listenerCount('failed'),
        other.listenerCount('state'),
      ];
      assert.deepEqual(listeners(), without);
      assert.notDeepEqual(during, without);
    } finally {
      await other.close();
    }
  });

  it('looks at the chosen image at its start, when another one is chosen, and before an installation', () => {
    assert.deepEqual(looked.splice(0), ['tasmota']);
    ask('firmware', 'ESPHome');
    assert.deepEqual(looked.splice(0), ['esphome']);
    ask(`arm/${ONE}`, 'ON');
    ask('arm', 'ON');
    assert.deepEqual(looked.splice(0), ['esphome', 'esphome']);
    ask(`arm/${ONE}`, 'OFF');
    ask('pause');
    assert.deepEqual(looked, []);
  });

  it('flashes with the firmware of its form until another one of its list is chosen', () => {
    const firmware = (): unknown => {
      ask('start');
      return requests.splice(0)[0]?.firmware;
    };
    assert.equal(firmware(), 'tasmota');
    ask('firmware', 'ESPurna');
    assert.equal(firmware(), 'tasmota');
    ask('firmware', 'ESPHome');
    assert.equal(firmware(), 'esphome');
    ask('firmware', 'ESPurna');
    assert.equal(firmware(), 'esphome');
  });
});

describe('nodes: what Home Assistant is shown of a host', () => {
  let host: FlashHost;
  let memory: DeviceMemory;
  let view: WorldView;
  let news = 0;
  const arming = new Arming(SYSTEM_CLOCK, () => undefined);

  function look(definitions: object[] = [], images: Pick<ChosenImage, 'of'> = { of: () => undefined }): void {
    const more = { defaultId: 'tasmota', unknownName: 'new' };
    const firmware = new FirmwareList(runtimeWith(definitions), () => undefined, more);
    const parts = {
      memory,
      firmware,
      images,
      arming,
      sentences,
      reportText: () => 'a report',
      translated: (job: JobSnapshot) => ({ ...job, verdict: { ...job.verdict!, text: 'Nichts ist falsch.' } }),
      inSight: () => assert.fail('nobody looks for Sonoffs here'),
    };
    view = new WorldView(host, parts, () => (news += 1));
    news = 0;
  }

  beforeEach(() => {
    host = newHost();
    memory = new DeviceMemory(undefined, 'memory', () => undefined);
    arming.disarmAll();
  });
  afterEach(async () => {
    view.stop();
    await host.close();
  });

  const [MODEL, ROM] = ['PSF-B04-GL', '1.5.5'];
  const dispatch = (deviceid: string): void =>
    void host.devices.emit('dispatched', {
      deviceid,
      model: MODEL,
      romVersion: ROM,
      apikey: 'a',
      ts: 1,
      peer: '192.0.2.7',
    });
  const known = (deviceid: string): unknown => memory.all().find((one) => one.deviceid === deviceid);

  it('says of a job between two stages in the language of the person that nothing is wrong', () => {
    look();
    host.jobs.jobFor('cloud', '1000a1b2c3');
    const [job] = view.world().jobs;
    assert.equal(job?.verdict?.text, 'Nichts ist falsch.');
  });

  it('is its trouble in two sentences, and what waits in its queue where that is in use', () => {
    look();
    assert.deepEqual([view.world().trouble, view.world().queue], [undefined, undefined]);
    const trouble = new FlashError('host-missing');
    host.trouble = trouble;
    const { what, remedy } = sentencesOf('host-missing');
    assert.deepEqual(view.world().trouble, { code: 'host-missing', text: `${what} ${remedy}` });
    host.queue.pause();
    const counts = { waiting: 0, done: 0, failed: 0 };
    assert.deepEqual(view.world().queue, {
      isPaused: true,
      waiting: [],
      counts,
      percent: host.queue.snapshot().percent,
    });
    for (const deviceid of [ONE, TWO]) host.queue.add({ deviceid });
    host.queue.add({});
    host.queue.skip(TWO);
    assert.deepEqual(view.world().queue?.waiting, [ONE, undefined]);
    assert.equal(view.world().queue?.counts.waiting, 2);
  });

  it('changes with each of its jobs, devices, stages and queued flashes', () => {
    look();
    for (const [what, happen] of [
      ['a job', () => host.jobs.jobFor('cloud', ONE).enter('cloud')],
      ['a dispatch', () => dispatch(TWO)],
      [
        'a session',
        () => host.devices.emit('ready', { device: { deviceid: TWO, model: MODEL } } as unknown as DeviceConnection),
      ],
      ['the queue', () => host.queue.pause()],
      ['a report', () => host.runs.emit('reported', host.jobs.all()[0] as Job)],
      ['the ports', () => host.emit('state')],
      ['what is in sight', () => host.survey.emit('changed')],
      ['a message that is refused', () => host.runs.refused({}, new FlashError('host-missing'))],
    ] as const) {
      const before = news;
      happen();
      assert.ok(news > before, what);
    }
    host.devices.emit('ready', {} as DeviceConnection);
    assert.equal(memory.all().length, 2, 'a session of nobody');
  });

  it('is the firmware to choose from, with the image of the chosen one', () => {
    const definitions = ['tasmota', 'esphome'].map((id) => ({ id, type: 'sonota-firmware', name: id }));
    look(definitions, { of: (id) => ({ version: `of ${id}` }) });
    const options = ['tasmota', 'esphome'];
    assert.deepEqual(view.world().firmware, { options, chosen: 'tasmota', image: { version: 'of tasmota' } });
  });

  it('is which of its devices are armed', () => {
    for (const deviceid of [ONE, TWO]) memory.saw({ deviceid });
    look();
    assert.deepEqual(view.world().arming, { isForAll: false, devices: [] });
    for (const deviceid of [TWO, THREE]) arming.arm(deviceid);
    assert.deepEqual(view.world().arming, { isForAll: false, devices: [TWO] });
    arming.armAll();
    assert.deepEqual(view.world().arming, { isForAll: true, devices: [ONE, TWO] });
  });

  it('is the newest job of each device, and one without a device while it is open', () => {
    const [first, second] = [0, 1].map(() => {
      const job = host.jobs.jobFor('finalstage', ONE);
      job.enter('finalstage');
      job.leave('finalstage');
      return job;
    });
    const nameless = host.jobs.jobFor('cloud', undefined);
    look();
    const stages = (): unknown => view.world().jobs.map(({ deviceid, stage }) => [deviceid, stage]);
    assert.notEqual(first, second);
    assert.deepEqual(stages(), [
      [ONE, 'done'],
      [null, 'cloud'],
    ]);
    nameless.fail('device-timeout');
    assert.deepEqual(stages(), [[ONE, 'done']]);
  });

  it('is at work while a stage runs, and for a minute after that', () => {
    const left = host.jobs.jobFor('cloud', ONE);
    left.enter('cloud');
    const running = host.jobs.jobFor('cloud', TWO);
    running.enter('cloud');
    running.running = new AbortController();
    look();
    running.running = undefined;
    assert.deepEqual(
      view.world(0).jobs.map(({ isAtWork }) => isAtWork),
      [false, true],
      'left by an earlier run of the process, and by a stage just now',
    );
    running.fail('device-timeout');
    host.jobs.forget(running);
    const atWork = (now: number): boolean[] => view.world(now).jobs.map(({ isAtWork }) => isAtWork);
    assert.deepEqual(atWork(0), [false]);
    left.running = new AbortController();
    assert.deepEqual(atWork(1_000_000), [true]);
    left.running = undefined;
    assert.deepEqual([atWork(2_000_000), atWork(2_059_999), atWork(2_060_000)], [[true], [true], [false]]);
    left.running = new AbortController();
    assert.deepEqual(atWork(3_000_000), [true]);
    left.running = undefined;
    assert.deepEqual(atWork(4_000_000), [true], 'a minute once more');
    left.fail('device-timeout');
    assert.deepEqual(atWork(4_000_000), [false]);
  });

  it('changes once more when the minute is over in which nothing ran', () => {
    look();
    const job = host.jobs.jobFor('cloud', ONE);
    job.enter('cloud');
    timeStands(['setTimeout']);
    try {
      const now = Date.now();
      assert.equal(view.world(now).jobs[0]?.isAtWork, true);
      const before = news;
      timePasses(60_000);
      assert.equal(news, before);
      timePasses(1);
      assert.equal(news, before + 1);
      assert.equal(view.world(now + 60_001).jobs[0]?.isAtWork, false);
      timePasses(120_000);
      assert.equal(news, before + 1, 'nothing changes any more');
      host.jobs.jobFor('cloud', TWO).enter('cloud');
      view.world(now);
      // Of several it does so at the end of the first minute, in whichever order they are.
      host.jobs.jobFor('cloud', THREE).enter('cloud');
      view.world(now + 30_000);
      const beforeBoth = news;
      timePasses(30_000);
      assert.equal(news, beforeBoth);
      timePasses(1);
      assert.equal(news, beforeBoth + 1);
      const atWork = view.world(now + 60_001).jobs.flatMap(({ deviceid, isAtWork }) => (isAtWork ? [deviceid] : []));
      assert.deepEqual(atWork, [THREE]);
      view.stop();
      const atLast = news;
      timePasses(120_000);
      assert.equal(news, atLast, 'it has stopped');
    } finally {
      timeGoesOn();
    }
  });

  it('has of each job what it reports while it is open, and how it failed', () => {
    look();
    const job = host.jobs.jobFor('cloud', ONE);
    job.enter('cloud');
    job.lastReport = { name: 'wait-for-session', values: { deviceid: ONE } };
    const shown = (): ShownJob | undefined => view.world().jobs[0];
    assert.deepEqual(shown()?.report, { text: 'a report', isWaiting: true, isHandNeeded: false });
    assert.equal(shown()?.failure, undefined);
    job.fail('device-timeout');
    assert.deepEqual([shown()?.report, shown()?.failure?.code], [undefined, 'device-timeout']);
  });

  it('learns what a flash finds out, and forgets its firmware where the stock firmware is back', () => {
    look();
    const job = host.jobs.jobFor('finalstage', ONE);
    job.learn({ model: MODEL, romVersion: ROM, mac: '5c:cf:7f:a1:b2:c3' });
    job.enter('finalstage');
    const facts = { deviceid: ONE, model: MODEL, romVersion: ROM, mac: '5C:CF:7F:A1:B2:C3' };
    assert.deepEqual(known(ONE), {
      ...facts,
      page: undefined,
      installedVersion: undefined,
      installed: undefined,
      failure: undefined,
    });
    arming.arm(ONE);
    job.leave('finalstage');
    assert.equal((known(ONE) as { installed?: string }).installed, 'new');
    assert.equal(arming.isArmed(ONE), false, 'its flash has used that up');
    dispatch(ONE);
    assert.equal((known(ONE) as { installed?: string }).installed, undefined);
    const next = host.jobs.jobFor('cloud', TWO);
    next.enter('cloud');
    next.fail('device-timeout');
    assert.equal((known(TWO) as { failure?: { code: string } }).failure?.code, 'device-timeout');
  });

  it('keeps what a device is when it is flashed again, and forgets what was on it', () => {
    const facts = { deviceid: ONE, model: MODEL, romVersion: ROM, mac: '5C:CF:7F:A1:B2:C3' };
    const failure = { code: 'device-silent', text: 'So it was.' } as const;
    const page = 'http://192.168.1.20/';
    memory.saw({ ...facts, installed: 'Tasmota', installedVersion: '15.0.1', page, failure });
    look();
    host.jobs.jobFor('cloud', ONE).enter('cloud');
    const forgotten = { page: undefined, installedVersion: undefined, installed: undefined, failure: undefined };
    assert.deepEqual(known(ONE), { ...facts, ...forgotten });
  });

  it('brings a device back that was removed where it is used later, and not for an earlier flash', () => {
    const job = host.jobs.jobFor('cloud', ONE);
    job.enter('cloud', new Date(1_000_000));
    look();
    memory.remove(ONE, new Date(Date.now() + 1000));
    memory.removeFlasher();
    job.fail('device-timeout');
    dispatch(ONE);
    assert.deepEqual([known(ONE), view.world().isFlasherHidden], [undefined, true]);
    job.enter('cloud', new Date(Date.now() + 2000));
    assert.ok(known(ONE));
    assert.equal(view.world().isFlasherHidden, false);
  });

  it('has no device any more that nobody has seen for a day', () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    memory = new DeviceMemory(
      undefined,
      'memory',
      () => undefined,
      () => now,
    );
    memory.saw({ deviceid: ONE });
    look();
    const shown = (): string[] => view.world().devices.map(({ deviceid }) => deviceid);
    assert.deepEqual(shown(), [ONE]);
    now += 24 * 60 * 60_000 + 1;
    assert.deepEqual(shown(), []);
  });

  it('knows immediately what is connected already', () => {
    const device = { deviceid: ONE, apikey: 'a', model: MODEL, romVersion: ROM };
    const session = { peer: '192.0.2.7', sessionKey: 'session', device, ready: true, close: () => undefined };
    host.devices.add(Object.assign(new EventEmitter(), session) as unknown as DeviceConnection);
    host.jobs.jobFor('cloud', TWO);
    host.queue.pause();
    host.queue.add({ deviceid: THREE });
    look();
    assert.deepEqual(known(ONE), { deviceid: ONE, model: MODEL, romVersion: ROM });
    assert.ok(known(TWO), 'it has a job');
    assert.deepEqual([...memory.inUse()].sort(), [ONE, TWO, THREE]);
  });
});

describe('nodes: the failures that Home Assistant is shown', () => {
  let host: FlashHost;
  let watch: FailureWatch | undefined;
  let store: FailureStore;
  let news = 0;
  beforeEach(() => {
    host = newHost();
    store = { lastFailure: undefined };
    news = 0;
  });
  afterEach(async () => {
    watch?.stop();
    await host.close();
  });

  function watched(): FailureWatch {
    return (watch = new FailureWatch(host, sentences, store, () => (news += 1)));
  }

  it('are of messages that could not start, with their device where they name one', () => {
    const failures = watched();
    host.runs.refused(
      { deviceid: ONE },
      new FlashError('wifi-credentials-missing', { what: wording('wifi-password') }),
    );
    host.runs.refused({ deviceid: {} }, new FlashError('value-invalid', { name: 'msg.deviceid', reason: quoted('x') }));
    host.runs.refused({ deviceid: ONE }, new FlashError('cancelled'));
    const { what, remedy } = sentencesOf('wifi-credentials-missing', { what: wording('wifi-password') });
    assert.deepEqual(failures.all(), [
      { id: 1, code: 'wifi-credentials-missing', text: `${what} ${remedy}`, remedy, deviceid: ONE },
      { ...failures.all()[1], id: 2, code: 'value-invalid', deviceid: null },
    ]);
    assert.equal(news, 2);
    const { id: _, ...newest } = failures.all()[1] ?? {};
    assert.deepEqual(store.lastFailure, newest);
    failures.stop();
    host.runs.refused({}, new FlashError('host-missing'));
    assert.equal(failures.all().length, 2, 'it listens no more');
  });

  it('are of the device of their job, whatever their message names', () => {
    const failures = watched();
    const error = new FlashError('device-timeout');
    host.runs.emit('failed', { deviceid: ONE }, error, host.jobs.jobFor('cloud', TWO));
    host.runs.emit('failed', { deviceid: ONE }, error, host.jobs.jobFor('cloud', undefined));
    assert.deepEqual(
      failures.all().map(({ deviceid }) => deviceid),
      [TWO, ONE],
    );
  });

  it('include the newest one from before a restart', () => {
    watched();
    host.runs.refused({ deviceid: ONE }, new FlashError('host-missing'));
    watch?.stop();
    const [failure] = watched().all();
    assert.deepEqual([failure?.id, failure?.code, failure?.deviceid], [0, 'host-missing', ONE]);
    const job = host.jobs.jobFor('finalstage', ONE);
    job.enter('finalstage');
    job.leave('finalstage');
    assert.deepEqual([watch?.all(), store.lastFailure], [[], undefined]);
  });

  it('are the newest twenty, until a flash ends well', () => {
    const failures = watched();
    for (let count = 0; count < 25; count += 1) host.runs.refused({}, new FlashError('host-missing'));
    assert.deepEqual([failures.all().length, failures.all()[0]?.id, failures.all().at(-1)?.id], [20, 6, 25]);
    const job = host.jobs.jobFor('finalstage', ONE);
    job.fail('finalstage-timeout');
    assert.equal(failures.all().length, 20);
    job.enter('finalstage');
    job.leave('finalstage');
    assert.deepEqual(failures.all(), []);
  });

  it('are of what the queue lost without a message, and not of what it had lost before', () => {
    host.queue.attach('queue', { atOnce: 3, attempts: 1, start: () => false });
    host.queue.add({ deviceid: ONE });
    const failures = watched();
    host.queue.add({ deviceid: TWO });
    assert.deepEqual(
      failures.all().map(({ code, deviceid }) => [code, deviceid]),
      [['queue-not-wired', TWO]],
    );
    assert.match(failures.all()[0]?.text ?? '', /output 1\b/i);
    host.queue.pause();
    assert.equal(failures.all().length, 1, 'each once');
  });
});

describe('nodes: the firmware that Home Assistant can choose', () => {
  const more = { defaultId: undefined, unknownName: 'new firmware' };
  const image = (source: string): LoadedImage => ({ source }) as LoadedImage;

  it('is called by its own name, that of its image, or its id, and by no name twice', () => {
    const type = 'sonota-firmware';
    const list = new FirmwareList(
      runtimeWith([
        { id: 'a', type, name: 'Tasmota', final: '/data/tasmota-lite.bin' },
        { id: 'b', type, name: '', final: '/data/tasmota-lite.bin' },
        { id: 'c', type, name: '', final: 'https://example.com/files/esphome.BIN?token=1#x' },
        { id: 'd', type, name: '', final: 'catalog:tasmota-lite' },
        { id: 'e', type, name: '', final: '' },
        { id: 'f', type, name: 'Tasmota', final: { not: 'a text' } },
        { id: 'g', type: 'sonota-host', name: 'no firmware' },
      ]),
      () => undefined,
      more,
    );
    const options = ['Tasmota', 'tasmota-lite', 'esphome', 'tasmota-lite (2)', 'e', 'Tasmota (2)'];
    assert.deepEqual(list.shown(), { options, chosen: undefined });
    assert.deepEqual([list.has('esphome'), list.has('no firmware'), list.chosenId], [true, false, undefined]);
    assert.equal(list.nameOf(image('/data/tasmota-lite.bin')), 'Tasmota', 'the first that has it');
    assert.equal(list.nameOf(image('/elsewhere/own-build.bin')), 'own-build');
    assert.equal(list.nameOf(image('message')), 'new firmware');
    assert.equal(list.nameOf(undefined), 'new firmware');
  });

  it('is that of the form until one is chosen that is there', () => {
    const type = 'sonota-firmware';
    const definitions = [
      { id: 'a', type, name: 'A', final: '' },
      { id: 'b', type, name: 'B', final: '' },
    ];
    let chosen: string | undefined;
    const list = new FirmwareList(runtimeWith(definitions), () => chosen, { ...more, defaultId: 'b' });
    assert.deepEqual([list.shown().chosen, list.chosenId, list.nameOf(undefined)], ['B', 'b', 'B']);
    chosen = 'A';
    assert.deepEqual([list.shown().chosen, list.chosenId], ['A', 'a']);
    chosen = 'gone';
    assert.equal(list.chosenId, 'b');
  });
});

describe('nodes: the image that Home Assistant shows before an installation', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-chosen-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What is shown of a firmware node with this final image, once that was looked at. */
  async function shown(final: unknown, digests: object = {}, type = 'sonota-firmware'): Promise<unknown> {
    const node = { type, readSources: () => ({ final, digests }) };
    const RED = { nodes: { getNode: () => node }, settings: { userDir: folder } } as unknown as NodeAPI;
    return await new Promise((resolve) => {
      const image = new ChosenImage(RED, () => resolve(image.of('firmware')));
      assert.equal(image.of('firmware'), undefined);
      image.look('firmware');
    });
  }

  it('is known by its digest, and by its address where it was not fetched', async () => {
    const bytes = makeFinalImage();
    const path = join(folder, 'final.bin');
    await writeFile(path, bytes);
    assert.deepEqual(await shown(path), { sha256: digestOf(bytes) });
    assert.deepEqual(await shown(path, { final: 'ab' }), { sha256: digestOf(bytes) }, 'of what is there now');
    const address = 'https://me:secret@example.com/final.bin?token=secret';
    assert.deepEqual(await shown(address), { url: 'https://example.com/final.bin' });
    assert.deepEqual(await shown(address, { final: 'ab' }), { url: 'https://example.com/final.bin', sha256: 'ab' });
    assert.deepEqual(await shown(join(folder, 'nowhere.bin')), {});
  });

  it('has the version that it states itself', async () => {
    const bytes = makeFinalImage({ text: 'ESPHome version 2024.6.1 compiled' });
    const path = join(folder, 'final.bin');
    await writeFile(path, bytes);
    assert.deepEqual(await shown(path), { sha256: digestOf(bytes), version: '2024.6.1' });
  });

  it('has the address and the version that the catalogue states, before it was fetched', async () => {
    const library = ImageLibrary.at(folder);
    for (const [version, hasDigest] of [
      ['14.1.0', false],
      ['11.1.0', true],
    ] as const) {
      const source = `catalog:tasmota-lite-${version}`;
      const { url, sha256 } = library.catalogImage(source) ?? {};
      assert.deepEqual([typeof url, typeof sha256 === 'string'], ['string', hasDigest]);
      assert.deepEqual(await shown(source), { url, version, ...(hasDigest && { sha256 }) });
    }
  });

  it('is forgotten where it cannot be read any more, or its firmware names none', async () => {
    let isBroken = false;
    let final: string | undefined = 'https://example.com/final.bin';
    const readSources = (): object => {
      if (isBroken) throw new FlashError('value-invalid', { key: 'final', reason: quoted('it is nothing') });
      return { final };
    };
    const node = { type: 'sonota-firmware', readSources };
    const RED = { nodes: { getNode: () => node }, settings: { userDir: folder } } as unknown as NodeAPI;
    const news = new EventEmitter();
    const image = new ChosenImage(RED, () => news.emit('news'));
    image.look('firmware');
    await once(news, 'news');
    assert.deepEqual(image.of('firmware'), { url: 'https://example.com/final.bin' });
    isBroken = true;
    image.look('firmware');
    await nextTurn();
    assert.equal(image.of('firmware'), undefined);
    isBroken = false;
    for (const expected of [{ url: 'https://example.com/final.bin' }, undefined]) {
      final = expected?.url;
      image.look('firmware');
      await once(news, 'news');
      assert.deepEqual(image.of('firmware'), expected);
    }
  });

  it('is nothing where a firmware names none, or is none', async () => {
    assert.equal(await shown(undefined), undefined);
    assert.equal(await shown(Buffer.alloc(3)), undefined);
    assert.equal(await shown('/data/final.bin', {}, 'sonota-host'), undefined);
  });
});

describe('nodes: what is published to Home Assistant of a job', () => {
  const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const snapshot = (more: object): JobSnapshot => ({ startedAt: at(0), stages: {}, mac: null, ...more }) as JobSnapshot;

  it('is used when the last of its stages started', () => {
    const [cloud, upgrade] = [{ startedAt: at(9) }, { startedAt: at(5) }];
    assert.equal(lastUse(snapshot({})), at(0));
    assert.equal(lastUse(snapshot({ stages: { cloud, upgrade } })), at(9));
    assert.equal(lastUse(snapshot({ stages: { upgrade, cloud } })), at(9));
    assert.equal(lastUse(snapshot({ startedAt: at(20), stages: { cloud } })), at(20));
  });

  const MAC = '5C:CF:7F:A1:B2:C3';
  for (const [what, found, mac, known] of [
    ['nothing', undefined, null, {}],
    [
      'its page at home',
      { url: 'http://192.168.1.20', version: '14.1.0' },
      null,
      { page: 'http://192.168.1.20/', installedVersion: '14.1.0' },
    ],
    ['no page of its access point', { url: 'http://192.168.4.1', version: 7 }, null, {}],
    ['no page that is none', { url: 'nowhere' }, null, {}],
    ['the address that it states', { mac: MAC.toLowerCase() }, null, { mac: MAC }],
    ['the address that it stated before', undefined, MAC.toLowerCase(), { mac: MAC }],
    ['the one that it states now', { mac: MAC }, '00:00:00:00:00:00', { mac: MAC }],
    ['no address that is none', { mac: 'x' }, null, {}],
    ['no address that is too long', { mac: `${MAC}:00` }, null, {}],
    ['no address with more before it', { mac: `00:${MAC}` }, null, {}],
  ] as const) {
    it(`is of its new firmware: ${what}`, () => {
      const stages = found === undefined ? {} : { newfirmware: found };
      const nothing = { page: undefined, installedVersion: undefined };
      assert.deepEqual(newFirmwareIn(snapshot({ stages, mac })), { ...nothing, ...known });
    });
  }

  it('is its report, made again only where a person would read something else', () => {
    let made = 0;
    const reports = new JobReports(
      ({ name, text, values }) => `${(made += 1)} ${name} ${text} ${JSON.stringify(values)}`,
    );
    const job = new Job('upgrade', ONE);
    job.route = FINALSTAGE;
    job.enter('upgrade');
    assert.equal(reports.of(job), undefined, 'it has not said anything');
    const says = (name: ProgressTextName, values = {}): ReturnType<JobReports['of']> => {
      job.lastReport = { name, values };
      return reports.of(job);
    };
    const first = says('wait-for-session', { deviceid: ONE });
    assert.deepEqual([first?.isWaiting, first?.isHandNeeded], [true, false]);
    assert.match(first?.text ?? '', /^1 wait-for-session .*1000000001.*"1000000001"/);
    assert.equal(says('wait-for-session', { deviceid: ONE }), first);
    assert.notEqual(says('wait-for-session', { deviceid: TWO }), first);
    assert.equal(made, 2);
    const byHand = says('wait-for-finalstage');
    assert.deepEqual([byHand?.isWaiting, byHand?.isHandNeeded], [true, true]);
    const flows = says('image-flows', { sent: 1, size: 1000 });
    assert.deepEqual([flows?.isWaiting, flows?.isHandNeeded], [false, false]);
    assert.equal(says('image-flows', { sent: 2, size: 1000 }), flows, 'within a percent');
    job.advance('upgrade', 0.5);
    assert.notEqual(says('image-flows', { sent: 500, size: 1000 }), flows);
    job.fail('device-silent');
    job.lastReport = { name: 'image-flows', values: {} };
    assert.equal(reports.of(job), undefined, 'it has ended');
  });
});

describe('nodes: the clock of sonota-home-assistant', () => {
  it('is that of the machine, and calls back unless it is cancelled', () => {
    timeStands(['setTimeout', 'Date'], 1_000_000);
    try {
      const calls: number[] = [];
      const call = (): unknown => calls.push(SYSTEM_CLOCK.now());
      SYSTEM_CLOCK.after(1000, call);
      const cancel = SYSTEM_CLOCK.after(1000, call);
      timePasses(999);
      assert.deepEqual(calls, []);
      cancel();
      timePasses(1);
      assert.deepEqual(calls, [1_001_000]);
    } finally {
      timeGoesOn();
    }
  });
});

/** As much of Node-RED as tells which nodes there are. */
function runtimeWith(definitions: readonly object[]): NodeAPI {
  const eachNode = (tell: (definition: object) => void): void => definitions.forEach((one) => tell(one));
  return { nodes: { eachNode } } as unknown as NodeAPI;
}
