import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { freePort } from '../flash/bench';
import { packageRoot } from '../shared/package-root';
import { startNodeRed, type Flow, type NodeRedOptions, type RunningNodeRed } from '../shared/node-red';
import { Broker, Listener } from './broker';

/** Large enough for a progress with steps in it. */
const FINAL_BYTES = 262_144;

export interface SceneOptions {
  /** The example that runs, by the beginning of its name. */
  readonly example?: string;
  /** Laid over single nodes of it, by their type. */
  readonly overrides?: Readonly<Record<string, Record<string, unknown>>>;
  readonly nodeRed?: NodeRedOptions;
}

/** A broker, a Node-RED with one of the examples, and virtual devices in their home network. */
export class Scene {
  broker!: Broker;
  listener!: Listener;
  red!: RunningNodeRed;
  private ports: Record<string, number> = {};
  private folder = '';
  private finalStagePort = 0;
  private readonly devices: VirtualSonoff[] = [];

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene();
    try {
      scene.broker = await Broker.start();
      scene.listener = await Listener.at(scene.broker.port);
      scene.red = await startNodeRed({ flow: await scene.flow(options), ...options.nodeRed });
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** An example, at this scene's broker, ports and images. */
  private async flow({ example = '30', overrides = {} }: SceneOptions): Promise<Flow> {
    this.folder = await mkdtemp(join(tmpdir(), 'sonota-home-assistant-'));
    const images = {
      user1: makeUserImage({ slot: 1, size: 65_536 }),
      user2: makeUserImage({ slot: 2, size: 65_536 }),
      final: makeFinalImage({ size: FINAL_BYTES }),
    };
    for (const [role, bytes] of Object.entries(images)) await writeFile(join(this.folder, `${role}.bin`), bytes);
    const httpPort = await freePort();
    this.ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
    this.finalStagePort = await freePort();
    const own: Record<string, Record<string, unknown>> = {
      'mqtt-broker': { broker: '127.0.0.1', port: String(this.broker.port) },
      'sonota-host': { bind: '127.0.0.1', address: '127.0.0.1', ssid: 'home', ...this.ports },
      'sonota-firmware': {
        name: 'Tasmota 15.0.1',
        ...Object.fromEntries(Object.keys(images).map((role) => [role, join(this.folder, `${role}.bin`)])),
      },
      'sonota-finalstage-watch': { url: `http://127.0.0.1:${this.finalStagePort}`, timeout: '20' },
    };
    return exampleFlow(example).map((node) => ({ ...node, ...own[node.type], ...overrides[node.type] }));
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

  /** Waits until a device stands in Home Assistant, ready to be flashed. */
  async announced(deviceid: string, from = 0): Promise<void> {
    await this.listener.heard(
      `${deviceid} at rest`,
      at(`sonota/device/${deviceid}/update`, { in_progress: false }),
      from,
    );
  }

  async install(deviceid: string): Promise<void> {
    await this.listener.say(`sonota/set/install/${deviceid}`, 'INSTALL');
  }

  /** What an update entity says now. */
  update(deviceid: string): Record<string, unknown> {
    const payload = this.listener.last(`sonota/device/${deviceid}/update`);
    assert.ok(payload, `${deviceid} has no state`);
    return JSON.parse(payload) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    await this.red?.stop();
    const closed = this.listener?.close();
    await closed?.finally(() => this.broker?.stop());
    await this.broker?.stop();
    await rm(this.folder || join(tmpdir(), 'sonota-nothing'), { recursive: true, force: true });
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

/** An example of this package, by the beginning of its name. */
export function exampleFlow(number: string): Flow {
  const folder = join(packageRoot(), 'examples');
  const names = readdirSync(folder).filter((name) => name.startsWith(`${number} - `));
  assert.equal(names.length, 1, `example ${number}`);
  return JSON.parse(readFileSync(join(folder, names[0] as string), 'utf8')) as Flow;
}
