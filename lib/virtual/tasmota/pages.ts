import type { TasmotaMachine } from './machine';

/** The page at `/` for a browser: the Wi-Fi page in the access point, the main menu at home. Its foot names its author. */
export function tasmotaPage({ version, settings, hostname, isInManagerMode }: TasmotaMachine): string {
  const title = isInManagerMode ? 'Configure WiFi' : 'Main Menu';
  const name = escape(settings.deviceName);
  const body = isInManagerMode
    ? `<h3>${name}</h3><p>Give it a Wi-Fi with the commands SSID1 and Password1.</p>`
    : `<h2>${name}</h2><h4>${escape(hostname)}</h4><p>OFF</p>`;
  return (
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${name} - ${title}</title></head><body>${body}` +
    `<div><a href="https://bit.ly/tasmota">Tasmota ${version}(virtual) by Theo Arends</a></div></body></html>`
  );
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
