import { execFileSync } from 'node:child_process';

/** A command of iproute2, to its end. @throws Error with what it wrote to stderr */
export function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A hook of mocha: skips what follows where this machine cannot make network namespaces, and says why. */
export function needNamespaces(this: Mocha.Context): void {
  const reason = whyNoNamespaces();
  if (reason === undefined) return;
  console.log(`    Skipped: ${reason}.`);
  this.skip();
}

function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  const name = `sonota-${process.pid}-0-try`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here (${(error as Error).message.split('\n')[0]})`;
  }
}
