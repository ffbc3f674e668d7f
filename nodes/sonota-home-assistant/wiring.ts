/** Which MQTT nodes are wired to a node, as the flow's definitions tell. */

import type { NodeDef } from 'node-red';

/** The properties of a node's definition that are used here. */
export interface Definition extends NodeDef {
  readonly d?: boolean;
  readonly disabled?: boolean;
  readonly wires?: readonly (readonly string[])[];
  /** Of a link node: those at its other end. */
  readonly links?: readonly string[];
  readonly broker?: string;
  /** Of a broker: where it is. */
  readonly address?: string;
  readonly topic?: unknown;
  /** 1 where an `mqtt in` takes its topics from messages. */
  readonly inputs?: number;
}

export interface Wiring {
  /** The `mqtt out` nodes right behind the first output. */
  readonly outlets: readonly string[];
  /** Address and port of their broker; empty where there is not one. */
  readonly broker: string;
  /** The filters of the `mqtt in` nodes before the input; undefined where one of them cannot be read. */
  readonly filters: readonly string[] | undefined;
}

/** Between our output and `mqtt out`: what hands a message on as it is. */
const PASSED = ['link in', 'link out', 'junction'];

export function readWiring(definitions: readonly Definition[], nodeId: string): Wiring {
  const flow = new Flow(definitions);
  const outlets = flow.behind(nodeId).filter(({ type }) => type === 'mqtt out');
  const brokers = new Set(outlets.map((outlet) => flow.brokerOf(outlet)));
  const sources = flow.before(nodeId).filter(({ type }) => type === 'mqtt in');
  const isReadable = flow.has(nodeId) && sources.every(({ topic, inputs }) => inputs !== 1 && isPlain(topic));
  return {
    outlets: outlets.map(({ id }) => id),
    broker: brokers.size === 1 ? ([...brokers][0] as string) : '',
    filters: isReadable ? sources.map(({ topic }) => String(topic)) : undefined,
  };
}

/** The address and port of the broker of an `mqtt out` node; empty where it is not there. */
export function brokerOfOutlet(definitions: readonly Definition[], outletId: string): string {
  const flow = new Flow(definitions);
  const outlet = flow.get(outletId);
  return outlet?.type === 'mqtt out' ? flow.brokerOf(outlet) : '';
}

/** Whether everything under `topic`, itself perhaps a filter, arrives by a filter of MQTT. */
export function covers(filter: string, topic: string): boolean {
  const wanted = topic.split('/');
  const parts = filter.replace(/^\$share\/[^/]+\//, '').split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '#') return true;
    const other = wanted[index];
    if (other === undefined || other === '#' || (part !== '+' && part !== other)) return false;
  }
  return parts.length === wanted.length;
}

/** The value of an environment variable is not in the definition. */
function isPlain(topic: unknown): boolean {
  return typeof topic === 'string' && topic !== '' && !topic.includes('${');
}

class Flow {
  private readonly nodes: ReadonlyMap<string, Definition>;

  constructor(definitions: readonly Definition[]) {
    this.nodes = new Map(definitions.map((definition) => [definition.id, definition]));
  }

  has(id: string): boolean {
    return this.nodes.has(id);
  }

  get(id: string): Definition | undefined {
    const node = this.nodes.get(id);
    return node && this.isOn(node) ? node : undefined;
  }

  /** The nodes that the first output of a node reaches unchanged. */
  behind(id: string): Definition[] {
    return this.walk(this.nodes.get(id)?.wires?.[0] ?? [], (node) =>
      PASSED.includes(node.type) ? [...targetsOf(node), ...(node.type === 'link out' ? (node.links ?? []) : [])] : [],
    );
  }

  /** Everything whose messages reach a node, changed or not. */
  before(id: string): Definition[] {
    return this.walk(this.sourcesOf(id), (node) => [
      ...this.sourcesOf(node.id),
      ...(node.type === 'link in' ? (node.links ?? []) : []),
    ]);
  }

  brokerOf({ broker }: Definition): string {
    return (broker === undefined ? undefined : this.nodes.get(broker)?.address) ?? '';
  }

  private sourcesOf(id: string): string[] {
    return [...this.nodes.values()].filter((node) => targetsOf(node).includes(id)).map((node) => node.id);
  }

  private walk(from: readonly string[], next: (node: Definition) => readonly string[]): Definition[] {
    const seen = new Map<string, Definition>();
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const node = this.get(id);
      if (!node || seen.has(id)) continue;
      seen.set(id, node);
      open.push(...next(node));
    }
    return [...seen.values()];
  }

  private isOn({ d, z }: Definition): boolean {
    return d !== true && this.nodes.get(z)?.disabled !== true;
  }
}

function targetsOf({ wires = [] }: Definition): string[] {
  return wires.flat();
}
