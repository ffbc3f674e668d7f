import { FlashError } from '../../lib/errors';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { Message } from '../../lib/flash/job/ticket';
import type { TasmotaDevice } from '../../lib/flash/tasmota/set-up-options';
import type { TasmotaWishes } from '../../lib/flash/tasmota/wishes';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../lib/protocol/new-firmware';
import type { HostNode } from '../shared/hosts';
import { deviceOf } from '../shared/messages';
import { httpUrlOr, numberOr, textOr, textOrNone } from '../shared/properties';

/** The form. */
export interface TasmotaSetupDef {
  host: string;
  url?: string;
  address?: string;
  topic?: string;
  deviceName?: string;
  template?: string;
  mqttHost?: string;
  mqttPort?: number | string;
  timeout?: number | string;
}

export interface TasmotaCredentials {
  mqttUser: unknown;
  mqttPassword: unknown;
  webPassword: unknown;
}

/** What the message carries of the device: its flash's job, as the nodes before put it there. */
export function deviceIn({ sonota }: Message): TasmotaDevice {
  const { mac, model, ip } = (typeof sonota === 'object' && sonota !== null ? sonota : {}) as Partial<JobSnapshot>;
  return { mac: textOrNone(mac), model: textOrNone(model), ip: textOrNone(ip) };
}

/**
 * Where it is at home: as the form says, the message, or the node that has found it there.
 * @throws FlashError `url-invalid`
 */
export function homeUrlIn({ address }: TasmotaSetupDef, message: Message): string | undefined {
  const { kind, url } = (message['payload'] ?? {}) as { kind?: unknown; url?: unknown };
  const seen = kind === 'tasmota' && typeof url === 'string' && !isAccessPoint(url) ? url : '';
  const given = textOr(address, textOr(message['address'], seen));
  if (given === '') return undefined;
  return new URL(httpUrlOr(/^[\w.-]+(:\d+)?$/.test(given) ? `http://${given}` : given, '')).origin;
}

/**
 * What the device is to be given; what the form leaves open, `msg.tasmota` may say. Passwords are never taken from a
 * message, save the Wi-Fi's, which was taken out of it.
 *
 * @throws FlashError `tasmota-other-firmware` where the node before has found something else
 */
export function wishesOf(given: {
  readonly config: TasmotaSetupDef;
  readonly credentials: TasmotaCredentials | undefined;
  readonly wifi: HostNode['wifi'];
  readonly message: Message;
  readonly password: string | undefined;
}): TasmotaWishes {
  const { config, wifi, message, password } = given;
  const secret = (name: keyof TasmotaCredentials): string | undefined => textOrNone(given.credentials?.[name]);
  refuseOthers(message);
  const own = (typeof message['tasmota'] === 'object' ? (message['tasmota'] ?? {}) : {}) as Record<string, unknown>;
  const filled = (text: string): string | undefined => fill(text, message);
  const host = textOr(config.mqttHost, textOr(own['mqttHost'], ''));
  return {
    ssid: wifi.ssid ?? textOrNone(message['ssid']),
    password: wifi.password ?? password,
    topic: filled(textOr(config.topic, textOr(own['topic'], ''))),
    name: filled(textOr(config.deviceName, textOr(own['name'], ''))),
    template: textOrNone(textOr(config.template, templateText(own['template']))),
    mqtt:
      host === ''
        ? undefined
        : { host, port: numberOr(config.mqttPort, 1883), user: secret('mqttUser'), password: secret('mqttPassword') },
    webPassword: secret('webPassword'),
  };
}

function refuseOthers({ payload }: Message): void {
  const { kind, url } = (payload ?? {}) as { kind?: unknown; url?: unknown };
  const names: Record<string, string> = { esphome: 'ESPHome', espurna: 'ESPurna', other: 'something else' };
  const name = typeof kind === 'string' ? names[kind] : undefined;
  if (name === undefined || typeof url !== 'string') return;
  throw new FlashError('tasmota-other-firmware', { url, firmware: name });
}

/** `{deviceid}` stands for the device's id, as on its label. */
function fill(text: string, message: Message): string | undefined {
  return textOrNone(text.replaceAll('{deviceid}', deviceOf(message) ?? 'unknown'));
}

/** A number, a text, or the template itself. */
function templateText(template: unknown): string {
  if (typeof template === 'object' && template !== null) return JSON.stringify(template);
  return typeof template === 'string' || typeof template === 'number' ? String(template) : '';
}

function isAccessPoint(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname === NEW_FIRMWARE_AP_ADDRESS;
}
