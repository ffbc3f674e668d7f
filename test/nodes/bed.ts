import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Node, NodeAPI, NodeDef, NodeInitializer } from 'node-red';
import helper from 'node-red-node-test-helper';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import registerCloud from '../../nodes/sonota-cloud-emulator/sonota-cloud-emulator';
import registerDiscover from '../../nodes/sonota-discover/sonota-discover';
import registerDiyFlash from '../../nodes/sonota-diy-flash/sonota-diy-flash';
import registerNewFirmware from '../../nodes/sonota-new-firmware/sonota-new-firmware';
import registerFinalStage from '../../nodes/sonota-finalstage-watch/sonota-finalstage-watch';
import registerFlash from '../../nodes/sonota-flash/sonota-flash';
import registerFirmware from '../../nodes/sonota-firmware/sonota-firmware';
import registerHomeAssistant from '../../nodes/sonota-home-assistant/sonota-home-assistant';
import registerHost from '../../nodes/sonota-host/sonota-host';
import registerUpgrade from '../../nodes/sonota-ota-serve/sonota-ota-serve';
import registerDoctor from '../../nodes/sonota-image-doctor/sonota-image-doctor';
import registerPreflight from '../../nodes/sonota-preflight/sonota-preflight';
import registerProvision from '../../nodes/sonota-provision/sonota-provision';
import registerQueue from '../../nodes/sonota-queue/sonota-queue';
import registerWifi from '../../nodes/sonota-wifi/sonota-wifi';
import registerTasmota from '../../nodes/sonota-tasmota-setup/sonota-tasmota-setup';
import registerVirtual from '../../nodes/sonota-virtual-device/sonota-virtual-device';
import { ownFolder } from '../../nodes/shared/library';
import { nodeRedFolder, type Flow } from '../shared/node-red';
import { ownMdnsPort } from '../shared/own-mdns';
import { packageRoot } from '../shared/package-root';
import { freePort } from '../shared/ports';
import { processFolder } from '../shared/process-folder';
import { storeTestIdentity } from '../shared/test-identity';

/** What a node put out, called done with, or was caught with. */
export type Msg = Record<string, unknown> & {
  payload?: unknown;
  sonota?: Record<string, unknown>;
  error?: CaughtError;
};

interface CaughtError {
  message: string;
  code?: string;
  source: { id: string };
}

export interface Shown {
  fill: string;
  shape: string;
  text: string;
}

interface Happening {
  node: string;
  msg: Msg;
}

const userDirs = processFolder('nodes');

/** A user folder in which no earlier test has left anything, with the TLS identity of all tests. */
async function newUserDir(): Promise<string> {
  const own = join(await mkdtemp(join(userDirs, 'bed-')), 'sonota');
  await mkdir(own);
  await storeTestIdentity(own);
  return dirname(own);
}

const NODES: NodeInitializer[] = [
  registerHost,
  registerFirmware,
  registerFlash,
  registerPreflight,
  registerProvision,
  registerCloud,
  registerUpgrade,
  registerFinalStage,
  registerDiscover,
  registerDiyFlash,
  registerNewFirmware,
  registerQueue,
  registerTasmota,
  registerVirtual,
  registerHomeAssistant,
  registerWifi,
  registerDoctor,
];

/** A flow in a Node-RED runtime, and all of its events, over all of its redeploys. */
export class Bed {
  readonly statuses: { id: string; status: Shown }[] = [];
  /** What arrived at each sink node, by its id. */
  readonly arrived: Happening[] = [];
  /** Each call of done, with the node that called it. */
  readonly done: { node: string; error: unknown; msg: Msg }[] = [];
  private readonly news = new EventEmitter().setMaxListeners(50);
  readonly devices: VirtualSonoff[] = [];
  /** What nodes have looked up of their own texts that is not there, or has a place that they do not fill. */
  private readonly missingTexts = new Set<string>();
  /** The runtime's API, as nodes have it. */
  RED: NodeAPI | undefined;

  /**
   * @param furnish fills this package's own folder first, as an earlier run of Node-RED left it
   * @param translate looks texts up in a catalogue; without it each is its own key
   */
  static async load(
    flow: Flow,
    credentials: Record<string, Record<string, string>> = {},
    furnish: (folder: string) => Promise<void> = async () => undefined,
    translate?: NodeAPI['_'],
  ): Promise<Bed> {
    helper.init(require.resolve(nodeRedFolder()));
    await ownMdnsPort();
    const userDir = await newUserDir();
    await furnish(join(userDir, 'sonota'));
    helper.settings({ userDir });
    const bed = new Bed();
    const links = ofNodeRed('@node-red/nodes/core/common/60-link.js') as NodeInitializer;
    const speak = (RED: NodeAPI): void => noteTexts(RED, bed.missingTexts, translate);
    await helper.load([speak, ...NODES, links, (RED: NodeAPI) => bed.register(RED)], flow as never, credentials);
    return bed;
  }

