import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import {
  VirtualSonoff,
  type VirtualResult,
  type VirtualSonoffOptions,
  type VirtualState,
} from '../../lib/virtual/virtual-sonoff';
import { type CommsClient } from '../shared/comms';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Air } from './air';

const HOME = { ssid: 'home', password: 'top secret' };
const FACTORY_KEY = '5f0a9c1e-7b1d-4d0e-9a51-2f6f1f8d3c77';
const FLOW_SECRET = 'a secret of mine';
const STAGES = ['provision', 'cloud', 'upgrade', 'finalstage'];
/** A loaded machine takes its time to start Node-RED. */
const LIMIT_MS = 30_000;

export interface SceneOptions extends Partial<VirtualSonoffOptions> {
  /** Bytes of the intermediate images and of the final one; small ones where a download is paced. */
  userBytes?: number;
  finalBytes?: number;
  /** Without FinalStage: the last node looks for the new firmware. */
  oneHop?: boolean;
}

/** A Node-RED that can be killed and started again, and a device that keeps running in this process. */
export class Scene extends EventEmitter {
  readonly deviceid = '1000a1b2c3';
  red!: RunningNodeRed;
  comms!: CommsClient;
  device!: VirtualSonoff;
  air!: Air;
  private folder = '';
  private final: Buffer = Buffer.alloc(0);
  private flow: Flow = [];
  private killing: Promise<void> | undefined;
  /** How it went for the device: when its new firmware boots, or it ends otherwise. */
  private outcome!: Promise<VirtualResult>;

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene();
    try {
      await scene.furnish(options);
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  private async furnish(given: SceneOptions): Promise<void> {
    const { userBytes = 16_384, finalBytes = 32_768, oneHop = false, ...options } = given;
    this.folder = await mkdtemp(join(tmpdir(), 'sonota-survive-'));
    const images = {
      user1: makeUserImage({ slot: 1, size: userBytes }),
      user2: makeUserImage({ slot: 2, size: userBytes }),
      final: makeFinalImage({ size: finalBytes, redundancy: 0.3, text: 'Theo Arends' }),
    };
    this.final = images.final;
    for (const [role, bytes] of Object.entries(images)) await writeFile(join(this.folder, `${role}.bin`), bytes);
    const httpPort = await freePort();
    const ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort, finalStagePort: httpPort };
    const [apPort, finalStagePort] = [await freePort(), await freePort()];
    this.air = new Air({ host: '127.0.0.1', port: httpPort });
    const airPort = await this.air.open();
    this.flow = flowOf(this.folder, ports, apPort, finalStagePort, oneHop);
    this.red = await startNodeRed({
      flow: this.flow,
      credentials: { host: { password: HOME.password } },
    });
    this.comms = await this.red.comms();
    this.device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort,
      deviceid: this.deviceid,
      apikey: FACTORY_KEY,
      homeNetwork: HOME,
      speed: 100,
      legacyPort: ports.legacyPort,
      finalStagePort,
      finalStageHost: { address: '127.0.0.1', port: airPort },
      newFirmware: { apAddress: '127.0.0.1', apPort: finalStagePort, homePort: 0 },
      ...options,
    });
    this.outcome = new Promise((resolve) => {
      this.device.once('flashed', resolve);
      void this.device.ended.then(resolve);
    });
  }

  /** Presses the button, with a foreign property that must come out at the other end. */
  async inject(): Promise<void> {
    await this.red.inject('start', { mine: 'kept', apikey: FLOW_SECRET });
  }

  /**
   * Kills Node-RED: nothing of it runs any more when this returns. Later calls do nothing.
   * @param options `systemSends`: what Node-RED has handed to the system still arrives, as it does on a real machine
   */
  kill({ systemSends = false } = {}): void {
    if (this.killing) return;
    this.killing = this.red.kill().then(() => (systemSends ? this.air.letGo() : undefined));
    if (!systemSends) this.air.cut();
    this.emit('killed');
  }

  /** Resolves when Node-RED has been killed; fails when it never is. */
  async killed(): Promise<void> {
    if (!this.killing) await this.within('killed', new Promise<void>((resolve) => this.once('killed', resolve)));
    await this.killing;
    this.comms.close();
  }

  async restart(): Promise<void> {
    this.red = await startNodeRed({ goesOn: this.red });
    this.comms = await this.red.comms();
  }

  killAtState(state: VirtualState, times = 1): void {
    let seen = 0;
    this.device.on('state', (entered: VirtualState) => entered === state && ++seen === times && this.kill());
  }

  killAtLog(pattern: RegExp): void {
    this.device.on('log', (line: string) => pattern.test(line) && this.kill());
  }

  killAtStatus(node: string, wanted: (text: string) => boolean): void {
    void this.comms
      .status((id, { text = '' }) => id === node && wanted(text), LIMIT_MS)
      .then(
        () => this.kill(),
        () => undefined,
      );
  }

  /** Waits until a node of the present Node-RED shows this. */
  async shows(node: string, pattern: RegExp): Promise<void> {
    const shown = ({ fill, shape, text }: Record<string, string>): string => `${fill} ${shape} ${text}`;
    await this.comms.status((id, status) => id === node && pattern.test(shown({ ...status })), LIMIT_MS);
  }

  /** The device ends with the final image in its flash, every byte of it. */
  async flashed(): Promise<void> {
    const { result, log } = await this.within('flashed', this.outcome);
    assert.equal(result, 'flashed', log.join('\n'));
    assert.ok(this.holdsFinal(), 'other bytes than those of the final image');
  }

  holdsFinal(): boolean {
    return Buffer.from(this.device.flash.subarray(0, this.final.length)).equals(this.final);
  }

  /** The message came out of the last node, with what it came in with. */
  async done(): Promise<void> {
    const seen = (): unknown => this.comms.debugs.find(({ id }) => id === 'result')?.msg;
    while (seen() === undefined) {
      await this.within('a result', new Promise<void>((resolve) => this.comms.once('debug', () => resolve())));
    }
    const message = JSON.parse(String(seen())) as Record<string, unknown>;
    assert.equal(message['mine'], 'kept');
    assert.equal(message['deviceid'], this.deviceid);
    assert.equal(message['stage'], 'done');
    assert.equal(message['percent'], 100);
  }

  /** How often the device got the upgrade. */
  get upgrades(): number {
    return this.device.log.filter((line) => line === 'told to upgrade').length;
  }

  /** The files of the jobs: readable for no other user, and without a secret. */
  async holdsNoSecret(): Promise<void> {
    const folder = join(this.red.userDir, 'sonota', 'jobs');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const { mode } = await stat(path);
      if (name.endsWith('.images')) continue;
      assert.equal(mode & 0o777, 0o600, name);
      const text = await readFile(path, 'utf8');
      for (const secret of [HOME.password, FLOW_SECRET, FACTORY_KEY]) assert.ok(!text.includes(secret), text);
    }
  }

  async close(): Promise<void> {
    this.comms?.close();
    await this.device?.stop();
    await this.air?.close();
    await this.red?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async within<T>(what: string, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const { log = [] } = this.device ?? {};
        reject(new Error(`${what}: not in time\n${log.join('\n')}\n---\n${this.red.log.join('\n')}`));
      }, LIMIT_MS);
    });
    return await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}

