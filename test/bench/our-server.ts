/** The process of a Node-RED with our nodes: every device that dials in is flashed in one hop. */

import helper from 'node-red-node-test-helper';
import type { FlashHost } from '../../lib/flash/host/host';
import { Bed, freePorts, road, without } from '../nodes/bed';
import { answerParent } from './child';
import { livingBytes, Probe } from './probe';

const probe = new Probe();
let bed: Bed | undefined;

function hostOf(of: Bed | undefined): FlashHost {
  if (!of) throw new Error('it is not open');
  return (of.node('host') as unknown as { flashHost: FlashHost }).flashHost;
}

answerParent({
  async open({ imagePath }: { imagePath: string }): Promise<{ port: number }> {
    const ports = await freePorts();
    const flow = road(ports, {
      cloud: { every: true, wires: [['upgrade'], []] },
      firmware: { user1: '', user2: '', final: imagePath, intermediate: 'one-hop' },
      upgrade: { wires: [[], []] },
    });
    bed = await Bed.load(without(flow, 'provision', 'finalstage', 'slow', 'catch'));
    removeSpies(bed);
    await hostOf(bed).open();
    return { port: ports.legacyPort };
  },
  begin: () => probe.begin(),
  end: () => probe.end(),
  livingBytes: async () => {
    forget();
    return await livingBytes();
  },
  /** What a look for the new firmware does with a flash whose device is not there any more. */
  endJobs: () => {
    for (const job of hostOf(bed).jobs.all()) {
      if (!job.isOpen || job.running) continue;
      job.enter('newfirmware');
      job.leave('newfirmware');
    }
  },
  async close(): Promise<number> {
    const host = hostOf(bed);
    const begun = performance.now();
    await host.close({ forget: true });
    const took = performance.now() - begun;
    await bed?.unload();
    return took;
  },
});

/** The helper keeps every call of every node, with all that it refers to: no Node-RED of a user does. */
function removeSpies(of: Bed): void {
  (helper as unknown as { _sandbox: { restore(): void } })._sandbox.restore();
  for (const id of ['cloud', 'upgrade']) {
    const node = of.node(id) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === 'function' && 'callCount' in value) delete node[name];
    }
  }
}

/** What the bed itself has kept of the run is no part of what is measured. */
function forget(): void {
  bed?.statuses.splice(0);
  bed?.arrived.splice(0);
  bed?.done.splice(0);
}
