import type { ServerResponse } from 'node:http';
import type { DeviceContext } from '../device/context';
import type { OtherProject } from './new-firmware';
import { accessPointMac, type HomeNetwork } from '../device/radio';
import { OWN_ADDRESS, type NewFirmwareHooks } from '../tasmota/tasmota';
import { hang } from '../device/timers';
import { whileServing } from '../wire/web-page';

interface OtherPage {
  /** The name of its access point. */
  readonly ssid: (chip: string) => string;
  /** Its page at `/`, as far as that distinguishes it. */
  readonly html: string;
}

const PAGES: Readonly<Record<OtherProject, OtherPage>> = {
  // Its captive portal loads its script from there (components/captive_portal, web_server).
  esphome: {
    ssid: (chip) => `sonoff-${chip} Fallback Hotspot`,
    html: '<!DOCTYPE html><html><head><title>sonoff</title><link rel="stylesheet" href="/0.css"></head><body><h1>WiFi Networks</h1><form method="GET" action="/wifisave"><input name="ssid"><input name="psk"></form><esp-app></esp-app><script src="https://oi.esphome.io/v2/www.js"></script></body></html>',
  },
  espurna: {
    ssid: (chip) => `ESPURNA-${chip}`,
    html: '<!DOCTYPE html><html><head><title>ESPurna</title></head><body><h1>ESPURNA</h1></body></html>',
  },
  other: {
    ssid: (chip) => `sonoff-${chip}`,
    html: '<!DOCTYPE html><html><head><title>Device</title></head><body><h1>It works</h1></body></html>',
  },
};

/** Firmware that only shows itself: its access point with its page, until the power goes. */
export async function runOtherFirmware(
  device: DeviceContext,
  project: OtherProject,
  hooks: NewFirmwareHooks,
  signal: AbortSignal,
): Promise<never> {
  if (!device.behaviours.newFirmwareShows) {
    device.enter('new-silent');
    device.failed('new-firmware-silent');
    return await hang(signal);
  }
  const { mac } = device.identity;
  const { ssid, html } = PAGES[project];
  const network = {
    ssid: ssid(mac.replace(/:/g, '').slice(-6)),
    address: OWN_ADDRESS,
    bssid: accessPointMac(mac),
  };
  const at = { address: hooks.place.apAddress, port: hooks.place.apPort };
  let keep: (wifi: HomeNetwork) => void = () => undefined;
  const kept = new Promise<HomeNetwork>((resolve) => (keep = resolve));
  await device.radio.openAccessPoint(network);
  try {
    return await whileServing(
      at,
      (request, response) => {
        const url = new URL(request.url ?? '/', 'http://device');
        if (project === 'esphome' && takesWifi(device, url, response, keep)) return;
        response.writeHead(url.pathname === '/' ? 200 : 404, { 'Content-Type': 'text/html' });
        response.end(url.pathname === '/' ? html : '');
      },
      async (port) => {
        hooks.onPage('ap', at.address, port);
        device.enter('new-access-point');
        const wifi = await Promise.race([kept, hang(signal)]);
        const address = await hooks.joinHome(wifi, signal);
        device.enter(address === undefined ? 'new-not-joined' : 'new-at-home');
        return await hang(signal);
      },
    );
  } finally {
    await device.radio.closeAccessPoint(network);
  }
}

/** Its captive portal, as captive_portal.cpp answers: it joins the first Wi-Fi that it is given. */
function takesWifi(
  { identity }: DeviceContext,
  { pathname, searchParams }: URL,
  response: ServerResponse,
  keep: (wifi: HomeNetwork) => void,
): boolean {
  if (pathname === '/config.json') {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(`{"mac":"${identity.mac}","name":"sonoff","aps":[{}]}`);
    return true;
  }
  if (pathname !== '/wifisave') return false;
  response.writeHead(302, { Location: '/?save' });
  response.end();
  keep({ ssid: searchParams.get('ssid') ?? '', password: searchParams.get('psk') ?? '' });
  return true;
}
