import { createInterface } from 'node:readline';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../../lib/virtual/virtual-sonoff';
import { airRadio, type Radios } from './air-radio';
import { REAL_ADDRESSES } from '../../shared/real-addresses';

/**
 * The virtual Sonoff as one program, in the namespace of its radios: `node device.js '{"radios":{…},"sonoff":{…}}'`.
 * What it does goes out as one JSON object a line; `stop` or `power-cycle` as a line on stdin is done to it.
 */
export interface Life {
  radios: Radios;
  /** Its access points give no addresses. */
  withoutLeases?: boolean;
  sonoff: Partial<VirtualSonoffOptions>;
}

async function live({ radios, withoutLeases = false, sonoff }: Life): Promise<void> {
  const device = new VirtualSonoff({ ...REAL_ADDRESSES, radio: airRadio(radios, withoutLeases), ...sonoff });
  for (const event of ['log', 'state', 'flashed', 'page'] as const) {
    device.on(event, (fact: unknown) => report(event, fact));
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'stop') void device.stop();
    if (line === 'power-cycle') device.powerCycle();
  });
  await device.start();
  report('ended', await device.ended);
}

function report(event: string, fact: unknown): void {
  process.stdout.write(`${JSON.stringify({ event, fact, at: Date.now() })}\n`);
}

live(JSON.parse(process.argv[2] ?? '{}') as Life).then(
  () => process.exit(0),
  (error: Error) => {
    report('broken', error.stack);
    process.exitCode = 1;
    process.stdout.write('', () => process.exit(1));
  },
);
