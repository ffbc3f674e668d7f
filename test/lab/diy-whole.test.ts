import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image/writer';
import { identityOf } from '../../lib/virtual/device/models';
import { whyNoBus } from '../net/wifi/private-bus';
import { Air, whyNoAir } from './air';
import { ByItself } from './by-itself';
import { DeviceProcess } from './device-process';
import { makeFlow, type FlowNode, type FlowSettings } from './flow';
import { CASE_LIMIT_MS, DEVICE_ID, HOME_WIFI, story } from './lab';
import { Records } from './records';
import { RedInside } from './red-inside';

const ADDRESS = '192.168.77.20';
/** The addresses of a virtual device with this id; only the link and the access point show them. */
const { mac: MAC } = identityOf({ deviceid: DEVICE_ID });
const NAME = MAC.split(':').slice(3).join('');
/** Its network is named after its MAC address, in two ways (Tasmota documentation). */
const OWN_TASMOTA = `tasmota-${NAME}-${String(Number.parseInt(NAME, 16) & 0x1fff).padStart(4, '0')}`;
/** A neighbour's, which is nearer. */
const NEIGHBOUR = { ssid: 'tasmota-FFFFFF-8191', bssid: '5E:CF:7F:FF:FF:FF', network: '192.168.4', signal: 99 };
const IMAGE = makeFinalImage({ size: 100_000, redundancy: 0.3, text: 'Theo Arends' });

/** Example 22 with a firmware of its own; what starts it stands in for the button of the node, and may say more. */
function flowFor(message: Readonly<Record<string, string>>): Pick<FlowSettings, 'example' | 'change'> {
  return {
    example: 'examples/22 - Flash one Sonoff and set Tasmota up.json',
    change: (nodes: FlowNode[]) => {
      const inject = nodes.find(({ type }) => type === 'inject')!;
      const flash = nodes.find(({ type }) => type === 'sonota-flash')!;
      inject['props'] = Object.entries(message).map(([p, v]) => ({ p, v, vt: 'str' }));
      inject.wires = [[flash.id]];
      flash['firmware'] = 'lab-firmware';
      nodes.push({ id: 'lab-firmware', type: 'sonota-firmware', name: '' });
    },
  };
}

interface Case {
  readonly title: string;
  readonly life: Readonly<Record<string, string>>;
  readonly message: Readonly<Record<string, string>>;
  readonly stages: readonly string[];
  /** Networks that this machine has joined automatically. */
  readonly joins: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: 'takes a 3.7.6 from its access point to a Tasmota that is set up at home',
    life: { version: '3.7.6', startsIn: 'access-point' },
    message: {},
    stages: ['provision', 'diy', 'newfirmware'],
    joins: [`ITEAD-${DEVICE_ID}`, OWN_TASMOTA, OWN_TASMOTA],
  },
  {
    title: 'takes a 3.3.0 there that announces nothing, at the address that a person gives',
    life: { version: '3.3.0', startsIn: 'diy', fault: 'mdns-silent' },
    message: { address: ADDRESS, deviceid: DEVICE_ID },
    stages: ['diy', 'newfirmware'],
    joins: [OWN_TASMOTA, OWN_TASMOTA],
  },
];

