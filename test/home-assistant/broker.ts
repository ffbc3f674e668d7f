import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MqttMessage } from '../../lib/home-assistant';
import { nodeRedFolder } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { tied } from '../shared/tied';
import { makeBrokerCertificates } from './broker-certificates';
import { Schemas } from './schemas';

const COMMANDS = ['mosquitto', '/usr/sbin/mosquitto'];

/** Where Mosquitto is, or undefined. */
export function mosquitto(): string | undefined {
  return COMMANDS.find((command) => spawnSync(command, ['-h']).error === undefined);
}

/** A hook of mocha: skips what follows where there is none, and prints that. */
export function needMosquitto(this: Mocha.Context): void {
  if (mosquitto()) return;
  console.log('    Skipped: there is no mosquitto on this machine.');
  this.skip();
}

/** With what a client gets in where a broker asks for it. */
export interface BrokerAccess {
  readonly username: string;
  readonly password: string;
  /** In PEM, and the file that holds it. */
  readonly ca: string;
  readonly caFile: string;
}

const USER = { username: 'home', password: 'not a secret: "ü"' };

/** A Mosquitto of its own, with nothing kept from before. */
export class Broker {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private child: ChildProcess,
    /** Of one that wants a user, a password and TLS. */
    readonly access: BrokerAccess | undefined,
  ) {}

  static async start({ isSecured = false } = {}): Promise<Broker> {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-mosquitto-'));
    const port = await freePort();
    const access = isSecured ? await secure(folder) : undefined;
    const config = [
      `listener ${port} 127.0.0.1`,
      'persistence false',
      ...(access ? secured(folder) : ['allow_anonymous true']),
    ];
    await writeFile(join(folder, CONFIG), `${config.join('\n')}\n`);
    return new Broker(port, folder, await launch(folder, port), access);
  }

  /** Ends it and starts it again: what it had kept is lost, and all connections are closed. */
  async restart(): Promise<void> {
    await this.end();
    this.child = await launch(this.folder, this.port);
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'close');
  }
}

const CONFIG = 'mosquitto.conf';

async function launch(folder: string, port: number): Promise<ChildProcess> {
  const command = mosquitto();
  assert.ok(command, 'there is no mosquitto');
  const child = spawn(...tied(command, ['-c', join(folder, CONFIG)]), { stdio: 'ignore' });
  await listens(port, child);
  return child;
}

/** Makes what a broker needs to refuse strangers. */
async function secure(folder: string): Promise<BrokerAccess> {
  const { ca, cert, key } = makeBrokerCertificates();
  const caFile = join(folder, 'ca.pem');
  for (const [name, pem] of Object.entries({ ca, cert, key })) await writeFile(join(folder, `${name}.pem`), pem);
  const { username, password } = USER;
  const made = spawnSync('mosquitto_passwd', ['-b', '-c', join(folder, 'users'), username, password]);
  assert.equal(made.status, 0, String(made.stderr));
  return { username, password, ca, caFile };
}

function secured(folder: string): string[] {
  return [
    'allow_anonymous false',
    `password_file ${join(folder, 'users')}`,
    `certfile ${join(folder, 'cert.pem')}`,
    `keyfile ${join(folder, 'key.pem')}`,
    // Started by root it would give up the right to read these files.
    'user root',
  ];
}

async function listens(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode, null, 'mosquitto ended');
    const socket = net.connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface MqttPacket {
  readonly retain: boolean;
  readonly qos: 0 | 1 | 2;
}

interface MqttClient extends EventEmitter {
  subscribeAsync(topic: string, options: object): Promise<unknown>;
  publishAsync(topic: string, payload: string, options: { qos: number; retain: boolean }): Promise<unknown>;
  endAsync(force: boolean): Promise<void>;
}

/** The client that Node-RED itself brings. */
function connect(port: number, access: BrokerAccess | undefined): MqttClient {
  const nodes = createRequire(join(nodeRedFolder(), 'package.json')).resolve('@node-red/nodes/package.json');
  const mqtt = createRequire(nodes)('mqtt') as { connect(url: string, options: object): MqttClient };
  const { username, password, ca } = access ?? {};
  const options = { reconnectPeriod: 0, protocolVersion: 5, ...(access && { username, password, ca }) };
  return mqtt.connect(`${access ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`, options);
}