  /** This package's own folder. */
  get folder(): string {
    const folder = this.RED && ownFolder(this.RED);
    assert.ok(folder);
    return folder;
  }

  /** Deploys another flow, or the same one again. */
  async deploy(flow: Flow, type: 'full' | 'nodes' | 'flows' = 'full'): Promise<void> {
    const started = once(this.RED?.events ?? this.news, 'flows:started');
    await helper.setFlows(flow as never, type, this.credentials).catch((error: Error) => {
      // It waits for the start for at most 300 ms.
      if (error.message !== 'timeout waiting event') throw error;
    });
    await started;
  }
  credentials: Record<string, Record<string, string>> = {};

  async unload(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    hooks().remove('*.bed');
    this.RED?.events.off('node-status', this.onStatus);
    await helper.unload();
    // It remembers every line that was logged, each with the frames of its caller, and so with all of the flow.
    helper.log().resetHistory();
    const missing = [...this.missingTexts];
    this.missingTexts.clear();
    assert.deepEqual(missing, [], 'each text of a node is in its catalogue');
  }

  node(id: string): Node {
    const node = helper.getNode(id) as Node | null;
    assert.ok(node, `there is no node ${id}`);
    return node;
  }

  /** Sends a node a message, as a wire does. */
  send(id: string, message: Record<string, unknown> = {}): void {
    this.node(id).receive(message);
  }

  /** The first message at a sink, past ones included, that the predicate likes. */
  async at(sink: string, wanted: (msg: Msg) => boolean = () => true): Promise<Msg> {
    return this.find(() => this.arrived.find(({ node, msg }) => node === sink && wanted(msg))?.msg);
  }

  messages(sink: string): Msg[] {
    return this.arrived.filter(({ node }) => node === sink).map(({ msg }) => msg);
  }

  /** The status under a node now. */
  shown(id: string): Shown | undefined {
    return this.statuses.findLast((one) => one.id === id)?.status;
  }

  /** The first status of a node after the `from`-th, past ones included, that the predicate likes. */
  async status(id: string, wanted: (status: Shown) => boolean, from = 0): Promise<Shown> {
    return this.find(() => this.statuses.slice(from).find((one) => one.id === id && wanted(one.status))?.status);
  }

  /** Waits until a node has called done so often. */
  async doneBy(id: string, times = 1): Promise<unknown[]> {
    return this.find(() => {
      const calls = this.done.filter(({ node }) => node === id);
      return calls.length >= times ? calls.map(({ error }) => error) : undefined;
    });
  }

  /** The error of the first done that a node has called for a message that the predicate likes; undefined for none. */
  async outcome(wanted: (msg: Msg) => boolean): Promise<unknown> {
    const { error } = await this.find(() => this.done.find(({ msg }) => wanted(msg)));
    return error ?? undefined;
  }

  /** A virtual device a hundred times as fast as a real one, switched off when the flow is unloaded. */
  device(options: Partial<VirtualSonoffOptions>): VirtualSonoff {
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: 0,
      deviceid: '1000a1b2c3',
      speed: 100,
      ...options,
    });
    this.devices.push(device);
    return device;
  }

  private register(RED: NodeAPI): void {
    this.RED = RED;
    const { news, arrived, done } = this;
    RED.nodes.registerType('sink', function (this: Node, config: NodeDef) {
      RED.nodes.createNode(this, config);
      this.on('input', (msg, _send, finished) => {
        arrived.push({ node: config.id, msg: msg });
        news.emit('news');
        finished();
      });
    });
    // Its close takes until it is let go: a redeploy is held in the middle.
    RED.nodes.registerType('slow-closer', function (this: Node, config: NodeDef) {
      RED.nodes.createNode(this, config);
      this.on('close', (finished: () => void) => {
        if (!news.emit('closing', finished)) finished();
      });
    });
    hooks().add('onComplete.bed', (event) => {
      done.push({ node: event.node.id, error: event.error, msg: event.msg });
      news.emit('news');
    });
    RED.events.on('node-status', this.onStatus);
  }

  /** Resolves in the middle of the next deploy, when the slow closer is to close; call the result to continue. */
  async closing(): Promise<() => void> {
    const [finish] = (await once(this.news, 'closing')) as [() => void];
    return finish;
  }

  private readonly onStatus = ({ id, status }: { id: string; status: Shown }): void => {
    this.statuses.push({ id, status });
    this.news.emit('news');
  };

  private async find<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await once(this.news, 'news');
    }
  }
}

/** What looked texts up before it was noted: the API is the same object in every flow of this process. */
const unnoted = new WeakMap<NodeAPI['_'], NodeAPI['_']>();

