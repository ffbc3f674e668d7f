import { FlashError } from '../../lib/errors';
import type { SetUpOptions, TasmotaDevice } from '../../lib/tasmota/set-up-options';
import type { TasmotaSettings } from '../../lib/tasmota/settings';
import { isLoopback } from '../../lib/net/addresses';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../lib/protocol/new-firmware';
import { homeWifi, type HostNode } from '../shared/hosts';
import type { MessageValues } from '../shared/messages';
import type { Values } from '../shared/values';

/** Undefined where the form leaves it open. */
export interface TasmotaForm {
  readonly apUrl: string;
  readonly address: string | undefined;
  readonly topic: string | undefined;
  readonly name: string | undefined;
  readonly template: string | undefined;
  readonly mqttHost: string | undefined;
  readonly mqttPort: number;
  readonly mqttUser: string | undefined;
  /** Secrets. */
  readonly mqttPassword: string | undefined;
  readonly webPassword: string | undefined;
  readonly timeoutSeconds: number;
}

/** @param form with the node's credentials */
export function readForm(form: Values): TasmotaForm {
  return {
    apUrl: form.httpUrl('url') ?? `http://${NEW_FIRMWARE_AP_ADDRESS}`,
    address: form.httpUrl('address'),
    topic: form.text('topic'),
    name: form.text('deviceName'),
    template: form.text('template'),
    mqttHost: form.text('mqttHost'),
    mqttPort: form.port('mqttPort') ?? 1883,
    mqttUser: form.exactText('mqttUser') || undefined,
    mqttPassword: form.exactText('mqttPassword') || undefined,
    webPassword: form.exactText('webPassword') || undefined,
    timeoutSeconds: form.seconds('timeout') ?? 300,
  };
}

/**
 * What a set-up is to do; what the form leaves open, the message may say. Passwords are never taken from a message, save
 * the Wi-Fi's, which was taken out of it.
 *
 * @throws FlashError `tasmota-other-firmware` where the node before has found something else, `url-invalid`,
 *   `value-invalid`, `variable-unset`, `wifi-credentials-unusable`
 */
export function planOf(
  host: HostNode,
  form: TasmotaForm,
  said: MessageValues,
): Pick<SetUpOptions, 'device' | 'settings' | 'apUrl' | 'homeUrl' | 'timeoutSeconds'> {
  refuseOthers(said);
  const { apUrl, timeoutSeconds } = form;
  const settings = wishesOf(host, form, said);
  return { device: deviceIn(said), settings: settings, apUrl, homeUrl: homeUrlIn(form, said), timeoutSeconds };
}

/** The device of the message: its flash's job, as the nodes before put it there. */
function deviceIn(said: MessageValues): TasmotaDevice {
  const job = said.inside('sonota');
  const [mac, linkMac, bssid] = [job.text('mac'), job.text('linkMac'), job.text('bssid')];
  return { mac, linkMac, bssid, model: job.text('model'), ip: job.text('ip') };
}

/** Where it is at home: as the form says, the message, or the node that has found it there. */
function homeUrlIn({ address }: TasmotaForm, said: MessageValues): string | undefined {
  const found = said.inside('payload');
  const seen = found.raw('kind') === 'tasmota' ? found.httpUrl('url') : undefined;
  const given = address ?? addressIn(said) ?? (seen && !isAccessPoint(seen) ? seen : undefined);
  return given && new URL(given).origin;
}

/** A flash in DIY mode is given the address of the stock firmware in the same property: nothing is there any more. */
function addressIn(said: MessageValues): string | undefined {
  const given = said.httpUrl('address');
  if (given === undefined) return undefined;
  const { hostname } = new URL(given);
  const isOfStock = hostname === said.inside('sonota').text('ip') && !isLoopback(hostname);
  return isOfStock ? undefined : given;
}

function wishesOf(host: HostNode, form: TasmotaForm, said: MessageValues): TasmotaSettings {
  const own = said.object('tasmota');
  const mqttHost = form.mqttHost ?? own?.text('mqttHost');
  const { mqttPort: port, mqttUser: user, mqttPassword: password, webPassword } = form;
  return {
    ...homeWifi(host, said),
    topic: fill(form.topic ?? own?.text('topic'), said),
    name: fill(form.name ?? own?.text('name'), said),
    template: form.template ?? templateIn(own),
    mqtt: mqttHost === undefined ? undefined : { host: mqttHost, port, user, password },
    webPassword,
  };
}

function refuseOthers(said: MessageValues): void {
  const found = said.inside('payload');
  const [kind, url] = [found.raw('kind'), found.raw('url')];
  const names: Record<string, string> = { esphome: 'ESPHome', espurna: 'ESPurna', other: 'something else' };
  const name = typeof kind === 'string' ? names[kind] : undefined;
  if (name === undefined || typeof url !== 'string') return;
  throw new FlashError('tasmota-other-firmware', { url, firmware: name });
}

/** `{deviceid}` stands for the device's id, as on its label. */
function fill(text: string | undefined, said: MessageValues): string | undefined {
  return text?.replaceAll('{deviceid}', said.deviceId() ?? 'unknown');
}

/** A number, a text, or the template itself. */
function templateIn(own: Values | undefined): string | undefined {
  const template = own?.raw('template');
  if (typeof template === 'object' && template !== null) return JSON.stringify(template);
  return own?.text('template');
}

function isAccessPoint(url: string): boolean {
  return new URL(url).hostname === NEW_FIRMWARE_AP_ADDRESS;
}
