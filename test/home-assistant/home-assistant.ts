import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../shared/ports';
import { tied } from '../shared/tied';
import type { Broker } from './broker';
import { HomeAssistantApi } from './home-assistant-api';

/** The place that scripts/home-assistant/place.mjs has found or made. */
type Place = { command: string[]; root: string; version: string } | { skip: string };

export function place(): Place {
  const told = process.env['SONOTA_HOME_ASSISTANT'];
  return told === undefined ? { skip: 'npm run test:home-assistant installs it' } : (JSON.parse(told) as Place);
}

/** The first start compiles everything that Home Assistant is made of. */
const START_LIMIT_MS = 180_000;
const LIMIT_MS = 90_000;
/** Its speech recognition, which pip would have to compile and no test needs; without it, it lists no actions. */
const EARS = { 'pymicro_vad.py': 'class MicroVad: ...\n', 'pyspeex_noise.py': 'class AudioProcessor: ...\n' };

export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
}

interface StateChange {
  data: { entity_id: string; new_state: EntityState | null };
}

/** The recorder's entry of one state or of its attributes; the time in seconds since 1970. */
export interface RecordedState extends EntityState {
  updatedAt: number;
}

/** A Home Assistant of its own, set up as a person does it: an owner, and the MQTT integration. */
export class HomeAssistant {
  /** Every state of every entity, in the order in which they came. */
  readonly states: EntityState[] = [];
  readonly log: string[] = [];
  /** Where the present test starts in `states`. */
  private since = 0;
  private readonly news = new EventEmitter().setMaxListeners(100);

  private constructor(
    readonly api: HomeAssistantApi,
    private readonly folder: string,
    private child: ChildProcess,
    private readonly launch: () => ChildProcess,
  ) {}

  get url(): string {
    return this.api.url;
  }

  get token(): string {
    return this.api.token;
  }

  /** @param files of its configuration, by their names, which may have folders; `{{HTTP_PORT}}` stands for its port */
  static async start(broker: Broker, files: Record<string, string>): Promise<HomeAssistant> {
    const where = place();
    assert.ok('command' in where, 'there is no Home Assistant');
    const port = await freePort();
    const base = where.root === '' ? tmpdir() : join(where.root, 'tmp');
    await mkdir(base, { recursive: true });
    const folder = await mkdtemp(join(base, 'sonota-home-assistant-'));
    for (const [name, content] of Object.entries({ ...files, ...EARS })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content.replaceAll('{{HTTP_PORT}}', String(port)));
    }
    const [command = '', ...args] = where.command;
    const inside = folder.slice(where.root.length);
    const launch = (): ChildProcess =>
      spawn(...tied(command, [...args, '--config', inside, '--skip-pip']), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, PYTHONPATH: inside },
      });
    const ha = new HomeAssistant(new HomeAssistantApi(`http://127.0.0.1:${port}`), folder, launch(), launch);
    try {
      ha.listenToLog();
      await ha.answers();
      await ha.api.createOwner();
      await ha.open();
      // Otherwise it asks for that on every page, and restarts without its port when nothing answers.
      await ha.api.ask({ type: 'http/config/promote' });
      await ha.api.finishOnboarding();
      await ha.addBroker(broker);
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

  /** The present state of an entity. */
  now(entityId: string): EntityState | undefined {
    return this.states.findLast((one) => one.entity_id === entityId);
  }

  /** Waits until no entity of ours is there any more. */
  async isCleared(): Promise<void> {
    const isOurs = /^(binary_sensor|button|event|select|sensor|switch|update)\.sonota_/;
    const ours = new Set(this.states.map(({ entity_id }) => entity_id).filter((id) => isOurs.test(id)));
    for (const id of ours) {
      const last = this.states.findLastIndex(({ entity_id }) => entity_id === id);
      await this.state(id, ({ state }) => state === 'removed', last);
    }
  }

  /** Earlier states no longer count. */
  turnPage(): void {
    this.since = this.states.length;
  }

  /** Calls an action, as an automation does. */
  async call(action: string, data: object = {}): Promise<void> {
    const [domain, service] = action.split('.');
    await this.api.ask({ type: 'call_service', domain, service, service_data: data });
  }

  /** The texts of the persistent notifications. */
  async notifications(): Promise<{ title: string | null; message: string; notification_id: string }[]> {
    return (await this.api.ask({ type: 'persistent_notification/get' })) as never;
  }

  /** The recorder's entries of entities, in the order in which they happened. */
  async history(entityIds: string[], since: Date): Promise<RecordedState[]> {
    const kept = (await this.api.ask({
      type: 'history/history_during_period',
      start_time: since.toISOString(),
      entity_ids: entityIds,
      include_start_time_state: false,
      significant_changes_only: false,
    })) as Record<string, { s: string; a: Record<string, unknown>; lu: number }[]>;
    return Object.entries(kept)
      .flatMap(([entity_id, states]) =>
        states.map(({ s, a, lu }) => ({ entity_id, state: s, attributes: a, updatedAt: lu })),
      )
      .sort((one, other) => one.updatedAt - other.updatedAt);
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
    this.api.close();
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

  /** Its pages are there long before everything has started. */
  private async answers(): Promise<void> {
    const until = Date.now() + START_LIMIT_MS;
    for (;;) {
      assert.equal(this.child.exitCode, null, 'Home Assistant ended');
      const answer = await fetch(`${this.url}/manifest.json`).catch(() => undefined);
      if (answer?.ok) return;
      assert.ok(Date.now() < until, 'Home Assistant does not answer');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  private async open(): Promise<void> {
    await this.api.open();
    await this.api.subscribe({ type: 'subscribe_events', event_type: 'state_changed' }, (event) => this.note(event));
    for (const state of (await this.api.ask({ type: 'get_states' })) as EntityState[]) this.states.push(state);
    // It answers long before it has started everything; calls before that can be lost.
    while (((await this.api.ask({ type: 'get_config' })) as { state: string }).state !== 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Settings > Devices > Add integration > MQTT. */
  private async addBroker({ port, access }: Broker): Promise<void> {
    const { flow_id } = (await this.api.post('/api/config/config_entries/flow', { handler: 'mqtt' })) as {
      flow_id: string;
    };
    const certificate = access && (await this.api.upload('ca.pem', access.ca));
    const step = await this.api.post(`/api/config/config_entries/flow/${flow_id}`, {
      ...{ broker: '127.0.0.1', port, protocol: '5' },
      ...(access && { username: access.username, password: access.password }),
      other_settings: {
        ...{ set_client_cert: false, transport: 'tcp', set_ca_cert: access ? 'custom' : 'off' },
        ...(access && { certificate, tls_insecure: false }),
      },
    });
    assert.equal((step as { type: string }).type, 'create_entry', JSON.stringify(step));
  }

  private note({ data: { entity_id, new_state } }: StateChange): void {
    this.states.push(new_state ?? { entity_id, state: 'removed', attributes: {} });
    this.news.emit('state');
  }
}