describe('the flow of example 22, and a Sonoff with DIY mode in networks of its own', function () {
  this.timeout(CASE_LIMIT_MS * 2);
  this.slow(CASE_LIMIT_MS);
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  for (const about of CASES) {
    it(about.title, async function () {
      const reason = whyNoAir() ?? whyNoBus();
      if (reason !== undefined) {
        console.log(`    skipped: ${reason}`);
        this.skip();
      }
      const limit = AbortSignal.timeout(CASE_LIMIT_MS);
      const folder = await mkdtemp(path.join(tmpdir(), 'sonota-lab-'));
      undo.push(() => rm(folder, { recursive: true, force: true }));
      const paths = await writeImages(folder);
      const records = new Records(path.join(folder, 'records.jsonl'));
      undo.push(() => records.close());
      const air = new Air();
      undo.push(() => air.remove());
      const byItself = await ByItself.start(air);
      assert.ok(byItself);
      undo.push(() => byItself.stop());
      byItself.others = [NEIGHBOUR];
      const inside = await RedInside.start(air, path.join(folder, 'admin.sock'), byItself.bus.address);
      undo.push(() => inside.red.stop());
      const life = { deviceid: DEVICE_ID, mac: MAC, home: HOME_WIFI, address: ADDRESS, ...about.life };
      const device = new DeviceProcess(air, life, 'virtual-diy.js');
      undo.push(() => device.stop());
      byItself.watch(device);
      const settings = { ...HOME_WIFI, ...paths, ...flowFor(about.message), records: records.path };
      const { nodes, start } = makeFlow({ ...settings, intermediate: 'finalstage' });
      await inside.deploy(nodes);
      await inside.post(`/inject/${start}`, {});
      try {
        await setUp(records, limit);
        judge(about, records, device, byItself);
        const flows = await readFile(path.join(inside.red.userDir, 'flows.json'), 'utf8');
        const written = [records.text(), ...inside.red.log, flows].join('\n');
        assert.ok(!written.includes(HOME_WIFI.password), 'the Wi-Fi password is written somewhere in clear');
      } catch (error) {
        if (error instanceof Error) error.message += `\n${story(device.events, records.all)}`;
        throw error;
      }
    });
  }
});

/** The pair is looked at before it is known which method the device takes. */
async function writeImages(folder: string): Promise<Record<'user1' | 'user2' | 'final', string>> {
  const pair = { user1: makeUserImage({ slot: 1, size: 8192 }), user2: makeUserImage({ slot: 2, size: 8192 }) };
  const [user1, user2, final] = ['user1', 'user2', 'final'].map((role) => path.join(folder, `${role}.bin`));
  assert.ok(user1 && user2 && final);
  await Promise.all([writeFile(user1, pair.user1), writeFile(user2, pair.user2), writeFile(final, IMAGE)]);
  return { user1, user2, final };
}

/** Resolves when the last node of the flow has its result; rejects with what the flow tells instead. */
async function setUp(records: Records, limit: AbortSignal): Promise<void> {
  const isEnd = ({ kind, node }: { kind: string; node: string }): boolean =>
    kind === 'error' || (kind === 'result' && node === 'tasmota-setup');
  const { kind, node, msg } = await records.find(isEnd, limit);
  assert.strictEqual(kind, 'result', `${node}: ${msg.error?.code} ${msg.error?.message}`);
}

function judge(about: Case, records: Records, device: DeviceProcess, byItself: ByItself): void {
  assert.deepStrictEqual(device.all('stderr'), []);
  assert.strictEqual(device.last('flashed')?.['flashSha256'], createHash('sha256').update(IMAGE).digest('hex'));
  const results = records.of('result');
  assert.deepStrictEqual(
    results.map(({ node }) => node),
    ['flash', 'tasmota-setup'],
  );
  const { sonota, payload } = results.at(-1)!.msg;
  const { deviceid, stage, percent, linkMac, intermediate, romVersion, verdict } = sonota ?? {};
  assert.deepStrictEqual([deviceid, stage, percent, linkMac, intermediate], [DEVICE_ID, 'done', 100, MAC, 'diy']);
  assert.strictEqual(romVersion ?? about.life['version'], about.life['version']);
  assert.deepStrictEqual(Object.keys(sonota?.['stages'] as object), about.stages);
  assert.strictEqual((verdict as { code?: string }).code, 'firmware-same-mac');
  assert.strictEqual((sonota?.['stages'] as { diy: { proof?: string } }).diy.proof, 'reported');
  const { url, mac } = payload as Record<string, unknown>;
  assert.deepStrictEqual([url, mac], [`http://${ADDRESS}`, MAC]);
  assert.deepStrictEqual(byItself.moves, about.joins);
  for (const step of [...about.stages, 'tasmota']) {
    const said = records.of('progress').filter(({ msg }) => String(msg.topic).endsWith(`/${step}`));
    assert.ok(said.length > 0, `no progress of ${step}`);
    for (const { msg } of said) assert.ok(msg.text && msg.text.length <= 80, JSON.stringify(msg));
  }
  const percents = records
    .of('progress')
    .filter(({ node }) => node !== 'tasmota-setup')
    .map(({ msg }) => Number(msg.payload));
  assert.deepStrictEqual(
    percents,
    [...percents].sort((one, other) => one - other),
  );
}
