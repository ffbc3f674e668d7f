import type { Node, NodeAPI } from 'node-red';
import { adoptFormerSetUps } from '../../lib/flash/host/former-set-ups';
import type { Message } from '../../lib/flash/job/pending-message';
import { setUpTasmota, type TasmotaSetUp } from '../../lib/tasmota/set-up';
import type { SetUpOptions } from '../../lib/tasmota/set-up-options';
import { ownFolder } from '../shared/library';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode, type Task } from '../shared/task-node';
import { Values } from '../shared/values';
import { planOf, readForm, type TasmotaForm } from './message';

export default function register(RED: NodeAPI): void {
  function SonotaTasmotaSetup(this: Node<object>, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = (): TasmotaForm => readForm(Values.ofForm(config, this.credentials));
    const tasks = new TaskNode(RED, this, config, {
      // An access point is at one address.
      oneAtATime: true,
      cancels: true,
      pendingFor: 'tasmota',
      refuse: (said) => void [said.deviceId(), planOf(tasks.host, form(), said)],
      run: async ({ said, isResumed, signal, report }: Task): Promise<Message> => {
        const { host } = tasks;
        const options: SetUpOptions = {
          ...planOf(host, form(), said),
          isResumed,
          report: (name, values, fraction) => report(name, values, { fraction }),
        };
        return { payload: await setUpTasmota(host.flashHost, options, signal) };
      },
      showEnd: ({ payload }) => {
        const [warning] = (payload as TasmotaSetUp).warnings;
        if (warning) tasks.status.warned(warning.code);
        else tasks.status.done();
      },
    });
    const folder = ownFolder(RED);
    if (tasks.hostNode && folder !== undefined) void adoptFormerSetUps(tasks.hostNode.flashHost, folder, this.id);
    tasks.start(() => {
      void tasks.host;
      form();
    });
  }

  RED.nodes.registerType('sonota-tasmota-setup', SonotaTasmotaSetup, {
    credentials: { mqttUser: { type: 'text' }, mqttPassword: { type: 'password' }, webPassword: { type: 'password' } },
  });
}
