import type { Node, NodeAPI, NodeDef } from 'node-red';
import { idsInFlows, onDeployOver } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { translateLine } from '../shared/translate';
import { Values } from '../shared/values';
import { editorPortOf } from './editor-port';
import { addEvidenceRoutes } from './evidence-routes';
import { addJobRoutes } from './job-routes';
import { addHostRoutes } from './routes';
import { readHostForm } from './settings';
import { addWifiRoutes } from './wifi-routes';

export default function register(RED: NodeAPI): void {
  function SonotaHost(this: Node<{ password: unknown }>, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    const { settings, wifi, radio } = readHostForm(Values.ofForm(config, this.credentials), editorPortOf(RED));
    const flashHost = hosts.attach(this.id, this, settings, ownFolder(RED));
    flashHost.log = (level, english, said) => {
      const text = said ? translateLine(RED, said) : english;
      if (level === 'warn') this.warn(text);
      else this.log(text);
    };
    flashHost.label = () => ({ host: this.name || this.id, tab: tabsOf(RED, this.id).join(', ') || '?' });
    flashHost.radio.use(radio);
    const { problem } = settings;
    Object.assign(this, { flashHost, wifi, problem } satisfies Pick<HostNode, 'flashHost' | 'wifi' | 'problem'>);
    this.on('close', (removed: boolean, done: () => void) => {
      hosts.detach(this.id, this, removed).then(done, done);
    });
  }

  addHostRoutes(RED);
  addEvidenceRoutes(RED);
  addJobRoutes(RED);
  addWifiRoutes(RED);
  onDeployOver(RED, () => {
    const ids = idsInFlows(RED);
    void hosts.settle((id) => ids.has(id));
  });
  RED.nodes.registerType('sonota-host', SonotaHost, { credentials: { password: { type: 'password' } } });
}

/** The labels of the tabs with nodes that use a host. */
function tabsOf(RED: NodeAPI, host: string): string[] {
  const labels = new Map<string, string>();
  const used = new Set<string | undefined>();
  RED.nodes.eachNode((node) => {
    const { id, type, z, label, host: its } = node as NodeDef & { label?: string; host?: string };
    if (type === 'tab') labels.set(id, label || id);
    if (its === host) used.add(z);
  });
  return [...labels].filter(([id]) => used.has(id)).map(([, label]) => label);
}
