/** The process of a real Node-RED with our nodes: every device that dials in is flashed in one hop. */

import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { once, type EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlashHost } from '../../lib/flash/host/host';
import { hosts } from '../../nodes/shared/hosts';
import { furnish, nodeRedFolder, type Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { storeTestIdentity } from '../shared/test-identity';
import { answerParent } from './child';
import { livingBytes, Probe } from './probe';

/** What it embeds. */
interface NodeRed {
  init(server: Server, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly events: EventEmitter;
  readonly httpAdmin: RequestListener;
}

const RED = createRequire(__filename)(nodeRedFolder()) as NodeRed;
const probe = new Probe();
const editors = createServer((request, response) => RED.httpAdmin(request, response));
let userDir = '';

function host(): FlashHost {
  const [known] = hosts.all();
  if (!known) throw new Error('it is not open');
  return known[1];
}

/** Both stages of a device that dials in, each wired as in example 04, with nothing that takes the progress. */
function flowOf(ports: Readonly<Record<string, string>>, final: string): Flow {
  const stage = { z: 'tab', x: 100, y: 100, name: '', host: 'host', timeout: '600' };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...ports },
    { id: 'firmware', type: 'sonota-firmware', name: '', user1: '', user2: '', final, intermediate: 'one-hop' },
    { id: 'cloud', type: 'sonota-cloud-emulator', ...stage, every: true, wires: [['upgrade'], []] },
    { id: 'upgrade', type: 'sonota-ota-serve', ...stage, firmware: 'firmware', wires: [[], []] },
  ];
}

answerParent({
  async open({ imagePath }: { imagePath: string }): Promise<{ port: number; editorUrl: string }> {
    const names = ['httpsPort', 'legacyPort', 'httpPort', 'finalStagePort'] as const;
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, String(await freePort())])));
    userDir = await mkdtemp(join(tmpdir(), 'sonota-bench-red-'));
    await mkdir(join(userDir, 'sonota'));
    await storeTestIdentity(join(userDir, 'sonota'));
    const uiPort = await freePort();
    const quiet = { logging: { console: { level: 'error', metrics: false, audit: false } } };
    const settings = await furnish(userDir, uiPort, { flow: flowOf(ports, imagePath), settings: quiet });
    RED.init(editors, { ...settings, userDir });
    const started = once(RED.events, 'flows:started');
    await RED.start();
    await Promise.all([started, new Promise<void>((resolve) => editors.listen(uiPort, '127.0.0.1', resolve))]);
    await host().open();
    return { port: Number(ports['legacyPort']), editorUrl: `http://127.0.0.1:${uiPort}` };
  },
  begin: () => probe.begin(),
  end: () => probe.end(),
  livingBytes,
  /** Ends a flash whose device is gone, as a look for the new firmware does. */
  endJobs: () => {
    for (const job of host().jobs.all()) {
      if (!job.isOpen || job.running) continue;
      job.enter('newfirmware');
      job.leave('newfirmware');
    }
  },
  async close(): Promise<number> {
    const begun = performance.now();
    await host().close({ forget: true });
    const took = performance.now() - begun;
    editors.closeAllConnections();
    editors.close();
    await RED.stop();
    await rm(userDir, { recursive: true, force: true });
    return took;
  },
});
