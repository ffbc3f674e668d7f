import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFlow, type FlowNode, type FlowSettings } from '../../lab/flow';
import { type FlowRecord, Records } from '../../lab/records';
import { startNodeRed, type RunningNodeRed } from '../../shared/node-red';
import { writeSmallImages } from '../../shared/small-images';
import { HOME } from '../air/home';

/** Core nodes that no scenario needs; Node-RED starts in half the time without them. */
const SETTINGS = {
  disableEditor: true,
  nodesExcludes: ['10-mqtt.js', '31-tcpin.js', '32-udp.js', '22-websocket.js', '70-XML.js', '70-HTML.js', '70-YAML.js'],
};

/** A Node-RED on this machine with an example as a user has filled it in; it can be killed and started again. */
export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'sonota-scene-'));
  readonly records = new Records(join(this.folder, 'records.jsonl'));
  readonly finalSha256: string;
  private readonly nodes: FlowNode[];
  private readonly start: string;
  private red: RunningNodeRed | undefined;

  constructor(settings: Partial<FlowSettings> = {}) {
    const { paths, finalSha256 } = writeSmallImages(this.folder);
    this.finalSha256 = finalSha256;
    const host = { wifi: 'networkmanager', wifiInterface: 'wlan0', ...settings.host };
    const own = { intermediate: 'finalstage', records: this.records.path } as const;
    const flow = makeFlow({ ...HOME, ...paths, ...own, ...settings, host });
    this.nodes = flow.nodes;
    this.start = flow.start;
  }

  /** Starts Node-RED; after a kill, with what that has left on disk. */
  async run(): Promise<void> {
    if (this.red) {
      this.red = await startNodeRed({ goesOn: this.red });
      return;
    }
    // Credentials are typed in an editor; here they are deployed with the flow, as the admin API takes them.
    this.red = await startNodeRed({ settings: SETTINGS });
    await this.red.deploy(this.nodes);
    await this.red.logged(/Started flows/, 30_000, this.red.log.findIndex((line) => /Started flows/.test(line)) + 1);
  }

  async inject(message?: Record<string, unknown>): Promise<void> {
    await this.red!.inject(this.start, message);
  }

  /** As the out-of-memory killer does it. */
  async kill(): Promise<void> {
    await this.red!.kill();
  }

  /** The result of the last stage, or the error of any. @throws Error with the story */
  async end(last: string, limitMs: number): Promise<FlowRecord> {
    return await this.find(({ kind, node }) => kind === 'error' || (kind === 'result' && node === last), limitMs);
  }

  async find(fits: (record: FlowRecord) => boolean, limitMs: number): Promise<FlowRecord> {
    return await this.records.find(fits, AbortSignal.timeout(limitMs)).catch(() => {
      throw new Error(`not within ${limitMs} ms\n${this.story()}`);
    });
  }

  story(): string {
    const lines = this.records.all.map(({ at, kind, node, msg }) => {
      const { text, error, deviceid } = msg;
      return `${new Date(at).toISOString().slice(14, 23)} ${kind} ${node} ${deviceid ?? ''} ${text ?? JSON.stringify(error ?? msg['status'] ?? '')}`;
    });
    return [...lines, '---', ...(this.red?.log.slice(-30) ?? [])].join('\n');
  }

  async close(): Promise<void> {
    await this.red?.stop();
    this.records.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
