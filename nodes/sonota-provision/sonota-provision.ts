import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import { provision } from '../../lib/flash/stage/provision';
import { AP_URL } from '../../lib/protocol/ap';
import { homeWifi } from '../shared/hosts';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

export default function register(RED: NodeAPI): void {
  function SonotaProvision(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      stage: 'provision',
      oneAtATime: true,
      readForm: (form) => ({
        timeoutSeconds: form.seconds('timeout') ?? 600,
        url: form.httpUrl('url') ?? AP_URL,
        only: form.deviceId(),
      }),
      plan: ({ host, form: { only, ...form }, said }) => {
        const { flashHost } = host;
        const meant = said.deviceId();
        if (only !== undefined && meant !== undefined && meant !== only) throw anotherDevice(only, meant);
        const deviceid = only ?? meant;
        const options = { ...form, ...homeWifi(host, said), deviceid, force: said.flag('force') };
        return {
          deviceid,
          findJob: () => flashHost.jobs.jobFor('provision', deviceid),
          run: (context) => provision(context, flashHost, options),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-provision', SonotaProvision);
}

function anotherDevice(only: string, meant: string): FlashError {
  return new FlashError('device-unknown', { reason: `this node takes only ${only}, not ${meant}`, known: only });
}
