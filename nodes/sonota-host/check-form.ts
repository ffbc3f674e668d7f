import type { NodeAPI } from 'node-red';
import { FlashHost } from '../../lib/flash/host/host';
import { preflight, type SaidReport } from '../../lib/preflight/preflight';
import type { HostNode } from '../shared/hosts';
import { wifiPresence } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { unlocksLocally } from '../shared/local-unlock';
import { MessageValues } from '../shared/messages';
import { Values } from '../shared/values';
import { editorPortOf } from './editor-port';
import { readHostForm } from './settings';

/**
 * Checks a host as its form has it, saved or not: one that exists for as long as that takes, and keeps nothing.
 *
 * @param fields of the form as the editor has them; a password that was not typed is not among them. What the form of a
 *   host does not have is not read.
 * @param deployed the same host as it is deployed, which has the password then
 * @throws FlashError `value-invalid`, `variable-unset`; `cancelled`
 */
export async function checkForm(
  RED: NodeAPI,
  fields: Readonly<Record<string, unknown>>,
  deployed: HostNode | undefined,
  signal: AbortSignal,
): Promise<SaidReport> {
  const given = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, resolved(RED, value, deployed)]),
  );
  const { settings, wifi, radio } = readHostForm(Values.ofForm(given), editorPortOf(RED));
  if (settings.problem) throw settings.problem;
  const password = wifi.password ?? deployed?.wifi.password;
  const host = new FlashHost(settings, ownFolder(RED));
  try {
    host.radio.use(radio);
    const presence = wifiPresence({ wifi: { ...wifi, password } }, new MessageValues({}));
    // Which nodes use it is known of one that is deployed.
    const unlocks = deployed !== undefined && unlocksLocally(RED, deployed.id);
    return await preflight(host, { wifi: presence, signal, mentionsFirmware: true, unlocksLocally: unlocks });
  } finally {
    await host.close();
  }
}

/** A field may hold the name of a variable; one that is not set stays as it is, and is refused. */
function resolved(RED: NodeAPI, value: unknown, node: HostNode | undefined): unknown {
  if (typeof value !== 'string' || !/^\$\{[^}]+\}$/.test(value)) return value;
  const found: unknown = RED.util.evaluateNodeProperty(value, 'env', node as never, {});
  return typeof found === 'string' && found !== '' ? found : value;
}
