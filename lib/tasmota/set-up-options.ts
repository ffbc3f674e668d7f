import type { ProgressTextName, ProgressValues } from '../progress-texts';
import type { TasmotaSettings } from './settings';

/** The known facts of the device; all of them may be missing. */
export interface TasmotaDevice {
  readonly mac: string | undefined;
  /** As the home network shows it: it tells which access point is meant, and rules out no device that answers. */
  readonly linkMac?: string | undefined;
  /** Of its access point, where this machine was in it. */
  readonly bssid?: string | undefined;
  /** As the stock firmware stated it. */
  readonly model: string | undefined;
  /** Where it was at home with its stock firmware: a router mostly gives the same MAC the same address again. */
  readonly ip: string | undefined;
}

export interface SetUpOptions {
  readonly device: TasmotaDevice;
  readonly settings: TasmotaSettings;
  /** Its own access point's, `http://192.168.4.1`. */
  readonly apUrl: string;
  /** Where a person, or the node before, has seen it at home. */
  readonly homeUrl: string | undefined;
  readonly timeoutSeconds: number;
  /** It was started before, and may have been interrupted behind the Wi-Fi. */
  readonly isResumed?: boolean;
  /** How long its first connection to the broker may take. */
  readonly mqttLimitMs?: number;
  /** Before this it is not back in its access point: that still stands in the list of networks. */
  readonly backAfterMs?: number;
  /** Between two looks at where it may be. */
  readonly lookPauseMs?: number;
  /** @param fraction how much is behind us, 0 to 1 */
  report(this: void, name: ProgressTextName, values: ProgressValues, fraction: number): void;
}
