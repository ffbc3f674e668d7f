import type { Node, NodeAPI } from 'node-red';
import type { Message } from '../../lib/flash/job/pending-message';
import { progressText, type ProgressTextName, type ProgressValues } from '../../lib/progress-texts';
import { setUpTasmota } from '../../lib/flash/tasmota/set-up';
import type { SetUpOptions } from '../../lib/flash/tasmota/set-up-options';
import type { NodeStatus } from '../shared/status';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode, type Task } from '../shared/task-node';
import { translateReport } from '../shared/translate';
import { Values } from '../shared/values';
import { planOf, readForm, type TasmotaForm } from './message';

export default function register(RED: NodeAPI): void {
  function SonotaTasmotaSetup(this: Node<object>, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = (): TasmotaForm => readForm(Values.ofForm(config, this.credentials));
    const tasks = new TaskNode(RED, this, config, {
      // An access point is at one address.
      oneAtATime: true,
      cancels: 'all',
      refuse: (said) => void planOf(tasks.host, form(), said),
      store: ({ flashHost }) => flashHost.setUps,
      run: async (task) => {
        const { said, isResumed, signal } = task;
        const { host } = tasks;
        const options = { ...planOf(host, form(), said), isResumed, report: reporter(RED, tasks.status, task) };
        const found = await setUpTasmota(host.flashHost, options, signal);
        const [warning] = found.warnings;
        if (warning) tasks.status.warned(warning.code);
        else tasks.status.done();
        return [Object.assign(said.message, { payload: found }), null];
      },
    });
    tasks.start(() => {
      void tasks.host;
      form();
    });
  }

  RED.nodes.registerType('sonota-tasmota-setup', SonotaTasmotaSetup, {
    credentials: { mqttUser: { type: 'text' }, mqttPassword: { type: 'password' }, webPassword: { type: 'password' } },
  });
}

/** Tells where the set-up is, the same thing only once. */
function reporter(RED: NodeAPI, status: NodeStatus, { said, send }: Task): SetUpOptions['report'] {
  let last = '';
  let percent = 0;
  return (name: ProgressTextName, values: ProgressValues, fraction: number) => {
    percent = Math.max(percent, Math.floor(fraction * 100));
    const report = translateReport(RED, { ...progressText(name, values), name, values, percent });
    const shown = `${report.text}\n${report.details ?? ''}`;
    if (shown === last) return;
    last = shown;
    status.running(report);
    const deviceid = said.deviceId();
    const topic = `${deviceid ?? 'unknown'}/tasmota`;
    const [_msgid, sonota] = [said.raw('_msgid'), said.raw('sonota')];
    const waiting = report.state === 'waiting';
    const { text, details } = report;
    const words = details === undefined ? { text } : { text, details };
    const progress: Message = { topic, payload: percent, ...words, waiting, deviceid, sonota };
    send([null, _msgid === undefined ? progress : { ...progress, _msgid }]);
  };
}