const LIMIT_MS = 40_000;

/** The retained messages of a broker, by topic. */
export async function keptAt({ port, access }: Pick<Broker, 'port' | 'access'>): Promise<Map<string, string>> {
  const client = connect(port, access);
  const kept = new Map<string, string>();
  const marker = `kept/${randomUUID()}`;
  const isComplete = new Promise<void>((resolve) => {
    client.on('message', (topic: string, payload: Buffer) => {
      if (topic === marker) resolve();
      else kept.set(topic, payload.toString('utf8'));
    });
  });
  await once(client, 'connect');
  await client.subscribeAsync('#', { qos: 1 });
  await client.publishAsync(marker, '', { qos: 1, retain: false });
  await isComplete;
  await client.endAsync(true);
  return kept;
}

/** Removes what a broker keeps under the topics that match. */
export async function clearBroker({ port, access }: Broker, topics = /(?:)/): Promise<void> {
  const kept = await keptAt({ port, access });
  const client = connect(port, access);
  await once(client, 'connect');
  for (const topic of kept.keys()) {
    if (topics.test(topic)) await client.publishAsync(topic, '', { qos: 1, retain: true });
  }
  await client.endAsync(false);
}

/**
 * Receives everything at a broker. What the node publishes is checked by the schemas; a message that they refuse fails the
 * next `heard`. Publishes as Home Assistant does.
 */
export class Listener {
  readonly schemas = new Schemas();
  /** In the order in which they came; those that the broker had kept from before have `isOld`. */
  readonly messages: (MqttMessage & { isOld: boolean })[] = [];
  private readonly news = new EventEmitter().setMaxListeners(50);
  private fault: unknown;
  /** Topics of others than the node. */
  private readonly foreign = new Set<string>();
  /** Topics that are not checked, such as those of other settings. */
  passes = (topic: string): boolean => this.foreign.has(topic);

  private constructor(private readonly client: MqttClient) {}

  static async at(port: number, access?: BrokerAccess): Promise<Listener> {
    const client = connect(port, access);
    const listener = new Listener(client);
    client.on('message', (topic: string, payload: Buffer, packet: MqttPacket) => listener.note(topic, payload, packet));
    await once(client, 'connect');
    // "Retain as published" tells whether a message is to be kept, "retain handling 2" leaves out what was kept before.
    await client.subscribeAsync('#', { qos: 1, rap: true, rh: 2 });
    return listener;
  }

  /** Hands every message on, as `mqtt in` does. */
  forward(to: (message: MqttMessage) => void): void {
    this.news.on('message', () => to(this.messages.at(-1) as MqttMessage));
  }

  async say(topic: string, payload: string, retain = false): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** Keeps something at the broker that another program has put there, or removes something. */
  async others(topic: string, payload: string): Promise<void> {
    if (payload !== '') this.foreign.add(topic);
    await this.say(topic, payload, true);
  }

  /** The first message from the `from`-th on that the predicate likes. */
  async heard(what: string, wanted: (message: MqttMessage) => boolean, from = 0): Promise<MqttMessage> {
    const late = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      if (this.fault) throw this.fault as Error;
      const found = this.messages.slice(from).find(wanted);
      if (found) return found;
      try {
        await once(this.news, 'message', { signal: late });
      } catch {
        const last = this.messages.slice(-15).map(({ topic, payload }) => `${topic} ${payload.slice(0, 300)}`);
        throw new Error(`not heard: ${what}\n${last.join('\n')}`);
      }
    }
  }

  /** The last payload under a topic. */
  last(topic: string): string | undefined {
    return this.messages.findLast((message) => message.topic === topic)?.payload;
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
    if (this.fault) throw this.fault as Error;
  }

  private note(topic: string, payload: Buffer, { retain, qos }: MqttPacket): void {
    const message = { topic, payload: payload.toString('utf8'), retain, qos: qos as 0 | 1, isOld: false };
    this.messages.push(message);
    const isTold = /\/set\/|^kept\//.test(topic) || topic === 'homeassistant/status';
    try {
      if (!isTold && !this.passes(topic)) this.schemas.take(message);
    } catch (error) {
      this.fault ??= error;
    }
    this.news.emit('message');
  }
}
