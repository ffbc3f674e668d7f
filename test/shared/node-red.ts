import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CommsClient } from './comms';
import { packageRoot } from './package-root';
import { freePort } from './ports';

/** How long a Node-RED may take to say "Started flows", and to end after SIGTERM. */
const START_LIMIT_MS = 100_000;
/** In English, German and French. */
const STARTED = /Started flows|Flows sind gestartet|Flux démarrés/;
const STOP_LIMIT_MS = 60_000;

export type Flow = ReadonlyArray<Record<string, unknown> & { id: string; type: string }>;

export interface NodeRedOptions {
  /** The nodes of flows.json; none if left out. */
  flow?: Flow;
  /** Credentials by node id, as a person would have typed them. */
  credentials?: Record<string, Record<string, string>>;
  /** Laid over the settings below; plain JSON. */
  settings?: Record<string, unknown> & { uiHost?: string; uiPort?: number };
  /** The user folder of one that was killed, to continue; its flow, credentials and settings are those of before. */
  goesOn?: RunningNodeRed;
  /** Put before the command, such as `['ip', 'netns', 'exec', 'home']`. */
  prefix?: readonly string[];
  env?: Record<string, string>;
  /** Another Node-RED than that of `nodeRedFolder()`, with the Node.js that it needs. */
  runtime?: { node: string; folder: string };
  /** Folders of further packages to be installed in the user folder, as links. */
  palettes?: readonly string[];
  /** Where this package is, if not where it was built. */
  packageFolder?: string | undefined;
}

/**
 * The folder of the `node-red` package to test with: `SONOTA_NODE_RED`, or the one that this package has installed.
 */
export function nodeRedFolder(): string {
  return process.env['SONOTA_NODE_RED'] ?? dirname(require.resolve('node-red/package.json'));
}

