import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { HostSettings } from '../../lib/flash/host/host';
import { FINALSTAGE_PORT } from '../../lib/protocol/finalstage';
import { onDeployOver } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { numberOr, textOr, textOrNone } from '../shared/properties';
import { addEvidenceRoutes } from './evidence-routes';
import { addJobRoutes } from './job-routes';
import { addHostRoutes } from './routes';

interface HostDef extends NodeDef {
  bind: string;
  address: string;
  ssid: string;
  httpsPort: number | string;
  legacyPort: number | string;
  httpPort: number | string;
  finalStagePort: number | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaHost(this: Node<{ password: unknown }>, config: HostDef): void {
    RED.nodes.createNode(this, config);
    const flashHost = hosts.attach(this.id, this, settingsOf(config), ownFolder(RED));
    flashHost.log = (level, text) => (level === 'warn' ? this.warn(text) : this.log(text));
    const wifi = { ssid: textOrNone(config.ssid), password: textOrNone(this.credentials.password) };
    Object.assign(this, { flashHost, wifi } satisfies Pick<HostNode, 'flashHost' | 'wifi'>);
    this.on('close', (removed: boolean, done: () => void) => {
      hosts.detach(this.id, this, removed).then(done, done);
    });
  }

  addHostRoutes(RED);
  addEvidenceRoutes(RED);
  addJobRoutes(RED);
  onDeployOver(RED, () => void hosts.settle());
  RED.nodes.registerType('sonota-host', SonotaHost, { credentials: { password: { type: 'password' } } });
}

function settingsOf(config: HostDef): HostSettings {
  return {
    bind: textOr(config.bind, '0.0.0.0'),
    address: textOr(config.address, ''),
    httpsPort: numberOr(config.httpsPort, 8443),
    legacyPort: numberOr(config.legacyPort, 8081),
    httpPort: numberOr(config.httpPort, 8080),
    finalStagePort: numberOr(config.finalStagePort, FINALSTAGE_PORT),
  };
}
