import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { HostSettings } from '../../lib/flash/host/host';
import type { WifiSettings } from '../../lib/net/wifi/choose';
import { WIFI_DRIVERS } from '../../lib/net/wifi/wifi';
import { FINALSTAGE_PORT } from '../../lib/protocol/finalstage';
import { onDeployOver } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { numberOr, textOr, textOrNone } from '../shared/properties';
import { addEvidenceRoutes } from './evidence-routes';
import { addJobRoutes } from './job-routes';
import { addHostRoutes } from './routes';
import { addWifiRoutes } from './wifi-routes';

interface HostDef extends NodeDef {
  bind: string;
  address: string;
  ssid: string;
  httpsPort: number | string;
  legacyPort: number | string;
  httpPort: number | string;
  finalStagePort: number | string;
  wifi: string;
  wifiInterface: string;
  wifiUplink: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaHost(this: Node<{ password: unknown }>, config: HostDef): void {
    RED.nodes.createNode(this, config);
    const flashHost = hosts.attach(this.id, this, settingsOf(config), ownFolder(RED));
    flashHost.log = (level, text) => (level === 'warn' ? this.warn(text) : this.log(text));
    const wifi = { ssid: textOrNone(config.ssid), password: textOrNone(this.credentials.password) };
    flashHost.radio.use(wifiSettingsOf(RED, config, wifi));
    Object.assign(this, { flashHost, wifi } satisfies Pick<HostNode, 'flashHost' | 'wifi'>);
    this.on('close', (removed: boolean, done: () => void) => {
      hosts.detach(this.id, this, removed).then(done, done);
    });
  }

  addHostRoutes(RED);
  addEvidenceRoutes(RED);
  addJobRoutes(RED);
  addWifiRoutes(RED);
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

/** Which hand joins the networks of the devices. */
function wifiSettingsOf(RED: NodeAPI, config: HostDef, { ssid, password }: HostNode['wifi']): WifiSettings {
  const { uiPort } = RED.settings as { uiPort?: number | string };
  return {
    driver: WIFI_DRIVERS.find((name) => name === config.wifi) ?? 'auto',
    interfaceName: textOr(config.wifiInterface, ''),
    allowUplink: textOr(config.wifiUplink, ''),
    editorPort: numberOr(uiPort, 1880),
    ...(ssid !== undefined && password !== undefined ? { home: { ssid, psk: password } } : {}),
  };
}