/** Its version, such as `4.1.15`. */
export function nodeRedVersion(): string {
  return (JSON.parse(readFileSync(join(nodeRedFolder(), 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * Starts a Node-RED process with a user folder of its own, in which this package is installed as a link, and waits
 * until its flows have started. The caller stops it.
 */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<RunningNodeRed> {
  if (options.goesOn) {
    const { userDir, url } = options.goesOn;
    const red = new RunningNodeRed(launch(userDir, options), userDir, url);
    await red.started();
    return red;
  }
  const userDir = await mkdtemp(join(tmpdir(), 'sonota-node-red-'));
  try {
    const host = options.settings?.uiHost ?? '127.0.0.1';
    const port = options.settings?.uiPort ?? (await freePort());
    await furnish(userDir, port, options);
    const red = new RunningNodeRed(launch(userDir, options), userDir, `http://${host}:${port}`);
    await red.started();
    return red;
  } catch (error) {
    await rm(userDir, { recursive: true, force: true });
    throw error;
  }
}

/** A real Node-RED. `log` holds what it printed, line by line; 'line' is emitted for each. */
export class RunningNodeRed extends EventEmitter {
  readonly log: string[] = [];
  private readonly ended: Promise<void>;
  private wasKilled = false;

  constructor(
    readonly child: ChildProcess,
    readonly userDir: string,
    readonly url: string,
  ) {
    super();
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.noteLine(line));
    }
    child.once('close', (code) => this.emit('ended', code));
  }

  /** @throws Error with the log, when the process ends or `START_LIMIT_MS` passes before flows have started and it listens */
  async started(): Promise<void> {
    try {
      await this.logged(STARTED, START_LIMIT_MS);
      // Flows can be faster than the server, which tells its address, in whatever language, once it listens.
      await this.logged(new RegExp(`:${new URL(this.url).port}/`), START_LIMIT_MS);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** The first line that matches, also among those printed already. */
  async logged(pattern: RegExp, limitMs: number, from = 0): Promise<string> {
    const earlier = this.log.slice(from).find((line) => pattern.test(line));
    if (earlier !== undefined) return earlier;
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.off('line', onLine).off('ended', onEnded);
        act();
      };
      const onLine = (line: string): void => {
        if (pattern.test(line)) settle(() => resolve(line));
      };
      const onEnded = (): void => settle(() => reject(this.failure(`Node-RED ended before ${String(pattern)}`)));
      const timer = setTimeout(() => {
        settle(() => reject(this.failure(`no ${String(pattern)} within ${limitMs} ms`)));
      }, limitMs);
      this.on('line', onLine).on('ended', onEnded);
    });
  }

  /** Presses an Inject node; `message` stands in for what its form says. */
  async inject(nodeId: string, message?: Record<string, unknown>): Promise<void> {
    const body = message === undefined ? {} : { __user_inject_props__: injectProps(message) };
    await this.request('POST', `/inject/${nodeId}`, body);
  }

  /** Deploys a whole configuration, as the editor's Deploy does. */
  async deploy(flow: Flow, type: 'full' | 'nodes' | 'flows' | 'reload' = 'full'): Promise<void> {
    await this.request('POST', '/flows', flow, { 'Node-RED-Deployment-Type': type });
  }

  /** @returns the parsed body, or its text where it is not JSON */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json', connection: 'close', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw this.failure(`${method} ${path}: ${response.status} ${text}`);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }

  /** What the editor receives: statuses and debug messages. */
  async comms(): Promise<CommsClient> {
    return await CommsClient.open(this.url.replace(/^http/, 'ws') + '/comms');
  }

  /** Ends the process as a service manager does, and removes its user folder. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
      await this.ended;
      clearTimeout(timer);
    }
    await rm(this.userDir, { recursive: true, force: true });
    if (this.child.signalCode === 'SIGKILL' && !this.wasKilled)
      throw this.failure(`Node-RED did not end within ${STOP_LIMIT_MS} ms`);
  }

  /** Ends the process as a power cut does; its user folder stays. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.wasKilled = true;
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private noteLine(line: string): void {
    this.log.push(line);
    this.emit('line', line);
  }

  private failure(what: string): Error {
    return new Error(`${what}\n--- Node-RED said:\n${this.log.join('\n')}`);
  }
}

function launch(userDir: string, options: NodeRedOptions): ChildProcess {
  const command = [
    ...(options.prefix ?? []),
    options.runtime?.node ?? process.execPath,
    join(options.runtime?.folder ?? nodeRedFolder(), 'red.js'),
    '--userDir',
    userDir,
    '--settings',
    join(userDir, 'settings.js'),
  ];
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  });
  // It is there for WITH_ITS_PARENT alone.
  child.channel?.unref();
  return child;
}

/** A run that is ended at its limit must leave none behind: it would hold the ports that the examples name. */
const WITH_ITS_PARENT = "process.once('disconnect', () => process.exit(1));\n";

/**
 * Fills a user folder: settings, flows, credentials, and this package as a link.
 *
 * @returns the settings as they are in its settings.js
 */
export async function furnish(
  userDir: string,
  port: number,
  options: NodeRedOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false }, multiplayer: { enabled: false } },
    externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
    ...options.settings,
  };
  const scope = join(userDir, 'node_modules', '@sonota');
  await mkdir(scope, { recursive: true });
  await symlink(options.packageFolder ?? packageRoot(), join(scope, 'node-red'), 'dir');
  const dependencies: Record<string, string> = { '@sonota/node-red': '*' };
  for (const folder of options.palettes ?? []) {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string };
    dependencies[name] = '*';
    await mkdir(dirname(join(userDir, 'node_modules', name)), { recursive: true });
    await symlink(folder, join(userDir, 'node_modules', name), 'dir');
  }
  const manifest = { name: 'user-folder', private: true, dependencies };
  await writeFile(join(userDir, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(userDir, 'settings.js'), `${WITH_ITS_PARENT}module.exports = ${JSON.stringify(settings)};\n`);
  await writeFile(join(userDir, 'flows.json'), JSON.stringify(options.flow ?? []));
  await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(options.credentials ?? {}));
  return settings;
}

function injectProps(message: Record<string, unknown>): object[] {
  return Object.entries(message).map(([property, value]) => ({
    p: property,
    v: typeof value === 'string' ? value : JSON.stringify(value),
    vt: typeof value === 'string' ? 'str' : 'json',
  }));
}
