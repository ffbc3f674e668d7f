import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { ip, needNamespaces } from '../../shared/namespaces';

const DEVICE = '10.77.0.2';
const HERE = '10.77.0.1';
const SERVICE = '\x08_ewelink\x04_tcp\x05local\0';
const TARGET = '\x12eWeLink_10000a1b2c\x05local\0';
const TYPES = { A: 1, PTR: 12 };

/** A program in a namespace of its own, at one end of a cable. */
class Program {
  private readonly process: ChildProcess;
  private readonly lines: Interface;

  constructor(namespace: string, file: string, address: string) {
    const command = [process.execPath, join(__dirname, file), address];
    this.process = spawn('ip', ['netns', 'exec', namespace, ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout! });
  }

  /** The first line from now on that fits. */
  async line(fits: (text: string) => boolean): Promise<string> {
    for (;;) {
      const [text] = (await once(this.lines, 'line')) as [string];
      if (fits(text)) return text;
    }
  }

  say(text: string): void {
    this.process.stdin!.write(`${text}\n`);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.stdin!.end();
    await ended;
  }
}

function question(name: string, type: number): string {
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, Buffer.from(name, 'latin1'), Buffer.from([0, type, 0, 1])]).toString('hex');
}

describe('virtual DIY device: in a network of its own', () => {
  const [near, far] = ['near', 'far'].map((end) => `sonota-${process.pid}-diy-${end}`) as [string, string];
  const programs: Program[] = [];
  const made: string[] = [];

  before(needNamespaces);

  before(() => {
    for (const name of [near, far]) {
      ip('netns', 'add', name);
      made.push(name);
    }
    ip('link', 'add', 'cable', 'netns', near, 'type', 'veth', 'peer', 'name', 'cable', 'netns', far);
    for (const [name, address] of [
      [near, HERE],
      [far, DEVICE],
    ] as const) {
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'link', 'set', 'cable', 'up');
    }
  });

  after(async () => {
    for (const program of programs) await program.end();
    for (const name of made) ip('netns', 'delete', name);
  });

  it('announces itself at port 5353, and answers the service with its PTR record alone', async () => {
    const asker = new Program(near, 'asks-in-namespace.js', HERE);
    programs.push(asker);
    await asker.line((text) => text === '{}');
    const device = new Program(far, 'device-in-namespace.js', DEVICE);
    programs.push(device);
    const heard = async (): Promise<{ from: string; packet: Buffer }> => {
      const { from, hex } = JSON.parse(await asker.line((text) => text.includes('hex'))) as {
        from: string;
        hex: string;
      };
      return { from, packet: Buffer.from(hex, 'hex') };
    };
    const unasked = await heard();
    assert.deepEqual([unasked.from, unasked.packet.readUInt16BE(6)], [DEVICE, 4]);
    asker.say(question(SERVICE, TYPES.PTR));
    const pointer = await heard();
    assert.equal(pointer.packet.readUInt16BE(6), 1);
    assert.ok(pointer.packet.includes(Buffer.from(`${SERVICE}\0\x0c`, 'latin1')));
    asker.say(question(TARGET, TYPES.A));
    const { packet } = await heard();
    assert.deepEqual([...packet.subarray(-4)], [10, 77, 0, 2]);
  });
});
