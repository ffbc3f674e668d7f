import type { DeviceContext } from '../device/context';
import { SECTOR_BYTES, type FlashMemory } from '../device/flash-memory';

/** Tasmota's settings, which outlive a restart: in the flash as the real ones are, but not in the form of their struct. */
export interface TasmotaSettings {
  bootCount: number;
  ssids: [string, string];
  wifiPasswords: [string, string];
  /** 2: opens its access point where it does not get in; 4, the default: tries without end. */
  wifiConfig: number;
  /** WifiConfig 2 was sent at home: the access point opens immediately. */
  managerNext: boolean;
  mqttHost: string;
  mqttPort: number;
  mqttUser: string;
  mqttPassword: string;
  topic: string;
  deviceName: string;
  friendlyName: string;
  /** Counted from 1 as the command `Module` does; 0 is the template. */
  module: number;
  template: { NAME: string; GPIO: number[]; FLAG: number; BASE: number };
  webPassword: string;
  options: Record<number, number>;
}

/** The first of the sectors that Tasmota keeps its settings in, on 1 MB of flash. */
const SECTOR = 0xf4;
const HTTP_API = 128;

/** The settings in the flash, or as they come where there are none. */
export function loadSettings({ flash, identity }: Pick<DeviceContext, 'flash' | 'identity'>): TasmotaSettings {
  const text = flash.read(SECTOR * SECTOR_BYTES, SECTOR_BYTES).toString('utf8');
  const end = text.indexOf('\0');
  const kept = text.startsWith('{"bootCount"') && end > 0 ? (JSON.parse(text.slice(0, end)) as TasmotaSettings) : {};
  return { ...defaults(identity.mac), ...kept };
}

export function saveSettings(flash: FlashMemory, settings: TasmotaSettings): void {
  flash.eraseSector(SECTOR);
  flash.program(SECTOR * SECTOR_BYTES, Buffer.from(`${JSON.stringify(settings)}\0`));
}

/** Made of the topic: an access point of this name is what people look for. */
export function hostnameOf({ topic }: TasmotaSettings, mac: string): string {
  const chip = Number.parseInt(hex(mac).slice(-6), 16);
  return `${topic.replace(/_/g, '-')}-${String(chip & 0x1fff).padStart(4, '0')}`;
}

/** Whether HTTP commands need no Referer (SetOption128): off as it comes, since 15.5.0. */
export function isApiOpen({ options }: TasmotaSettings): boolean {
  return options[HTTP_API] === 1;
}

function defaults(mac: string): TasmotaSettings {
  return {
    bootCount: 0,
    ssids: ['', ''],
    wifiPasswords: ['', ''],
    wifiConfig: 4,
    managerNext: false,
    mqttHost: '',
    mqttPort: 1883,
    mqttUser: 'DVES_USER',
    mqttPassword: 'DVES_PASS',
    topic: defaultTopic(mac),
    deviceName: 'Tasmota',
    friendlyName: 'Tasmota',
    module: 1,
    template: { NAME: 'Generic', GPIO: Array<number>(14).fill(1), FLAG: 0, BASE: 18 },
    webPassword: '',
    options: {},
  };
}

export function defaultTopic(mac: string): string {
  return `tasmota_${hex(mac).slice(-6)}`;
}

function hex(mac: string): string {
  return mac.replace(/:/g, '').toUpperCase();
}
