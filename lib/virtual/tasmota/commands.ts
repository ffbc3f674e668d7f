import type { Answer } from './answer';
import type { TasmotaMachine } from './machine';
import { MODULES } from './modules';
import { defaultTopic, saveSettings, type TasmotaSettings } from './settings';
import { statusOf } from './status';

/** One command as it was taken apart: `SSID2 home` has the index 2 and the data `home`. */
interface Call {
  readonly machine: TasmotaMachine;
  readonly index: number;
  readonly data: string;
}

/** Answers, or returns undefined for data that the command does not take. */
type Command = (call: Call) => Answer | undefined;

/** Shown in place of a Wi-Fi password when it is read. */
const HIDDEN = '****';
const WIFI_CONFIG: Readonly<Record<number, string>> = { 0: 'Restart', 2: 'WifiManager', 4: 'Retry', 5: 'Wait' };

/**
 * Runs one command as Tasmota does (docs: Commands; source: support_command.ino, xdrv_02_9_mqtt.ino) and returns its
 * answer. Names have no case. A change of Wi-Fi, MQTT, topic or module wants a restart.
 */
export function execute(machine: TasmotaMachine, line: string): Answer {
  const match = /^\s*([a-z]+)(\d*)(?:\s+(.*))?$/is.exec(line);
  const command = COMMANDS[match?.[1]?.toLowerCase() ?? ''];
  if (!match || !command) return { Command: 'Unknown' };
  const index = match[2] ? Number(match[2]) : 1;
  const answer = command({ machine, index, data: match[3] ?? '' }) ?? { Command: 'Error' };
  saveSettings(machine.device.flash, machine.settings);
  return answer;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  status: ({ machine, data }) => statusOf(machine, /^\d+$/.test(data) ? Number(data) : undefined),
  ssid: (call) => networkText(call, 'ssids', 'SSId', (text) => text),
  password: (call) => {
    // Four characters and fewer are not taken: it answers as if it had been asked.
    if (call.data.length > 1 && call.data.length < 5)
      return networkText({ ...call, data: '' }, 'wifiPasswords', 'Password', () => HIDDEN);
    return networkText(call, 'wifiPasswords', 'Password', (text) => (call.data === '' ? HIDDEN : text));
  },
  wificonfig: ({ machine, data }) => {
    const wanted = Number(data);
    if (data !== '' && WIFI_CONFIG[wanted] !== undefined) {
      machine.settings.wifiConfig = wanted;
      // In its access point it restarts; at home, WifiConfig 2 closes the door behind it for three minutes.
      if (wanted === 2 && !machine.isInManagerMode) machine.settings.managerNext = true;
      if (wanted === 2 || machine.isInManagerMode) machine.wantsRestart = true;
    }
    const now = machine.settings.wifiConfig;
    return { WifiConfig: { [now]: WIFI_CONFIG[now] } };
  },
  mqtthost: (call) => text(call, 'mqttHost', 'MqttHost', { restart: true }),
  mqttport: ({ machine, data }) => {
    const port = Number(data);
    if (data !== '' && port > 0 && port < 65_536) {
      machine.settings.mqttPort = port === 1 ? 1883 : port;
      machine.wantsRestart = true;
    }
    return { MqttPort: machine.settings.mqttPort };
  },
  mqttuser: (call) => text(call, 'mqttUser', 'MqttUser', { restart: true, asItComes: 'DVES_USER' }),
  mqttpassword: (call) => {
    const answer = text(call, 'mqttPassword', 'MqttPassword', { restart: true, asItComes: 'DVES_PASS' });
    return call.data === '' ? { MqttPassword: HIDDEN } : answer;
  },
  topic: (call) => {
    const data = call.data.replace(/[+#]/g, '').replace(/ /g, '_');
    const asItComes = defaultTopic(call.machine.device.identity.mac);
    return text({ ...call, data }, 'topic', 'Topic', { restart: true, asItComes });
  },
  devicename: (call) => text(call, 'deviceName', 'DeviceName', { asItComes: 'Tasmota' }),
  friendlyname: (call) =>
    call.index === 1 ? text(call, 'friendlyName', 'FriendlyName1', { asItComes: 'Tasmota' }) : undefined,
  module: ({ machine, data }) => {
    const { settings } = machine;
    const wanted = Number(data);
    if (data !== '' && (wanted === 0 || MODULES[wanted] !== undefined)) {
      settings.module = wanted;
      machine.wantsRestart = true;
    }
    return { Module: { [settings.module]: settings.module === 0 ? settings.template.NAME : MODULES[settings.module] } };
  },
  template: ({ machine, data }) => {
    if (data.startsWith('{')) {
      const given = templateOf(data);
      if (!given) return undefined;
      Object.assign(machine.settings.template, given);
      if (machine.settings.module === 0) machine.wantsRestart = true;
    }
    return { ...machine.settings.template };
  },
  webpassword: (call) => {
    const answer = text(call, 'webPassword', 'WebPassword', {});
    return call.data === '' ? { WebPassword: HIDDEN } : answer;
  },
  setoption: ({ machine, index, data }) => {
    if (data === '0' || data === '1') machine.settings.options[index] = Number(data);
    return { [`SetOption${index}`]: machine.settings.options[index] === 1 ? 'ON' : 'OFF' };
  },
  delay: ({ machine, data }) => {
    const tenths = Number(data);
    if (tenths >= 2 && tenths <= 3600)
      machine.backlogRestsUntil = performance.now() + tenths * machine.device.timings.tasmotaDelayUnit;
    return { Delay: tenths || 0 };
  },
  restart: ({ machine, data }) => {
    if (data !== '1') return { Restart: '1 to restart' };
    machine.wantsRestart = true;
    return { Restart: 'Restarting' };
  },
  backlog: ({ machine, data }) => {
    machine.backlog.push(...partsOfBacklog(data));
    // A queued command gets no answer.
    return {};
  },
};

/** `"` or 0 empties a text, 1 makes it what it was when it came; of one character only. */
function shortcut(data: string, asItComes: string): string {
  if (data === '"' || data === '0') return '';
  return data === '1' ? asItComes : data;
}

type TextName = 'mqttHost' | 'mqttUser' | 'mqttPassword' | 'topic' | 'deviceName' | 'friendlyName' | 'webPassword';

function text(
  { machine, data }: Call,
  name: TextName,
  shown: string,
  { restart = false, asItComes = '' }: { restart?: boolean; asItComes?: string },
): Answer {
  if (data !== '') {
    machine.settings[name] = shortcut(data, asItComes);
    if (restart) machine.wantsRestart = true;
  }
  return { [shown]: machine.settings[name] };
}

function networkText(
  { machine, index, data }: Call,
  name: 'ssids' | 'wifiPasswords',
  shown: string,
  show: (text: string) => string,
): Answer | undefined {
  if (index !== 1 && index !== 2) return undefined;
  const texts: TasmotaSettings['ssids'] = machine.settings[name];
  if (data !== '') {
    texts[index - 1] = shortcut(data, '');
    machine.wantsRestart = true;
  }
  return { [`${shown}${index}`]: show(texts[index - 1] ?? '') };
}

function templateOf(data: string): Partial<TasmotaSettings['template']> | undefined {
  try {
    const given = JSON.parse(data) as Partial<TasmotaSettings['template']>;
    return Array.isArray(given.GPIO) && typeof given.NAME === 'string' ? given : undefined;
  } catch {
    return undefined;
  }
}

/** Cut at each semicolon, save where braces are still open: one in a password swallows what follows. */
export function partsOfBacklog(data: string): string[] {
  const parts: string[] = [];
  let open = '';
  for (const piece of data.split(';')) {
    open = open === '' ? piece : `${open};${piece}`;
    if (count(open, '{') !== count(open, '}')) continue;
    parts.push(open);
    open = '';
  }
  return [...parts, open].map((part) => part.trim().replace(/^(backlog\s*)+/i, '')).filter((part) => part !== '');
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
