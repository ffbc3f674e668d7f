import { EventEmitter, once } from 'node:events';
import type { RemoteInfo } from 'node:dgram';
import type { Answer, Question } from 'dns-packet';
import multicastDns from 'multicast-dns';

export const LOOPBACK = { address: '127.0.0.1', netmask: '255.0.0.0' };
export const TYPE = '_ewelink._tcp.local';

/**
 * A device that announces itself as hardware does: each question is answered with its own record alone, a packet of
 * several with none (docs/dev/diy-mode.md#2.5). By default on the loopback.
 */
export class Announcer extends EventEmitter<{ question: [question: Question, from: RemoteInfo] }> {
  readonly questions: string[] = [];
  /** What it answers, whatever is asked for in between. */
  records: Answer[];
  /** How many questions of a type it misses. */
  readonly deaf = new Map<string, number>();
  readonly #mdns: multicastDns.MulticastDNS;

  constructor(
    readonly port: number,
    readonly deviceid: string,
    { address = '127.0.0.1', own = '127.0.0.1', ttl = 120, servicePort = 8081 } = {},
  ) {
    super();
    // `address` is what it tells, `own` where it is.
    this.#mdns = multicastDns({ interface: own, bind: '0.0.0.0', port });
    const [name, host] = [`eWeLink_${deviceid}.${TYPE}`, `eWeLink_${deviceid}.local`];
    this.records = [
      { name: TYPE, type: 'PTR', ttl, data: name },
      { name, type: 'SRV', ttl, data: { target: host, port: servicePort } },
      { name, type: 'TXT', ttl, data: [`id=${deviceid}`, 'type=diy_plug', 'seq=1'].map((text) => Buffer.from(text)) },
      { name: host, type: 'A', ttl, data: address },
    ];
    this.#mdns.on('query', ({ questions = [] }, from) => {
      const [question] = questions;
      if (question === undefined || questions.length !== 1) return;
      this.#answer(question);
      this.emit('question', question, from);
    });
  }

  async ready(): Promise<this> {
    await once(this.#mdns, 'ready');
    return this;
  }

  /** Unasked. */
  announce(records: readonly Answer[] = this.records): void {
    this.#mdns.respond([...records]);
  }

  record(type: Answer['type']): Answer {
    return this.records.find((record) => record.type === type)!;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#mdns.destroy(resolve));
  }

  #answer({ name, type }: Question): void {
    const answers = this.records.filter((one) => one.type === type && one.name.toLowerCase() === name.toLowerCase());
    if (name === TYPE || name.includes(this.deviceid)) this.questions.push(type);
    const deaf = this.deaf.get(type) ?? 0;
    if (deaf > 0) this.deaf.set(type, deaf - 1);
    else if (answers.length > 0) this.announce(answers);
  }
}
