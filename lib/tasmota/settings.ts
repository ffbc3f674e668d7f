import { FlashError } from '../errors';
import { checkSetting, checkTopic, readAnswer, WifiConfig, type TasmotaCommand } from '../protocol/tasmota';
import { templateOf, type ModelTemplate } from './templates';
import { wording, type Wording } from '../wordings/wording';

export interface MqttSettings {
  /** As the device can reach it. */
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  /** A secret. */
  readonly password?: string | undefined;
}

/** The settings for a Tasmota. Undefined or empty: it keeps its own. */
export interface TasmotaSettings {
  readonly ssid: string | undefined;
  /** Empty for an open Wi-Fi. A secret. */
  readonly password: string | undefined;
  readonly mqtt: MqttSettings | undefined;
  readonly topic: string | undefined;
  readonly name: string | undefined;
  /** A module's number, a template as JSON, or `keep`; undefined: what is known of the model. */
  readonly template: string | undefined;
  /** A secret: it is asked for from then on. */
  readonly webPassword: string | undefined;
}

/** The module that a device is to be, or why it keeps the one it has. */
export type ModuleChoice =
  | { readonly commands: readonly TasmotaCommand[]; readonly module: number; readonly name?: string }
  | { readonly commands: readonly []; readonly warning?: FlashError };

const MODULE = /^\d{1,3}$/;

/**
 * Checks everything that can be checked before a device is touched.
 * @throws FlashError `tasmota-setting-unusable`, `wifi-credentials-missing`
 */
export function checkSettings(settings: TasmotaSettings): void {
  const { ssid, password, mqtt, topic, name, template, webPassword } = settings;
  if (ssid !== undefined) checkSetting('home-wifi-name', ssid);
  if (password) {
    checkSetting('home-wifi-password', password);
    if (password.length < 5) {
      throw new FlashError('tasmota-setting-unusable', {
        what: wording('home-wifi-password'),
        reason: wording('setting-short', { limit: 5 }),
      });
    }
  }
  if (mqtt) {
    checkSetting('mqtt-host', mqtt.host);
    if (mqtt.user) checkSetting('mqtt-user', mqtt.user);
    if (mqtt.password) checkSetting('mqtt-password', mqtt.password);
  }
  if (topic) checkTopic(topic);
  if (name) checkSetting('tasmota-name', name);
  if (webPassword) checkSetting('tasmota-web-password', webPassword);
  if (template && template !== 'keep' && !MODULE.test(template) && !isTemplate(template)) {
    const reason = wording('setting-template');
    throw new FlashError('tasmota-setting-unusable', { what: wording('tasmota-template'), reason });
  }
}

/**
 * The Wi-Fi alone, for a Tasmota in its access point. While it tries, it comes back to that where it does not get in.
 * @throws FlashError `wifi-credentials-missing`
 */
export function wifiCommands({ ssid, password }: TasmotaSettings): TasmotaCommand[] {
  if (!ssid) throw new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
  if (password === undefined) throw new FlashError('wifi-credentials-missing', { what: wording('wifi-password') });
  return [
    ['WifiConfig', WifiConfig.manager],
    ['SSID1', ssid],
    ['Password1', password === '' ? '"' : password],
  ];
}

/**
 * Everything else, for a Tasmota that is at home.
 * @param wifiConfig what `WifiConfig` was before ours: a device that merely loses its Wi-Fi must not open its door to all
 */
export function homeCommands(
  { mqtt, topic, name, webPassword }: TasmotaSettings,
  {
    choice,
    hasDeviceName,
    wifiConfig,
  }: { choice: ModuleChoice; hasDeviceName: boolean; wifiConfig: number | undefined },
): TasmotaCommand[] {
  return [
    ...(wifiConfig === undefined ? [] : [['WifiConfig', wifiConfig] as const]),
    ...choice.commands,
    ...(topic ? [['Topic', topic] as const] : []),
    ...(name && hasDeviceName ? [['DeviceName', name] as const] : []),
    ...(name ? [['FriendlyName1', name] as const] : []),
    ...(mqtt
      ? [
          ['MqttHost', mqtt.host] as const,
          ['MqttPort', mqtt.port] as const,
          ['MqttUser', mqtt.user || '"'] as const,
          ['MqttPassword', mqtt.password || '"'] as const,
        ]
      : []),
    ...(webPassword ? [['WebPassword', webPassword] as const] : []),
  ];
}

/** @param model as the stock firmware stated it */
export function chooseModule({ template }: TasmotaSettings, model: string | undefined): ModuleChoice {
  if (template === 'keep') return { commands: [] };
  if (template && MODULE.test(template)) {
    return { commands: [['Module', Number(template)]], module: Number(template) };
  }
  if (template)
    return {
      commands: [
        ['Template', template],
        ['Module', 0],
      ],
      module: 0,
    };
  const known = templateOf(model);
  if (known?.module) {
    const { number: module, name } = known.module;
    return { commands: [['Module', module]], module, name };
  }
  return {
    commands: [],
    warning: new FlashError('template-unknown', { model: model ?? wording('unknown'), reason: whyNot(known) }),
  };
}

function whyNot(known: ModelTemplate | undefined): Wording {
  if (!known) return wording('module-untold');
  const names = known.candidates.map(({ number, name }) => `${number} (${name})`);
  return wording('module-of-several', { list: names.slice(0, -1).join(', '), last: names.at(-1) ?? '?' });
}

function isTemplate(text: string): boolean {
  return Array.isArray(readAnswer(text)?.['GPIO']);
}
