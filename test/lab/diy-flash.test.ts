import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { makeFinalImage } from '../../lib/image/writer';
import { Air, whyNoAir } from './air';
import { freePort } from '../shared/ports';
import { type RunningNodeRed, startNodeRed } from '../shared/node-red';
import { DeviceProcess, LOOPBACK, type Surroundings } from './device-process';
import { type FlowSettings, makeFlow } from './flow';
import { CASE_LIMIT_MS, DEVICE_ID, FACTORY_KEY, HOME_WIFI, story } from './lab';
import { Person } from './person';
import { Records } from './records';
import { RedInside } from './red-inside';

const MAC = '5C:CF:7F:12:34:56';
const ADDRESS = '192.168.77.20';
/** As Tasmota 9.2.0 has it: 120 ranges, more than the 100 requests that some servers take on one connection. */
const IMAGE_BYTES = 487_824;
const RANGE_BYTES = 4096;
const STAGES = ['diy-flash', 'new-firmware'];

const EXAMPLE = 'examples/06 - Flash a Sonoff in DIY mode.json';

describe('the flow of example 06, and a Sonoff in DIY mode that is not ours', function () {
  this.timeout(CASE_LIMIT_MS * 2);
  this.slow(CASE_LIMIT_MS);
  const undo: (() => unknown)[] = [];
  let limit: AbortSignal;
  let folder: string;
  let image: Buffer;
  let final: string;
  let records: Records;

  beforeEach(async () => {
    limit = AbortSignal.timeout(CASE_LIMIT_MS);
    folder = await mkdtemp(path.join(tmpdir(), 'sonota-lab-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    image = makeFinalImage({ size: IMAGE_BYTES, redundancy: 0.3 });
    final = path.join(folder, 'final.bin');
    await writeFile(final, image);
    records = new Records(path.join(folder, 'records.jsonl'));
    undo.push(() => records.close());
  });

  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  /** The device, in DIY mode. */
  function startDevice(place: Surroundings, life: object): DeviceProcess {
    const facts = { deviceid: DEVICE_ID, apikey: FACTORY_KEY, ssid: HOME_WIFI.ssid, mac: MAC };
    const device = new DeviceProcess(place, { ...facts, ...life }, 'stock-sonoff-diy.js');
    undo.push(() => device.stop());
    return device;
  }

  const flow = (settings: Pick<FlowSettings, 'host' | 'forms'> = {}) =>
    makeFlow({
      ...{ ...HOME_WIFI, ...settings, example: EXAMPLE, records: records.path },
      ...{ intermediate: 'one-hop', user1: '', user2: '', final },
    });

  /** Waits for the end of both sides, and judges them. */
  async function judge(device: DeviceProcess, red: RunningNodeRed, settled: () => Promise<void>): Promise<void> {
    try {
      const exitCode = await Promise.race([device.ended, failed(records, limit)]);
      await settled();
      judgeDevice(device, image);
      assert.strictEqual(exitCode, 0);
      await records.find(({ kind, node }) => kind === 'result' && node === STAGES.at(-1), limit);
      await records.find(() => records.of('complete').length >= STAGES.length, limit);
      judgeFlow(records, device.last('new-firmware-up')!['url']);
      const flows = await readFile(path.join(red.userDir, 'flows.json'), 'utf8');
      const written = [records.text(), ...red.log, flows].join('\n');
      assert.ok(!written.includes(HOME_WIFI.password), 'the Wi-Fi password is written somewhere in clear');
    } catch (error) {
      if (error instanceof Error) error.message += `\n${story(device.events, records.all)}`;
      throw error;
    }
  }

  it('unlocks and flashes a 3.7.6 at the address of the form, and looks at the page of its new firmware', async () => {
    const pagePort = await freePort();
    const device = startDevice(LOOPBACK, { address: '127.0.0.1', pagePort });
    const { port } = await device.saw('diy-up', limit);
    const red = await startNodeRed();
    undo.push(() => red.stop());
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    const { nodes, start } = flow({
      host: { bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual', ...ports },
      forms: {
        'sonota-diy-flash': { address: `127.0.0.1:${String(port)}` },
        'sonota-new-firmware': { url: `http://127.0.0.1:${pagePort}` },
      },
    });
    const { length } = red.log;
    await red.deploy(nodes);
    await red.logged(/Started flows/, CASE_LIMIT_MS, length);
    await red.inject(start);
    await judge(device, red, async () => undefined);
  });

  it('finds a 3.7.6 by mDNS in the home Wi-Fi, flashes it, and looks for its new network', async function () {
    const reason = whyNoAir();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    const air = new Air();
    undo.push(() => air.remove());
    const person = new Person(air, 'two', records, limit);
    // It has announced itself before the host listens: what remains is to ask it.
    const device = startDevice(air, { address: ADDRESS });
    person.watch(device);
    await device.saw('diy-up', limit);
    const inside = await RedInside.start(air, path.join(folder, 'admin.sock'));
    undo.push(() => inside.red.stop());
    const { nodes, start } = flow();
    await inside.deploy(nodes);
    await inside.post(`/inject/${start}`, {});
    await judge(device, inside.red, () => person.settled());
    const asked = new Set(device.all('asked').map(({ type }) => type));
    for (const type of ['PTR', 'SRV', 'TXT']) assert.ok(asked.has(type), `nobody asked for ${type}`);
  });
});

async function failed(records: Records, limit: AbortSignal): Promise<never> {
  const { node, msg } = await records.find(({ kind }) => kind === 'error', limit);
  throw new Error(`${node}: ${msg.error?.code} ${msg.error?.message}`);
}

function judgeDevice(device: DeviceProcess, image: Buffer): void {
  assert.deepStrictEqual(device.all('fault'), [], 'the device saw what the documents forbid');
  assert.deepStrictEqual(device.all('stderr'), []);
  assert.deepStrictEqual(device.all('connection-lost'), []);
  const commands = device.all('command');
  assert.deepStrictEqual(
    [...new Set(commands.map(({ command }) => command))],
    ['info', 'ota_unlock', 'ota_flash'],
    'in this order, with nothing between that nobody has asked for',
  );
  assert.strictEqual(commands.filter(({ command }) => command === 'ota_flash').length, 1);
  const [downloaded] = device.all('downloaded');
  const requests = Math.ceil(image.length / RANGE_BYTES);
  assert.deepStrictEqual(
    [downloaded?.['bytes'], downloaded?.['requests'], downloaded?.['connections']],
    [image.length, requests, 1],
  );
  assert.deepStrictEqual(
    device.all('result').map(({ error, answer }) => [error, answer]),
    [[0, 'HTTP/1.1 200 OK']],
  );
  assert.strictEqual(device.last('done')?.['flashSha256'], createHash('sha256').update(image).digest('hex'));
}

function judgeFlow(records: Records, page: unknown): void {
  const ends = records.all.filter(({ kind }) => kind === 'result' || kind === 'error');
  assert.deepStrictEqual(
    ends.map(({ kind, node }) => `${kind} ${node}`),
    STAGES.map((stage) => `result ${stage}`),
  );
  assert.strictEqual(records.of('complete').length, STAGES.length, 'done() once per stage');
  const [flashed, seen] = ends.map(({ msg }) => msg.payload as Record<string, unknown>);
  const { proof, version, size } = flashed ?? {};
  assert.deepStrictEqual([proof, version, size], ['reported', '3.7.6', IMAGE_BYTES]);
  const { kind, url, mac } = seen ?? {};
  assert.deepStrictEqual([kind, url, mac], ['tasmota', page, MAC]);
  const { deviceid, stage, percent } = ends.at(-1)!.msg.sonota ?? {};
  assert.deepStrictEqual([deviceid, stage, percent], [DEVICE_ID, 'done', 100]);
  const percents = records.of('progress').map(({ msg }) => Number(msg.payload));
  assert.deepStrictEqual(
    percents,
    [...percents].sort((one, other) => one - other),
  );
}
