import type { Node, NodeAPI } from 'node-red';
import { provision } from '../../lib/flash/stage/provision';
import { AP_URL } from '../../lib/protocol/ap';
import { deviceOf } from '../shared/messages';
import { httpUrlOr, numberOr, textOrNone } from '../shared/properties';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

interface ProvisionDef extends StageNodeDef {
  url: string;
  timeout: number | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaProvision(this: Node, config: ProvisionDef): void {
    RED.nodes.createNode(this, config);
    const timeoutSeconds = numberOr(config.timeout, 600);
    new StageNode(RED, this, config, {
      stage: 'provision',
      oneAtATime: true,
      plan: ({ flashHost, wifi }, message, password) => {
        const deviceid = deviceOf(message);
        const options = {
          url: httpUrlOr(config.url, AP_URL),
          timeoutSeconds,
          deviceid,
          ssid: wifi.ssid ?? textOrNone(message['ssid']),
          password: wifi.password ?? password,
        };
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
