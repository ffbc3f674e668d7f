import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../shared/package-root';
import { STAGE_NODES } from '../shared/stage-nodes';

/** Flows of single nodes, of which each has its records; the examples of the same purpose have one node for all stages. */
const FLOWS = 'test/shared/flows';
const EXAMPLES = {
  finalstage: 'examples/09 - Flash a Sonoff step by step.json',
  'one-hop': `${FLOWS}/one-hop-step-by-step.json`,
};
/** Many devices behind a queue. */
export const MANY = `${FLOWS}/many-step-by-step.json`;
/** From the access point to a Tasmota at home. */
export const SET_UP = `${FLOWS}/set-up-step-by-step.json`;

export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  wires?: string[][];
  [property: string]: unknown;
}

export interface FlowSettings {
  /** The file, from the package's folder; by default that for `intermediate`. */
  example?: string;
  /** Further settings of a user in the host's form. */
  host?: object;
  /** Further changes of a user in the flow itself. */
  change?: (nodes: FlowNode[]) => void;
  /** By type of node: properties that its form has in the lab. */
  forms?: Record<string, object>;
  ssid: string;
  password: string;
  user1: string;
  user2: string;
  final: string;
  intermediate: keyof typeof EXAMPLES;
  /** Where the recorder writes. */
  records: string;
}

/** An example as a user has filled it in, with the lab's recorders beside it, and the id of the inject node that starts it. */
export function makeFlow(settings: FlowSettings): { nodes: FlowNode[]; start: string } {
  const { intermediate, host = {}, forms = {} } = settings;
  const example = path.join(packageRoot(), settings.example ?? EXAMPLES[intermediate]);
  const nodes = JSON.parse(readFileSync(example, 'utf8')) as FlowNode[];
  settings.change?.(nodes);
  const inject = nodes.find((node) => node.type === 'inject')!;
  const { ssid, password, user1, user2, final } = settings;
  for (const node of nodes) {
    // A user's entries: nothing else of the example is touched, so that its defaults are tested.
    if (node.type === 'sonota-host') Object.assign(node, { ssid, credentials: { password }, ...host });
    Object.assign(node, forms[node.type]);
    if (node.type !== 'sonota-firmware') continue;
    Object.assign(node, intermediate === 'one-hop' ? { final } : { user1, user2, final });
  }
  inject['props'] = [...((inject['props'] as object[] | undefined) ?? []), { p: 'foreign', v: 'kept', vt: 'str' }];
  return { nodes: [...nodes, ...recorders(nodes, inject.z!, settings.records)], start: inject.id };
}

/** Functions beside the flow's own nodes that write every result, progress, error, completion and status to a file. */
function recorders(nodes: FlowNode[], z: string, filename: string): FlowNode[] {
  const added: FlowNode[] = [
    {
      id: 'lab-file',
      type: 'file',
      z,
      filename,
      filenameType: 'str',
      appendNewline: true,
      overwriteFile: 'false',
      wires: [[]],
    },
  ];
  const record = (id: string, kind: string, node: string): string => {
    const func = `return { payload: JSON.stringify({ kind: ${kind}, node: ${node}, at: Date.now(), msg }) };`;
    added.push({ id, type: 'function', z, outputs: 1, func, wires: [['lab-file']] });
    return id;
  };
  const stages = nodes.filter((node) => STAGE_NODES.includes(node.type));
  for (const stage of stages) {
    const name = JSON.stringify(stage.type.replace('sonota-', ''));
    const wires = stage.wires ?? [];
    const result = record(`lab-result-${stage.id}`, `'result'`, name);
    const progress = record(`lab-progress-${stage.id}`, `'progress'`, name);
    // A result may leave by more outputs than the first.
    const [results = [], progresses = [], ...others] = wires;
    stage.wires = [[...results, result], [...progresses, progress], ...others.map((wired) => [...wired, result])];
  }
  for (const queue of nodes.filter((node) => node.type === 'sonota-queue')) {
    const wires = queue.wires ?? [];
    queue.wires = [...wires.slice(0, 2), [...(wires[2] ?? []), record(`lab-queue-${queue.id}`, `'queue'`, `'queue'`)]];
  }
  const scope = stages.map((stage) => stage.id);
  const types = JSON.stringify(
    Object.fromEntries(stages.map((stage) => [stage.id, stage.type.replace('sonota-', '')])),
  );
  const bySource = (property: string) => `(${types})[msg.${property}.source.id] || msg.${property}.source.type`;
  const error = record('lab-on-error', `'error'`, bySource('error'));
  const status = record('lab-on-status', `'status'`, bySource('status'));
  const complete = record('lab-on-complete', `'complete'`, `''`);
  added.push({ id: 'lab-catch', type: 'catch', z, scope: null, uncaught: false, wires: [[error]] });
  added.push({ id: 'lab-status', type: 'status', z, scope, wires: [[status]] });
  added.push({ id: 'lab-complete', type: 'complete', z, scope, uncaught: false, wires: [[complete]] });
  return added;
}
