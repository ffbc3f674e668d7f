import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { FlashError, sentencesOf } from '../../lib/errors';
import { FlashHost } from '../../lib/flash/host/host';
import type { LoadedImage } from '../../lib/firmware/firmware';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import type { MqttMessage } from '../../lib/home-assistant';
import { digestOf, makeFinalImage } from '../../lib/image';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { ChosenImage } from '../../nodes/sonota-home-assistant/chosen-image';
import { DeviceMemory } from '../../nodes/sonota-home-assistant/device-memory';
import { FailureWatch, type FailureStore } from '../../nodes/sonota-home-assistant/failure-watch';
import { FirmwareList } from '../../nodes/sonota-home-assistant/firmware-list';
import { HomeAssistantLink, type FlashRequest } from '../../nodes/sonota-home-assistant/link';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { SYSTEM_CLOCK } from '../../nodes/sonota-home-assistant/system-clock';
import { NAMES, phrase, STATES } from '../home-assistant/snapshots';

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
  const requests: FlashRequest[] = [];
  const published: MqttMessage[] = [];

  beforeEach(() => {
    requests.length = published.length = 0;
    host = newHost();
    memory = new DeviceMemory(undefined, 'memory', () => undefined);
    for (const deviceid of [ONE, TWO, THREE]) memory.learn({ deviceid });
    const definitions = [
      { id: 'tasmota', type: 'sonota-firmware', name: 'Tasmota', final: '/data/tasmota.bin' },
      { id: 'esphome', type: 'sonota-firmware', name: 'ESPHome', final: '/data/esphome.bin' },
    ];
    const more = { defaultId: 'tasmota', unknownName: 'new firmware' };
    const publications = Publications.in(undefined, () => undefined);
    link = new HomeAssistantLink(
      {
        ...{ host, memory, phrase, sentences, clock: SYSTEM_CLOCK, names: NAMES, states: STATES, version: '0.1.0' },
        firmware: new FirmwareList(runtimeWith(definitions), () => memory.chosen, more),
        images: () => ({ of: () => undefined, look: () => undefined }),
        topics: { prefix: 'homeassistant', base: 'sonota' },
        reportText: ({ text }) => text,
        publications,
        own: publications.arrives('ha'),
        wiring: { outlets: [], broker: '', filters: undefined },
      },
      {
        publish: (message) => published.push(message),
        flash: (request) => requests.push(request),
        contact: () => undefined,
        failed: assert.ifError,
      },
    );
    link.start();
  });
  afterEach(async () => {
    await link.stop(false);
    await host.close();
  });

  const ask = (what: string, payload = 'PRESS'): unknown => link.take({ topic: `sonota/set/${what}`, payload });
  const asked = (): unknown[] => requests.splice(0).map(({ topic, deviceid }) => [topic, deviceid]);

  it('holds the queue, and lets it go on with one press, without a new device', () => {
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

  it('cancels what waits, and tells where there is nothing', () => {
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

  it('flashes a device that is armed, by itself or with all others, once', () => {
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

  it('begins each device where it is', () => {
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

  it('begins no device that is in work, and none again that has its firmware', () => {
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

  it('are of messages that could not begin, with their device where they name one', () => {
    const failures = watched();
    host.runs.refused({ deviceid: ONE }, new FlashError('wifi-credentials-missing', { what: 'password' }));
    host.runs.refused({ deviceid: {} }, new FlashError('value-invalid', { name: 'msg.deviceid', reason: 'x' }));
    host.runs.refused({ deviceid: ONE }, new FlashError('cancelled'));
    const { what, remedy } = sentencesOf('wifi-credentials-missing', { what: 'password' });
    assert.deepEqual(failures.all(), [
      { id: 1, code: 'wifi-credentials-missing', text: `${what} ${remedy}`, remedy, deviceid: ONE },
      { ...failures.all()[1], id: 2, code: 'value-invalid', deviceid: null },
    ]);
    assert.equal(news, 2);
    failures.stop();
    host.runs.refused({}, new FlashError('host-missing'));
    assert.equal(failures.all().length, 2, 'it listens no more');
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
    const address = 'https://me:secret@example.com/final.bin?token=secret';
    assert.deepEqual(await shown(address), { url: 'https://example.com/final.bin' });
    assert.deepEqual(await shown(address, { final: 'ab' }), { url: 'https://example.com/final.bin', sha256: 'ab' });
    assert.deepEqual(await shown(join(folder, 'nowhere.bin')), {});
  });

  it('has the address and the version that the catalogue tells, before it was fetched', async () => {
    const named = ImageLibrary.at(folder).catalogImage('catalog:tasmota-lite-14.1.0');
    assert.ok(named);
    const { url, version } = (await shown(`catalog:${named.name}`)) as Record<string, unknown>;
    assert.deepEqual([url, version], [named.url, '14.1.0']);
  });

  it('is forgotten where it cannot be read any more', async () => {
    let isBroken = false;
    const readSources = (): object => {
      if (isBroken) throw new FlashError('value-invalid', { key: 'final', reason: 'it is nothing' });
      return { final: 'https://example.com/final.bin' };
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
  });

  it('is nothing where a firmware names none, or is none', async () => {
    assert.equal(await shown(undefined), undefined);
    assert.equal(await shown(Buffer.alloc(3)), undefined);
    assert.equal(await shown('/data/final.bin', {}, 'sonota-host'), undefined);
  });
});

/** As much of Node-RED as tells which nodes there are. */
function runtimeWith(definitions: readonly object[]): NodeAPI {
  const eachNode = (tell: (definition: object) => void): void => definitions.forEach((one) => tell(one));
  return { nodes: { eachNode } } as unknown as NodeAPI;
}