/** Adds to `missing` what nodes look up of their own texts that is not there, or has a place that they do not fill. */
function noteTexts(RED: NodeAPI, missing: Set<string>, translate: NodeAPI['_'] | undefined): void {
  const lookUp = translate ?? unnoted.get(RED._) ?? RED._;
  const noting = (key: string, values: Record<string, unknown> = {}): string => {
    const [type = ''] = key.split('.');
    const text = type.startsWith('sonota-') ? ownText(type, key) : '';
    const places = [...(text ?? '').matchAll(/__(\w+?)__/g)].map(([, name = '']) => name);
    if (text === undefined || places.some((name) => values[name] === undefined)) {
      missing.add(`${key} ${JSON.stringify(values)}`);
    }
    return lookUp(key, values as never);
  };
  unnoted.set(noting, lookUp);
  Object.assign(RED, { _: noting });
}

type Catalogue = { readonly [key: string]: string | Catalogue };
const catalogues = new Map<string, Catalogue>();

/** A text of a node's English catalogue. */
function ownText(type: string, key: string): string | undefined {
  const path = join(packageRoot(), 'nodes', type, 'locales', 'en-US', `${type}.json`);
  const catalogue = catalogues.get(type) ?? (JSON.parse(readFileSync(path, 'utf8')) as Catalogue);
  catalogues.set(type, catalogue);
  const found = key.split('.').reduce<Catalogue | string | undefined>((at, name) => {
    return typeof at === 'object' ? at[name] : undefined;
  }, catalogue);
  return typeof found === 'string' ? found : undefined;
}

interface Hooks {
  add(name: string, hook: (event: { node: { id: string }; error?: unknown; msg: Msg }) => void): void;
  remove(name: string): void;
}

/** Node-RED's hooks; the helper's API does not pass them on. */
function hooks(): Hooks {
  return (ofNodeRed('@node-red/util') as { hooks: Hooks }).hooks;
}

/** A module of the Node-RED under test. */
export function ofNodeRed(module: string): unknown {
  return createRequire(join(nodeRedFolder(), 'package.json'))(module);
}

export interface Ports {
  httpsPort: number;
  legacyPort: number;
  httpPort: number;
  finalStagePort: number;
}

export async function freePorts(): Promise<Ports> {
  const httpPort = await freePort();
  return { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
}

/** Numbers as a form stores them. */
function asForm(ports: Partial<Ports>): Record<string, string> {
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
}

type Overrides = Record<string, Record<string, unknown>>;

/**
 * The whole road on one tab: each stage's result goes to the next and to `<stage>-out`, its progress to
 * `<stage>-progress`; Catch goes to `caught`. `overrides` change single nodes by their id.
 */
export function road(ports: Partial<Ports>, overrides: Overrides = {}): Flow {
  const stage = (id: string, type: string, next: string[], more: object = {}): Flow[number] => ({
    id,
    z: 'tab',
    type,
    name: '',
    host: 'host',
    // No test comes to it.
    timeout: '600',
    wires: [[`${id}-out`, ...next], [`${id}-progress`]],
    ...more,
  });
  const sink = (id: string): Flow[number] => ({ id, z: 'tab', type: 'sink', wires: [] });
  const stages = ['provision', 'cloud', 'upgrade', 'finalstage'];
  const nodes: Flow = [
    { id: 'tab', type: 'tab', label: 'road' },
    { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...asForm(ports) },
    {
      id: 'firmware',
      type: 'sonota-firmware',
      name: 'made up',
      user1: 'rehearsal:',
      user2: 'rehearsal:',
      final: 'rehearsal:',
    },
    stage('provision', 'sonota-provision', ['cloud'], { url: '' }),
    stage('cloud', 'sonota-cloud-emulator', ['upgrade'], { every: false }),
    stage('upgrade', 'sonota-ota-serve', ['finalstage'], { firmware: 'firmware' }),
    stage('finalstage', 'sonota-finalstage-watch', [], { firmware: '', url: '' }),
    ...stages.flatMap((id) => [sink(`${id}-out`), sink(`${id}-progress`)]),
    { id: 'catch', z: 'tab', type: 'catch', scope: null, uncaught: false, wires: [['caught']] },
    sink('caught'),
    { id: 'slow', z: 'tab', type: 'slow-closer', wires: [] },
  ];
  // A node without a place on the tab would be taken for a config node.
  const placed = nodes.map((node) => ('wires' in node ? { x: 100, y: 100, ...node } : node));
  return placed.map((node) => ({ ...node, ...overrides[node.id] }));
}

/** A flow without one of its nodes. */
export function without(flow: Flow, ...ids: string[]): Flow {
  return flow.filter(({ id }) => !ids.includes(id));
}
