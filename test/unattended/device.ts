import type { HomeNetwork, OwnNetwork } from '../../lib/virtual/device/radio';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { REAL_ADDRESSES } from '../shared/real-addresses';

/**
 * The virtual Sonoff as one program in the namespace of its radio. It asks its parent to move that, and tells what
 * happens to it; what may be done to it comes from there.
 */
export type FromDevice =
  | { type: 'ask'; id: number; want: Want }
  | { type: 'log' | 'state'; text: string }
  | { type: 'flashed'; flashSha256: string }
  | { type: 'ended'; result: string }
  | { type: 'broken'; text: string };

export type Want =
  | { call: 'openAccessPoint'; network: OwnNetwork }
  | { call: 'closeAccessPoint'; network: OwnNetwork }
  | { call: 'joinHome'; network: HomeNetwork }
  | { call: 'leaveHome' };

export type ToDevice = { type: 'granted'; id: number; address?: string | undefined } | { type: 'stop' };

const waiting = new Map<number, (address: string | undefined) => void>();
let asked = 0;

function tell(message: FromDevice): void {
  process.send!(message);
}

function ask(want: Want): Promise<string | undefined> {
  const id = ++asked;
  tell({ type: 'ask', id, want });
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function live(options: Partial<VirtualSonoffOptions>): Promise<void> {
  const radio = {
    openAccessPoint: async (network: OwnNetwork) => void (await ask({ call: 'openAccessPoint', network })),
    closeAccessPoint: async (network: OwnNetwork) => void (await ask({ call: 'closeAccessPoint', network })),
    joinHome: async (network: HomeNetwork) => await ask({ call: 'joinHome', network }),
    leaveHome: async () => void (await ask({ call: 'leaveHome' })),
  };
  const device = new VirtualSonoff({ ...REAL_ADDRESSES, radio, ...options });
  device.on('log', (text: string) => tell({ type: 'log', text }));
  device.on('state', (text: string) => tell({ type: 'state', text }));
  device.on('flashed', ({ flashSha256 }: { flashSha256: string }) => tell({ type: 'flashed', flashSha256 }));
  process.on('message', (message: ToDevice) => {
    if (message.type === 'stop') return void device.stop();
    waiting.get(message.id)?.(message.address);
    waiting.delete(message.id);
  });
  await device.start();
  tell({ type: 'ended', result: (await device.ended).result });
}

live(JSON.parse(process.argv[2]!) as Partial<VirtualSonoffOptions>)
  .catch((error: Error) => tell({ type: 'broken', text: String(error.stack) }))
  .finally(() => process.disconnect());
