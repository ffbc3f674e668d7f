import { type DeviceContext, Restart } from '../device/context';
import type { NewFirmwareServer } from '../new-firmware/new-firmware';
import { accessPointMac, type HomeNetwork } from '../device/radio';
import { hang, pause } from '../device/timers';
import { whileServing } from '../wire/web-page';
import { execute } from './commands';
import { TasmotaMachine } from './machine';
import { keepConnected } from './mqtt';
import { loadSettings, saveSettings } from './settings';
import { serveTasmota } from './web-server';

/** An ESP8266's own address in a network that it makes. */
export const OWN_ADDRESS = '192.168.4.1';

export interface NewFirmwareHooks {
  readonly place: NewFirmwareServer;
  /** Its address at home, or undefined where it does not get in. */
  joinHome(network: HomeNetwork, signal: AbortSignal): Promise<string | undefined>;
  /** Its web page answers at this address and port. */
  onPage(network: 'ap' | 'home', address: string, port: number): void;
}

/**
 * Tasmota, from its boot to its restart: with no Wi-Fi of its own it opens its access point; with one it joins that, and
 * comes back to its access point only with WifiConfig 2. Rejects with a Restart, or with the signal's reason.
 */
export async function runTasmota(
  device: DeviceContext,
  { version }: { readonly version: string },
  hooks: NewFirmwareHooks,
  outer: AbortSignal,
): Promise<never> {
  const settings = loadSettings(device);
  settings.bootCount++;
  saveSettings(device.flash, settings);
  const machine = new TasmotaMachine(device, version, settings);
  const boot = new AbortController();
  const signal = AbortSignal.any([outer, boot.signal]);
  try {
    return await untilFirst([workOffBacklog(machine, signal), beOnAir(machine, hooks, signal)], boot);
  } finally {
    boot.abort();
  }
}

/** The others are ended and waited for, so that no socket and no network of this boot is left. */
async function untilFirst(works: Promise<never>[], boot: AbortController): Promise<never> {
  try {
    return await Promise.race(works);
  } finally {
    boot.abort(new Restart('over'));
    await Promise.allSettled(works);
  }
}

/** One command at a time with a pause between two; a restart waits until none is left (support_tasmota.ino). */
async function workOffBacklog(machine: TasmotaMachine, signal: AbortSignal): Promise<never> {
  const { timings } = machine.device;
  for (;;) {
    await pause(timings.tasmotaBacklog, signal);
    if (machine.backlog.length > 0) {
      if (performance.now() >= machine.backlogRestsUntil) execute(machine, machine.backlog.shift() ?? '');
    } else if (machine.wantsRestart) {
      await pause(timings.tasmotaRestarts, signal);
      if (machine.backlog.length === 0) throw new Restart('Tasmota has new settings');
    }
  }
}

async function beOnAir(machine: TasmotaMachine, hooks: NewFirmwareHooks, signal: AbortSignal): Promise<never> {
  const { settings, device } = machine;
  if (!device.behaviours.newFirmwareShows) {
    device.enter('new-silent');
    device.failed('new-firmware-silent');
    return await hang(signal);
  }
  if (settings.managerNext) {
    settings.managerNext = false;
    return await openAccessPoint(machine, hooks, signal);
  }
  for (;;) {
    if (settings.ssids.every((ssid) => ssid === '')) return await openAccessPoint(machine, hooks, signal);
    device.enter('new-joining');
    const address = await joinOneOf(machine, hooks, signal);
    if (address !== undefined) return await liveAtHome(machine, address, hooks, signal);
    await pause(device.timings.tasmotaGivesUp, signal);
    if (settings.wifiConfig === 2) return await openAccessPoint(machine, hooks, signal);
    device.enter('new-not-joined');
    device.failed('new-firmware-not-joined');
  }
}

async function joinOneOf(
  { settings, device }: TasmotaMachine,
  hooks: NewFirmwareHooks,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const index of [0, 1] as const) {
    const network = { ssid: settings.ssids[index], password: settings.wifiPasswords[index] };
    if (network.ssid === '') continue;
    await pause(device.timings.tasmotaJoins, signal);
    const address = await hooks.joinHome(network, signal);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The access point: for three minutes where there is a Wi-Fi to go back to, without end on a blank device. */
async function openAccessPoint(machine: TasmotaMachine, hooks: NewFirmwareHooks, signal: AbortSignal): Promise<never> {
  const { device, settings } = machine;
  const { apAddress: address, apPort: port } = hooks.place;
  const network = { ssid: machine.hostname, address: OWN_ADDRESS, bssid: accessPointMac(device.identity.mac) };
  machine.network = { type: 'manager' };
  await device.radio.openAccessPoint(network);
  try {
    return await whileServing({ address, port }, serveTasmota(machine), async (listening) => {
      hooks.onPage('ap', address, listening);
      device.enter('new-access-point');
      if (settings.ssids.every((ssid) => ssid === '')) return await hang(signal);
      device.failed('new-firmware-not-joined');
      await pause(device.timings.tasmotaApOpen, signal);
      throw new Restart('Tasmota tries its Wi-Fi again');
    });
  } finally {
    await device.radio.closeAccessPoint(network);
  }
}

async function liveAtHome(
  machine: TasmotaMachine,
  address: string,
  hooks: NewFirmwareHooks,
  signal: AbortSignal,
): Promise<never> {
  const { device } = machine;
  machine.network = { type: 'home', address };
  try {
    return await whileServing({ address, port: hooks.place.homePort }, serveTasmota(machine), async (listening) => {
      hooks.onPage('home', address, listening);
      device.enter('new-at-home');
      return await keepConnected(machine, signal);
    });
  } finally {
    await device.radio.leaveHome();
  }
}
