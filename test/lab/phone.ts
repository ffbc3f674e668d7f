import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Air } from './air';

/** Asks for the final image as FinalStage does, again and again, and writes down the status of each answer. */
const PROGRAM = `
  const net = require('node:net');
  const ask = () => {
    const socket = net.connect(8080, '192.168.4.2');
    socket.setTimeout(1000, () => socket.destroy());
    let text = '';
    socket.on('connect', () => socket.write('GET /ota/image_arduino.bin HTTP/1.0\\r\\nHost: 192.168.4.2:8080\\r\\n\\r\\n'));
    socket.on('data', (data) => (text += text.length < 200 ? data.toString('latin1') : ''));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (text !== '') console.log(text.split('\\r\\n')[0]);
      setTimeout(ask, 100);
    });
  };
  ask();
`;

/** A phone that stays in the open network FinalStage, with the second address that it gives. */
export class Phone {
  readonly answers: string[] = [];
  private readonly child: ChildProcess;

  constructor(air: Air) {
    air.addRadio('phone', 'wlan0');
    air.join('phone', 'wlan0', 'finalstage', '192.168.4.3/24');
    const [command, args] = air.inside('phone', process.execPath, '-e', PROGRAM);
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.child.stdout) createInterface(this.child.stdout).on('line', (line) => this.answers.push(line));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}
