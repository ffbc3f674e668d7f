import type { Flow } from '../shared/node-red';

/** The node types that the palette shows, and the icon of each. */
export const VISIBLE_TYPES = {
  'sonota-preflight': 'sonota-preflight.svg',
  'sonota-provision': 'sonota-provision.svg',
  'sonota-cloud-emulator': 'sonota-cloud.svg',
  'sonota-ota-serve': 'sonota-ota.svg',
  'sonota-finalstage-watch': 'sonota-finalstage.svg',
  'sonota-new-firmware': 'sonota-new-firmware.svg',
  'sonota-queue': 'sonota-queue.svg',
  'sonota-virtual-device': 'sonota-virtual.svg',
  'sonota-image-doctor': 'sonota-doctor.svg',
} as const;

export const CONFIG_TYPES = ['sonota-host', 'sonota-firmware'] as const;

/** The id that a node of this type has in `EVERY_NODE`. */
export function idOf(type: string): string {
  return `the-${type}`;
}

const stage = { host: idOf('sonota-host'), wires: [[], []], z: 'tab' };

/** One node of each type on one tab, at ports that disturb nobody. */
export const EVERY_NODE: Flow = [
  { id: 'tab', type: 'tab', label: 'Every node' },
  {
    id: idOf('sonota-host'),
    type: 'sonota-host',
    name: '',
    bind: '127.0.0.1',
    address: '127.0.0.1',
    ssid: 'home',
    httpsPort: '0',
    legacyPort: '0',
    httpPort: '0',
    finalStagePort: 0,
  },
  { id: idOf('sonota-firmware'), type: 'sonota-firmware', name: '', user1: '', user2: '', final: '/tmp/final.bin' },
  {
    id: idOf('sonota-preflight'),
    type: 'sonota-preflight',
    name: '',
    host: idOf('sonota-host'),
    firmware: '',
    x: 150,
    y: 480,
    z: 'tab',
    wires: [[]],
  },
  {
    id: idOf('sonota-queue'),
    type: 'sonota-queue',
    name: '',
    host: idOf('sonota-host'),
    atOnce: '',
    attempts: '',
    x: 150,
    y: 540,
    z: 'tab',
    wires: [[], [], []],
  },
  { id: idOf('sonota-provision'), type: 'sonota-provision', name: '', url: '', timeout: '', x: 150, y: 60, ...stage },
  {
    id: idOf('sonota-cloud-emulator'),
    type: 'sonota-cloud-emulator',
    name: '',
    every: false,
    timeout: '',
    force: false,
    x: 150,
    y: 120,
    ...stage,
  },
  {
    id: idOf('sonota-ota-serve'),
    type: 'sonota-ota-serve',
    name: '',
    firmware: idOf('sonota-firmware'),
    timeout: '',
    force: false,
    x: 150,
    y: 180,
    ...stage,
  },
  {
    id: idOf('sonota-finalstage-watch'),
    type: 'sonota-finalstage-watch',
    name: '',
    firmware: '',
    url: '',
    timeout: '',
    x: 150,
    y: 240,
    ...stage,
  },
  {
    id: idOf('sonota-new-firmware'),
    type: 'sonota-new-firmware',
    name: '',
    url: '',
    timeout: '',
    x: 350,
    y: 240,
    ...stage,
  },
  {
    id: idOf('sonota-virtual-device'),
    type: 'sonota-virtual-device',
    z: 'tab',
    name: '',
    apAddress: '',
    apPort: '',
    deviceid: '',
    model: '',
    romVersion: '',
    transport: 'range',
    slot: '1',
    fault: '',
    speed: '',
    livesOn: false,
    homePort: '',
    x: 150,
    y: 300,
    wires: [[]],
  },
  {
    id: idOf('sonota-image-doctor'),
    type: 'sonota-image-doctor',
    z: 'tab',
    name: '',
    road: '',
    x: 150,
    y: 420,
    wires: [[]],
  },
];
