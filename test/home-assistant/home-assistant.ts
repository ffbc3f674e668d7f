import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { freePort } from '../shared/ports';

/** What scripts/home-assistant/place.mjs has found or made. */
type Place = { command: string[]; root: string; version: string } | { skip: string };

export function place(): Place {
  const told = process.env['SONOTA_HOME_ASSISTANT'];
  return told === undefined ? { skip: 'npm run test:home-assistant installs it' } : (JSON.parse(told) as Place);
}

/** The first start compiles everything that Home Assistant is made of. */
const START_LIMIT_MS = 180_000;
const LIMIT_MS = 90_000;
/** Its voice assistant's ears, which pip would have to compile and nobody needs here; without them it lists no actions. */
const EARS = { 'pymicro_vad.py': 'class MicroVad: ...\n', 'pyspeex_noise.py': 'class AudioProcessor: ...\n' };
const OWNER = { name: 'Test', username: 'test', password: 'not a secret', language: 'en' };

export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
}

interface Answer {
  id: number;
  type: string;
  success?: boolean;
  result?: unknown;
  error?: { message: string };
  event?: { event_type: string; data: { entity_id?: string; new_state?: EntityState | null } };
}

/** A Home Assistant of its own, set up as a person does it: an owner, and the MQTT integration. */
export class HomeAssistant {
  /** Every state of every entity, in the order in which they came. */
  readonly states: EntityState[] = [];
  readonly log: string[] = [];
  token = '';
  /** Where the present test begins in `states`. */
  private since = 0;
  private readonly news = new EventEmitter().setMaxListeners(100);
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private socket: WebSocket | undefined;
  private lastId = 0;

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private child: ChildProcess,
    private readonly launch: () => ChildProcess,
  ) {}

  /** @param files of its configuration, by their names */
  static async start(brokerPort: number, files: Record<string, string>): Promise<HomeAssistant> {
    const where = place();
    assert.ok('command' in where, 'there is no Home Assistant');
    const port = await freePort();
    const base = where.root === '' ? tmpdir() : join(where.root, 'tmp');
    await mkdir(base, { recursive: true });
    const folder = await mkdtemp(join(base, 'sonota-home-assistant-'));
    for (const [name, content] of Object.entries({ ...files, ...EARS })) {
      await writeFile(join(folder, name), content.replaceAll('{{HTTP_PORT}}', String(port)));
    }
    const [command = '', ...args] = where.command;
    const inside = folder.slice(where.root.length);
    const launch = (): ChildProcess =>
      spawn(command, [...args, '--config', inside, '--skip-pip'], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, PYTHONPATH: inside },
      });
    const ha = new HomeAssistant(`http://127.0.0.1:${port}`, folder, launch(), launch);
    try {
      ha.listenToLog();
      await ha.answers();
      await ha.onboard();
      await ha.open();
      await ha.addBroker(brokerPort);
      return ha;
    } catch (error) {
      await ha.stop();
      throw new Error(`${String(error)}\n${ha.log.slice(-60).join('\n')}`, { cause: error });
    }
  }

  /** Waits until an entity is as wanted; `from` is a number of `states` before which nothing counts. */
  async state(entityId: string, wanted: (state: EntityState) => boolean, from = this.since): Promise<EntityState> {
    const late = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const found = this.states.slice(from).find((one) => one.entity_id === entityId && wanted(one));
      if (found) return found;
      try {
        await once(this.news, 'state', { signal: late });
      } catch {
        const seen = this.states.filter((one) => one.entity_id === entityId).slice(-5);
        const entities = [...new Set(this.states.map(({ entity_id }) => entity_id))].join(' ');
        throw new Error(`${entityId}: not as wanted\n${JSON.stringify(seen, null, 1)}\n${entities}`);
      }
    }
  }

  /** What was before counts no more. */
  turnPage(): void {
    this.since = this.states.length;
  }

  /** Calls an action, as an automation does. */
  async call(action: string, data: object = {}): Promise<void> {
    const [domain, service] = action.split('.');
    await this.ask({ type: 'call_service', domain, service, service_data: data });
  }

  async fire(event: string, data: object): Promise<void> {
    await this.ask({ type: 'fire_event', event_type: event, event_data: data });
  }

  /** What the persistent notifications say. */
  async notifications(): Promise<{ title: string | null; message: string; notification_id: string }[]> {
    return (await this.ask({ type: 'persistent_notification/get' })) as never;
  }

  /** Asks over its WebSocket. */
  async ask(question: object): Promise<unknown> {
    const id = ++this.lastId;
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    this.socket?.send(JSON.stringify({ id, ...question }));
    const answer = await answered;
    assert.ok(answer.success, `${JSON.stringify(question)}: ${answer.error?.message ?? ''}`);
    return answer.result;
  }

  /** Ends it and starts it again, with what it has kept. */
  async restart(): Promise<void> {
    await this.end();
    this.child = this.launch();
    this.listenToLog();
    await this.answers();
    await this.open();
  }

  /** Warnings and errors of what has to do with us. */
  complaints(): string[] {
    const ours = this.log.filter((line) => / (WARNING|ERROR|CRITICAL) /.test(line));
    return ours.filter((line) => /mqtt|sonota|automation|script|rest_command|template|update\.|sensor\./i.test(line));
  }

  async stop(): Promise<void> {
    this.socket?.terminate();
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    await once(this.child, 'close');
    clearTimeout(timer);
  }

  private listenToLog(): void {
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.log.push(line));
    }
  }

  private async answers(): Promise<void> {
    const until = Date.now() + START_LIMIT_MS;
    for (;;) {
      assert.equal(this.child.exitCode, null, 'Home Assistant ended');
      const answer = await fetch(`${this.url}/api/onboarding`).catch(() => undefined);
      if (answer?.ok) return;
      assert.ok(Date.now() < until, 'Home Assistant does not answer');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** The first page that a person sees: an owner, whose log-in gives a token. */
  private async onboard(): Promise<void> {
    const client_id = `${this.url}/`;
    const { auth_code } = (await this.post('/api/onboarding/users', { client_id, ...OWNER })) as { auth_code: string };
    const form = new URLSearchParams({ client_id, code: auth_code, grant_type: 'authorization_code' });
    const answer = await fetch(`${this.url}/auth/token`, { method: 'POST', body: form });
    this.token = ((await answer.json()) as { access_token: string }).access_token;
    assert.ok(this.token, 'no token');
  }

  /** The other first pages, before which the frontend shows none; it then tries in vain to add what it has no packages for. */
  async showFrontend(): Promise<void> {
    for (const step of ['core_config', 'analytics']) await this.post(`/api/onboarding/${step}`, {});
    const client = { client_id: `${this.url}/`, redirect_uri: `${this.url}/` };
    await this.post('/api/onboarding/integration', client);
  }

  /** Settings > Devices > Add integration > MQTT. */
  private async addBroker(port: number): Promise<void> {
    const flow = (await this.post('/api/config/config_entries/flow', { handler: 'mqtt' })) as { flow_id: string };
    const step = await this.post(`/api/config/config_entries/flow/${flow.flow_id}`, { broker: '127.0.0.1', port });
    assert.equal((step as { type: string }).type, 'create_entry', JSON.stringify(step));
  }

  private async post(path: string, body: object): Promise<unknown> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (this.token !== '') headers['authorization'] = `Bearer ${this.token}`;
    const answer = await fetch(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as unknown;
  }

  private async open(): Promise<void> {
    this.socket?.terminate();
    this.socket = new WebSocket(`${this.url.replace('http', 'ws')}/api/websocket`);
    const authorized = new Promise<void>((resolve) => {
      this.socket?.on('message', (data: Buffer) => {
        const answer = JSON.parse(data.toString('utf8')) as Answer;
        if (answer.type === 'auth_required') {
          this.socket?.send(JSON.stringify({ type: 'auth', access_token: this.token }));
        } else if (answer.type === 'auth_ok') resolve();
        else if (answer.type === 'event') this.note(answer);
        else this.waiting.get(answer.id)?.(answer);
      });
    });
    await authorized;
    await this.ask({ type: 'subscribe_events', event_type: 'state_changed' });
    for (const state of (await this.ask({ type: 'get_states' })) as EntityState[]) this.states.push(state);
    // It answers long before it has started everything; what it is told before that can be lost.
    while (((await this.ask({ type: 'get_config' })) as { state: string }).state !== 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  private note({ event }: Answer): void {
    const state = event?.data.new_state;
    const gone = event?.data.entity_id;
    if (state) this.states.push(state);
    else if (gone !== undefined) this.states.push({ entity_id: gone, state: 'removed', attributes: {} });
    this.news.emit('state');
  }
}
