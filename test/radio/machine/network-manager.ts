import { Program, run } from '../air/program';

let running: Program | undefined;

/** The real one, on this machine's own interfaces. */
export async function startNetworkManager(): Promise<void> {
  running = new Program(undefined, 'NetworkManager', '--debug', '--log-level=INFO');
  await running.says(/startup complete/);
}

/** As its service manager does after a crash: what it wrote to disk is all that it knows. */
export async function restartNetworkManager(): Promise<void> {
  await running?.kill();
  await startNetworkManager();
}

export async function stopNetworkManager(): Promise<void> {
  await running?.kill();
  running = undefined;
}

export function networkManagerLog(): string {
  return running?.log.join('\n') ?? '';
}

/** Its profiles and what they are active on, one a line. */
export function connections(): string {
  return nmcli('-f', 'NAME,UUID,TYPE,DEVICE', 'connection').split('\n').sort().join('\n').trim();
}

export function nmcli(...args: string[]): string {
  return run(undefined, 'nmcli', '--terse', '--colors', 'no', ...args);
}
