import type { Node, NodeAPI } from 'node-red';
import type { Message } from '../../lib/flash/job/pending-message';
import { preflight, type PreflightReport } from '../../lib/preflight/preflight';
import { chooseFirmware } from '../shared/firmware-choice';
import { hosts, wifiPresence } from '../shared/hosts';
import { unlocksLocally } from '../shared/local-unlock';
import type { NodeStatus } from '../shared/status';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode } from '../shared/task-node';
import { translatePreflight } from '../shared/translate';
import { Values } from '../shared/values';

export default function register(RED: NodeAPI): void {
  function SonotaPreflight(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);
    const tasks = new TaskNode(RED, this, config, {
      // The message's own Wi-Fi and firmware count too.
      run: async ({ said, signal }): Promise<Message> => {
        const { host, status, translate } = tasks;
        const sources = chooseFirmware(RED, form.text('firmware'), said);
        status.busy(translate('status.checking', 'checking'));
        const wifi = wifiPresence(host, said);
        const options = { wifi, sources, unlocksLocally: unlocksLocally(RED, host.id), signal };
        const report = await hosts.whileListening(host.id, () => preflight(host.flashHost, options));
        show(status, report);
        return { payload: translatePreflight(RED, report) };
      },
    });
    tasks.start(() => tasks.host);
  }

  RED.nodes.registerType('sonota-preflight', SonotaPreflight);
}

/** Green, yellow or red, with the first code that is not in order. */
function show(status: NodeStatus, { checks, verdict }: PreflightReport): void {
  const first = checks.find(({ ok }) => ok === false) ?? checks.find(({ ok }) => ok === 'warn');
  if (!first) status.done();
  else if (verdict === 'not-ready') status.failed(first.code);
  else status.warned(first.code);
}
