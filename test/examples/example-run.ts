import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import type { NewFirmwareServer } from '../../lib/virtual/new-firmware/new-firmware';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { VirtualSonoff, type VirtualResult, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import type { CommsClient } from '../shared/comms';
import { exampleOf } from '../shared/examples';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';

const HOME = { ssid: 'home', password: 'top secret' };
const LIMIT_MS = 60_000;
const COMPLAINT = /\[(error|warn)\]|missing|unknown|unhandled/i;
/** Node-RED's warnings about the settings that the test gives it. */
const OF_THE_TEST = /Projects disabled|unencrypted credentials/;
/** The firmware node of an example that has none: the images of the test. */
const FIRMWARE_ID = 'f1a5c0de00000001';

/** Where each kind of node looks for its device: on a real one at fixed addresses that no test machine has. */
type Place = 'accessPoint' | 'finalStage' | 'newFirmware' | 'home' | 'diyMode';
/** A device of either kind. */
type AnyDevice = Pick<VirtualSonoff, 'stop' | 'log' | 'flash' | 'ended'>;

export interface ExampleOptions {
  /** Laid over the nodes of a type, as a person would who follows the example's comment. */
  readonly fillIn?: Readonly<Record<string, Record<string, unknown>>>;
  /** By the type of their node. */
  readonly credentials?: Readonly<Record<string, Record<string, string>>>;
}

/**
 * An example as it is shipped in a real Node-RED, with what its comment leaves to the person (Wi-Fi, images), and with
 * ports of this machine in place of the addresses that real devices have. The devices are switched on by the test.
 */
export class ExampleRun {
  readonly final = makeFinalImage({ size: 32_768, redundancy: 0.3, text: 'Theo Arends' });
  red!: RunningNodeRed;
  private comms!: CommsClient;
  private flow: Flow = [];
  private folder = '';
  private ports: Record<string, number> = {};
  private places!: Record<Place, number>;
  private readonly ends = new Map<AnyDevice, Promise<VirtualResult>>();

  private constructor(private readonly number: string) {}

  static async open(number: string, options: ExampleOptions = {}): Promise<ExampleRun> {
    const run = new ExampleRun(number);
    try {
      await run.furnish(options);
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  private async furnish({ fillIn = {}, credentials = {} }: ExampleOptions): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'sonota-example-'));
    const images = {
      user1: makeUserImage({ slot: 1, size: 16_384 }),
      user2: makeUserImage({ slot: 2, size: 16_384 }),
      final: this.final,
    };
    for (const [role, bytes] of Object.entries(images)) await writeFile(join(this.folder, `${role}.bin`), bytes);
    const httpPort = await freePort();
    this.ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
    const accessPoint = await freePort();
    const flow = exampleOf(this.number);
    const isRehearsal = flow.some(({ type }) => type === 'sonota-virtual-device');
    // FinalStage of a virtual device in the flow answers where its access point was.
    const finalStage = isRehearsal ? accessPoint : await freePort();
    this.places = { accessPoint, finalStage, newFirmware: await freePort(), home: await freePort(), diyMode: await freePort() };
    const own: Record<string, Record<string, unknown>> = {
      'sonota-host': { bind: '127.0.0.1', address: '127.0.0.1', ssid: HOME.ssid, ...this.ports },
      'sonota-flash': {
        apUrl: this.url('accessPoint'),
        finalStageUrl: this.url('finalStage'),
        newFirmwareUrl: this.url('newFirmware'),
      },
      'sonota-firmware': isRehearsal ? {} : pathsOf(this.folder, Object.keys(images)),
      'sonota-provision': { url: this.url('accessPoint') },
      'sonota-finalstage-watch': { url: this.url('finalStage') },
      'sonota-new-firmware': { url: this.url('newFirmware') },
      'sonota-diy-flash': { address: this.url('diyMode') },
      'sonota-tasmota-setup': { url: this.url('newFirmware'), address: this.url('home') },
      'sonota-virtual-device': {
        apPort: String(accessPoint),
        newApPort: String(this.places.newFirmware),
        homePort: String(this.places.home),
        lanPort: String(this.places.diyMode),
      },
    };
    // The form of the node of the whole flash would fetch the recommended image from its publisher.
    const given = { id: FIRMWARE_ID, type: 'sonota-firmware', ...own['sonota-firmware'], ...fillIn['sonota-firmware'] };
    const needsFirmware = ({ type, firmware }: Flow[number]): boolean => type === 'sonota-flash' && firmware === '';
    const filled = flow.map((node) => ({
      ...node,
      ...(needsFirmware(node) && { firmware: FIRMWARE_ID }),
      ...own[node.type],
      ...fillIn[node.type],
    }));
    this.flow = flow.some(needsFirmware) ? [...filled, given] : filled;
    const secrets: NonNullable<ExampleOptions['credentials']> = {
      'sonota-host': { password: HOME.password },
      ...credentials,
    };
    this.red = await startNodeRed({
      flow: this.flow,
      credentials: Object.fromEntries(flow.map(({ id, type }) => [id, secrets[type] ?? {}])),
    });
    this.comms = await this.red.comms();
    this.startedWell();
  }

  /** Nothing is missing, and nothing is logged as a problem. */
  private startedWell(): void {
    const complaints = this.red.log.filter((line) => COMPLAINT.test(line) && !OF_THE_TEST.test(line));
    assert.deepEqual(complaints, []);
  }

  url(place: Place): string {
    return `http://127.0.0.1:${this.places[place]}`;
  }

  /** Where the new firmware of a device is found, for one that keeps running. */
  get newFirmware(): NewFirmwareServer {
    return { apAddress: '127.0.0.1', apPort: this.places.newFirmware, homePort: this.places.home };
  }

  /** Switches a device on: with its button held, or one that was set up earlier and dials this machine. */
  async device({
    isSetUp = false,
    ...options
  }: Partial<VirtualSonoffOptions> & { isSetUp?: boolean } = {}): Promise<VirtualSonoff> {
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: this.places.accessPoint,
      deviceid: '1000a1b2c3',
      homeNetwork: HOME,
      speed: 100,
      legacyPort: this.ports['legacyPort'] ?? 0,
      finalStagePort: this.places.finalStage,
      finalStageHost: { address: '127.0.0.1', port: this.ports['httpPort'] ?? 0 },
      ...(isSetUp ? { provisioned: { serverName: '127.0.0.1', port: this.ports['httpsPort'] ?? 0 } } : {}),
      ...options,
    });
    // A device whose new firmware keeps running never ends.
    this.ends.set(device, Promise.race([once(device, 'flashed').then(([end]) => end as VirtualResult), device.ended]));
    await device.start();
    return device;
  }

  /** Switches a device on that is in DIY mode, or that knows it and has its button held. */
  async deviceWithDiyMode(
    startsIn: 'access-point' | 'diy',
    more: Partial<VirtualDiyOptions> = {},
  ): Promise<VirtualDiySonoff> {
    const { accessPoint: apPort, diyMode: lanPort } = this.places;
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort, lanPort, mdns: false, deviceid: '1000a1b2c3', homeNetwork: HOME },
      ...{ startsIn, speed: 100, newFirmware: this.newFirmware, ...more },
    });
    this.ends.set(device, Promise.race([once(device, 'flashed').then(([end]) => end as VirtualResult), device.ended]));
    await device.start();
    return device;
  }

  /** Presses an Inject by its name; `message` stands in for what its form says. */
  async press(name: string, message?: Record<string, unknown>): Promise<void> {
    await this.red.inject(this.node(name).id, message);
  }

  /** Presses the button of the node of the whole flash. */
  async pressFlash(): Promise<void> {
    const node = this.flow.find(({ type }) => type === 'sonota-flash');
    const answer = await fetch(`${this.red.url}/sonota/flash/${node?.id}/press`, { method: 'POST' });
    const given = (await answer.json()) as { state: string; report?: { text: string } };
    assert.equal(given.state, 'started', `${given.report?.text}\n${this.story()}`);
  }

  /** The `which`-th message that a debug node shows, or the first that fits; fails immediately if the flow reports an error. */
  async shown(name: string, which: number | RegExp = 1): Promise<string> {
    const { id } = this.node(name);
    const late = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const all = this.comms.debugs.filter((one) => one.id === id);
      const found = typeof which === 'number' ? all[which - 1] : all.find(({ msg }) => which.test(String(msg)));
      if (found) return String(found.msg);
      const wrong = this.comms.debugs.find((one) => one.name === 'what went wrong');
      assert.equal(wrong?.msg, undefined, this.story());
      await once(this.comms, 'debug', { signal: late }).catch(() => assert.fail(`${name}: nothing\n${this.story()}`));
    }
  }

  /** Waits until a node of this type shows such a text. */
  async status(type: string, text: RegExp): Promise<void> {
    const ids = new Set(this.flow.filter((node) => node.type === type).map(({ id }) => id));
    await this.comms.status((id, status) => ids.has(id) && text.test(status.text ?? ''), LIMIT_MS);
  }

  /** The device boots its new firmware, and its flash holds every byte of it. */
  async flashed(device: AnyDevice): Promise<void> {
    const late = once(AbortSignal.timeout(LIMIT_MS), 'abort').then(() => ({ result: 'not in time' }));
    const { result } = await Promise.race([this.ends.get(device), late].flatMap((end) => end ?? []));
    assert.equal(result, 'flashed', this.story());
    const there = Buffer.from(device.flash.subarray(0, this.final.length));
    assert.ok(there.equals(this.final), 'other bytes than those of the final image');
  }

  async close(): Promise<void> {
    this.comms?.close();
    await Promise.all([...this.ends.keys()].map((device) => device.stop()));
    await this.red?.stop();
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true });
  }

  private node(name: string): Flow[number] {
    const found = this.flow.find((node) => node['name'] === name);
    assert.ok(found, `${this.number} has no node named ${name}`);
    return found;
  }

  private story(): string {
    const told = this.comms.debugs.slice(-20).map(({ name, msg }) => `${name}: ${JSON.stringify(msg)}`);
    return [
      ...told,
      ...[...this.ends.keys()].flatMap(({ log }) => ['--- a device', ...log]),
      '---',
      ...this.red.log,
    ].join('\n');
  }
}

function pathsOf(folder: string, roles: readonly string[]): Record<string, string> {
  return Object.fromEntries(roles.map((role) => [role, join(folder, `${role}.bin`)]));
}
