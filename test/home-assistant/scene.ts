import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { exampleOf } from '../shared/examples';
import { startNodeRed, type Flow, type NodeRedOptions, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Air } from './air';
import { Broker, Listener } from './broker';

/** Large enough for a progress with steps in it. */
const FINAL_BYTES = 131_072;
/** The example's name for "new firmware". */
export const NEW_FIRMWARE = 'Tasmota 15.0.1';

/** The firmware node of an example that has none. */
const FIRMWARE_ID = 'f1a5c0de00000001';

/** Id of the node that trusts the broker's authority. */
const TLS_CONFIG = 'the-broker-tls';

/** The node of example 30 that looks around, and the one that shows what it has found. */
export const LOOK_AROUND_ID = 'd94b16e07c3a5f82';
const HOME_ASSISTANT_ID = 'd6f51e81dcf155df';

/** This machine has no Wi-Fi: with these `overrides` an inject at LOOK_AROUND_ID reports what a look would have found. */
export function looksAround(deviceids: readonly string[]): NonNullable<SceneOptions['overrides']> {
  const networks = deviceids.map((deviceid) => ({ ssid: `ITEAD-${deviceid}`, kind: 'stock', deviceid }));
  const payload = { p: 'payload', v: JSON.stringify(networks), vt: 'json' };
  return { inject: { props: [payload], wires: [[HOME_ASSISTANT_ID]] } };
}

export interface SceneOptions {
  /** The example that runs, by its number. */
  readonly number?: string;
  /** Laid over the nodes of a type. */
  readonly overrides?: Readonly<Record<string, Record<string, unknown>>>;
  /** Makes another flow of the example. */
  readonly change?: (flow: Flow) => Flow;
  /** A broker that is there already, and stays. */
  readonly broker?: Broker;
  readonly nodeRed?: Pick<NodeRedOptions, 'palettes' | 'settings'>;
  /** By the type of their node. */
  readonly credentials?: Readonly<Record<string, Record<string, string>>>;
}

