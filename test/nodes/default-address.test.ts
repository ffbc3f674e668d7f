import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ip, needNamespaces } from '../shared/namespaces';

const PROGRAM = join(__dirname, 'default-address-in-namespace.js');

describe('nodes: sonota-provision at the default address', () => {
  const name = `sonota-${process.pid}-default-address`;
  const inside = (...args: string[]): void => ip('-n', name, ...args);

  before(needNamespaces);

  before(() => {
    ip('netns', 'add', name);
    inside('link', 'set', 'lo', 'up');
    inside('addr', 'add', '192.168.1.7/24', 'dev', 'lo');
    // Reached as through a router: from an address that is in no access point's network.
    inside('route', 'add', 'local', '10.10.7.1', 'dev', 'lo', 'src', '192.168.1.7');
  });
  let child: ChildProcess | undefined;
  after(() => {
    child?.kill();
    try {
      ip('netns', 'delete', name);
    } catch {
      // It could not be made.
    }
  });

  it('gives the home Wi-Fi to no peer outside the network of an access point, except by force', async () => {
    child = spawn('ip', ['netns', 'exec', name, process.execPath, PROGRAM], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, said);
  });
});
