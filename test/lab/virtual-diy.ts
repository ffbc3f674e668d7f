import type { OwnNetwork } from '../../lib/virtual/device/radio';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import { radio, report } from './sonoff/report';

/**
 * The product's own virtual device as a program in a network namespace, where its networks and addresses are those of a
 * real one: `node virtual-diy.js '{"deviceid":"10000a1b2c","version":"3.7.6","home":{…},"address":"192.168.77.20"}'`.
 */
interface Life extends Pick<VirtualDiyOptions, 'deviceid' | 'version' | 'startsIn' | 'fault'> {
  /** Its home Wi-Fi, and the address that it gets there. */
  home: { ssid: string; password: string };
  address: string;
}

const { home, address, ...options } = JSON.parse(process.argv[2] ?? '{}') as Life;

async function show({ ssid, bssid, password: psk }: OwnNetwork): Promise<void> {
  const isStock = psk !== undefined;
  await radio(isStock ? 'itead-ap' : 'tasmota');
  report('shows', { ssid, bssid, ...(isStock ? { psk } : { network: '192.168.4' }) });
}

async function leave(): Promise<void> {
  report('hides');
  await radio('off');
}

const device = new VirtualDiySonoff({
  ...{ apAddress: '10.10.7.1', apPort: 80, speed: 20, homeNetwork: home, network: home },
  newFirmware: { apAddress: '192.168.4.1', apPort: 80, homePort: 80 },
  ...options,
  localAddress: address,
  radio: {
    openAccessPoint: show,
    closeAccessPoint: leave,
    joinHome: async () => {
      await radio('home');
      return address;
    },
    leaveHome: leave,
  },
});
device.on('log', (text) => report('log', { text }));
device.on('lan', ({ port }) => report('diy-up', { port }));
device.on('flashed', ({ flashSha256 }) => report('flashed', { flashSha256 }));
device.on('page', ({ network }) => report('page', { network }));
device.start().catch((error: Error) => {
  report('ended', { reason: error.message });
  process.exitCode = 1;
});