/** A broker, a Node-RED with one of the examples, and virtual devices in their home network. */
export class Scene {
  broker!: Broker;
  listener!: Listener;
  red!: RunningNodeRed;
  /** As it was deployed first. */
  flow: Flow = [];
  private ownBroker: Broker | undefined;
  private ports: Record<string, number> = {};
  /** Where the access point of a new device answers. */
  private apPort = 0;
  private folder = '';
  private finalStagePort = 0;
  private readonly devices: VirtualSonoff[] = [];
  /** For devices whose networks a person joins. */
  readonly air = new Air();

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene();
    try {
      if (!options.broker) scene.ownBroker = await Broker.start();
      scene.broker = options.broker ?? (scene.ownBroker as Broker);
      scene.listener = await Listener.at(scene.broker.port, scene.broker.access);
      const flow = await scene.exampleFlow(options);
      scene.flow = flow;
      const { username: user, password } = scene.broker.access ?? {};
      const byType: SceneOptions['credentials'] = {
        ...options.credentials,
        ...(user !== undefined && { 'mqtt-broker': { user, password: String(password) } }),
      };
      const credentials = Object.fromEntries(
        flow.flatMap(({ id, type }) => {
          const own = byType?.[type];
          return own ? [[id, own]] : [];
        }),
      );
      scene.red = await startNodeRed({ flow, credentials, ...options.nodeRed });
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** An example, at this scene's broker, ports and images. */
  private async exampleFlow({ number = '30', overrides = {}, change = (flow) => flow }: SceneOptions): Promise<Flow> {
    this.folder = await mkdtemp(join(tmpdir(), 'sonota-scene-'));
    const images = {
      user1: makeUserImage({ slot: 1, size: 65_536 }),
      user2: makeUserImage({ slot: 2, size: 65_536 }),
      final: makeFinalImage({ size: FINAL_BYTES }),
    };
    for (const [role, bytes] of Object.entries(images)) await writeFile(join(this.folder, `${role}.bin`), bytes);
    const httpPort = await freePort();
    this.ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
    this.finalStagePort = await freePort();
    this.apPort = await freePort();
    const own: Record<string, Record<string, unknown>> = {
      'mqtt-broker': {
        broker: '127.0.0.1',
        port: String(this.broker.port),
        ...(this.broker.access && { usetls: true, tls: TLS_CONFIG }),
      },
      'sonota-host': { bind: '127.0.0.1', address: '127.0.0.1', ssid: 'home', ...this.ports },
      'sonota-firmware': {
        name: NEW_FIRMWARE,
        ...Object.fromEntries(Object.keys(images).map((role) => [role, join(this.folder, `${role}.bin`)])),
      },
      'sonota-flash': {
        apUrl: `http://127.0.0.1:${this.apPort}`,
        finalStageUrl: `http://127.0.0.1:${this.finalStagePort}`,
      },
    };
    const example = exampleOf(number);
    const given = { id: FIRMWARE_ID, type: 'sonota-firmware' };
    const hasFirmware = example.some(({ type }) => type === 'sonota-firmware');
    const flow = hasFirmware
      ? example
      : [...example.map((node) => (node.type === 'sonota-flash' ? { ...node, firmware: FIRMWARE_ID } : node)), given];
    const nodes = change(flow.map((node) => ({ ...node, ...own[node.type], ...overrides[node.type] })));
    const { access } = this.broker;
    if (!access) return nodes;
    return [
      ...nodes,
      { id: TLS_CONFIG, type: 'tls-config', cert: '', key: '', ca: access.caFile, verifyservercert: true },
    ];
  }

  /** A device that was set up earlier: it dials this machine as soon as it has power. */
  device(options: Partial<VirtualSonoffOptions> = {}): VirtualSonoff {
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: 0,
      deviceid: '1000a1b2c3',
      speed: 100,
      provisioned: { serverName: '127.0.0.1', port: this.ports['httpsPort'] ?? 0 },
      legacyPort: this.ports['legacyPort'] ?? 0,
      finalStagePort: this.finalStagePort,
      ...options,
    });
    this.devices.push(device);
    return device;
  }

  /** A device as it comes from the shop: it starts in its access point, which a person must join (`air`). */
  newDevice(options: Partial<VirtualSonoffOptions> = {}): VirtualSonoff {
    const device = new VirtualSonoff({
      ...{ apAddress: '127.0.0.1', apPort: this.apPort, finalStagePort: this.finalStagePort },
      ...{ deviceid: '1000a1b2c3', speed: 100, legacyPort: this.ports['legacyPort'] ?? 0, radio: this.air.radio },
      ...options,
    });
    this.devices.push(device);
    return device;
  }

  /** The port that devices dial. */
  get cloudPort(): number {
    return this.ports['httpsPort'] ?? 0;
  }

  /** Switches a device on and waits until it stands in Home Assistant, ready to be flashed. */
  async dialsIn(options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff> {
    const device = this.device(options);
    await device.start();
    const update = `sonota/device/${device.deviceid}/update`;
    await this.listener.heard(`${device.deviceid} at rest`, at(update, { in_progress: false }));
    return device;
  }

  /** Waits until a device has its session, where nothing over MQTT shows that. */
  async ready(deviceid: string): Promise<void> {
    const device = this.devices.findLast((one) => one.deviceid === deviceid);
    assert.ok(device, deviceid);
    while (device.state !== 'ready') await once(device, 'state');
  }

  /** Turns on the switch of a device and waits until the update is offered. */
  async arm(deviceid: string): Promise<void> {
    const from = this.listener.messages.length;
    await this.listener.say(`sonota/set/arm/${deviceid}`, 'ON');
    const isOffered = (message: { topic: string; payload: string }): boolean => {
      if (!at(`sonota/device/${deviceid}/update`)(message)) return false;
      const { installed_version, latest_version } = JSON.parse(message.payload) as Record<string, unknown>;
      return installed_version !== latest_version;
    };
    await this.listener.heard(`${deviceid} is offered`, isOffered, from);
  }

  /** Arms a device and installs. */
  async install(deviceid: string): Promise<void> {
    await this.arm(deviceid);
    await this.listener.say(`sonota/set/install/${deviceid}`, 'INSTALL');
  }

  /** The file of an image of this scene's firmware. */
  image(role: 'user1' | 'user2' | 'final'): string {
    return join(this.folder, `${role}.bin`);
  }

  /** The present state of an update entity. */
  update(deviceid: string): Record<string, unknown> {
    const payload = this.listener.last(`sonota/device/${deviceid}/update`);
    assert.ok(payload, `${deviceid} has no state`);
    return JSON.parse(payload) as Record<string, unknown>;
  }

  /** Ends Node-RED as a power cut does, and starts it again. */
  async restart(): Promise<void> {
    await this.red.kill();
    await this.startAgain();
  }

  /** Starts a Node-RED that was killed. */
  async startAgain(): Promise<void> {
    this.red = await startNodeRed({ goesOn: this.red });
  }

  async close(): Promise<void> {
    this.air.end();
    await Promise.all(this.devices.map((device) => device.stop()));
    try {
      await this.red?.stop();
      await this.listener?.close();
    } finally {
      await this.ownBroker?.stop();
      if (this.folder !== '') await rm(this.folder, { recursive: true, force: true });
    }
  }
}

/** Matches a message under a topic whose JSON has these values. */
export function at(topic: string, values: Record<string, unknown> = {}) {
  return (message: { topic: string; payload: string }): boolean => {
    if (message.topic !== topic || message.payload === '') return false;
    const content = JSON.parse(message.payload) as Record<string, unknown>;
    return Object.entries(values).every(([key, value]) => content[key] === value);
  };
}
