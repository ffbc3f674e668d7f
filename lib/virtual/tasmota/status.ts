import type { Answer } from './answer';
import type { TasmotaMachine } from './machine';
import { isApiOpen } from './settings';

/** The answers to `Status <n>`, as far as a set-up reads them; the others have their frame and little in it. */
const PARTS: Readonly<Record<number, (machine: TasmotaMachine) => Answer>> = {
  1: ({ settings, uptime }) => ({
    StatusPRM: {
      Baudrate: 115200,
      GroupTopic: 'tasmotas',
      OtaUrl: '',
      RestartReason: 'Software/System restart',
      Uptime: uptime,
      Sleep: 50,
      BootCount: settings.bootCount,
      SaveCount: settings.bootCount + 1,
    },
  }),
  2: ({ version }) => ({
    StatusFWR: {
      Version: `${version}(virtual)`,
      Boot: 31,
      Core: '2_7_8',
      SDK: '2.2.2',
      Hardware: 'ESP8266EX',
    },
  }),
  3: ({ settings }) => ({ StatusLOG: { SerialLog: 2, WebLog: 2, MqttLog: 0, SysLog: 0, SSId: settings.ssids } }),
  5: (machine) => ({
    StatusNET: {
      Hostname: machine.hostname,
      IPAddress: machine.address,
      Gateway: machine.isInManagerMode ? '0.0.0.0' : machine.address,
      Mac: machine.device.identity.mac,
      Webserver: 2,
      HTTP_API: isApiOpen(machine.settings) ? 1 : 0,
      WifiConfig: machine.settings.wifiConfig,
      WifiPower: 17,
    },
  }),
  6: ({ settings, mqttCount, device }) => ({
    StatusMQT: {
      MqttHost: settings.mqttHost,
      MqttPort: settings.mqttPort,
      MqttClientMask: 'DVES_%06X',
      MqttClient: clientId(device.identity.mac),
      MqttUser: settings.mqttUser,
      MqttCount: mqttCount,
      MAX_PACKET_SIZE: 1200,
      KEEPALIVE: 30,
    },
  }),
  11: (machine) => ({
    StatusSTS: {
      Uptime: machine.uptime,
      MqttCount: machine.mqttCount,
      POWER: 'OFF',
      Wifi: { AP: 1, SSId: machine.settings.ssids[0], RSSI: 96, Signal: -52, LinkCount: 1 },
    },
  }),
};

/** `Status`, `Status 0` and `Status <n>`; undefined for one that it does not have. */
export function statusOf(machine: TasmotaMachine, number: number | undefined): Answer | undefined {
  if (number === undefined) return plainStatus(machine);
  if (number !== 0) return PARTS[number]?.(machine);
  return Object.assign(plainStatus(machine), ...Object.values(PARTS).map((part) => part(machine))) as Answer;
}

export function clientId(mac: string): string {
  return `DVES_${mac.replace(/:/g, '').slice(-6)}`;
}

function plainStatus({ settings, module }: TasmotaMachine): Answer {
  return {
    Status: {
      Module: module,
      DeviceName: settings.deviceName,
      FriendlyName: [settings.friendlyName],
      Topic: settings.topic,
      ButtonTopic: '0',
      Power: 0,
      PowerOnState: 3,
    },
  };
}
