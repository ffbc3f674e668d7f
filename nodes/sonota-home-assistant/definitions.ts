import type { NodeAPI, NodeDef } from 'node-red';
import { Values } from '../shared/values';
import type { Definition } from './wiring';

/** Everything that is deployed, as its forms say. */
export function definitionsOf(RED: NodeAPI): Definition[] {
  const definitions: Definition[] = [];
  RED.nodes.eachNode((definition: NodeDef) => void definitions.push({ ...definition, ...addressOf(definition) }));
  return definitions;
}

/** Tells one broker from another: what an environment variable in it stands for is of no matter. */
function addressOf(definition: NodeDef): Pick<Definition, 'address'> {
  if (definition.type !== 'mqtt-broker') return {};
  const form = Values.ofForm(definition);
  return { address: `${String(form.raw('broker'))}:${String(form.raw('port'))}` };
}