function flowOf(
  folder: string,
  ports: Record<string, number>,
  apPort: number,
  finalStagePort: number,
  oneHop: boolean,
): Flow {
  const last = `http://127.0.0.1:${finalStagePort}`;
  const stage = (index: number, type: string, more: object): Flow[number] => ({
    id: STAGES[index]!,
    z: 'tab',
    type,
    name: '',
    host: 'host',
    timeout: '60',
    wires: [[STAGES[index + 1] ?? 'json'], []],
    ...more,
  });
  return [
    { id: 'tab', type: 'tab', label: 'survive' },
    { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: HOME.ssid, ...ports },
    {
      id: 'firmware',
      type: 'sonota-firmware',
      name: '',
      ...Object.fromEntries(['user1', 'user2', 'final'].map((role) => [role, join(folder, `${role}.bin`)])),
      intermediate: oneHop ? 'one-hop' : '',
    },
    { id: 'start', z: 'tab', type: 'inject', name: '', props: [], wires: [['provision']] },
    stage(0, 'sonota-provision', { url: `http://127.0.0.1:${apPort}` }),
    stage(1, 'sonota-cloud-emulator', { every: false }),
    stage(2, 'sonota-ota-serve', { firmware: 'firmware' }),
    oneHop
      ? stage(3, 'sonota-new-firmware', { url: last })
      : stage(3, 'sonota-finalstage-watch', { firmware: '', url: last }),
    {
      id: 'json',
      z: 'tab',
      type: 'function',
      name: '',
      func: 'const { mine, deviceid, sonota } = msg; return { payload: JSON.stringify({ mine, deviceid, ...sonota, stages: 0 }) };',
      outputs: 1,
      wires: [['result']],
    },
    { id: 'result', z: 'tab', type: 'debug', name: '', active: true, tosidebar: true, complete: 'payload', wires: [] },
  ];
}
