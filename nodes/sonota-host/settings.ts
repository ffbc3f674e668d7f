import { asFlashError, type FlashError } from '../../lib/errors';
import type { HostSettings } from '../../lib/flash/host/host';
import type { WifiSettings } from '../../lib/net/wifi/choose';
import { WIFI_DRIVERS } from '../../lib/net/wifi/wifi';
import { FINALSTAGE_PORT } from '../../lib/protocol/finalstage';
import type { HomeWifi } from '../shared/hosts';
import type { Values } from '../shared/values';

export interface HostForm {
  /** With the first value that cannot be read as its problem: then the host does not listen. */
  readonly settings: HostSettings;
  readonly wifi: HomeWifi;
  readonly radio: WifiSettings;
}

/**
 * Reads the form of a host. What cannot be read counts as empty: the host exists all the same, so that its users can
 * say what is wrong.
 *
 * @param editorPort where Node-RED's editor is, for a person to reach it
 */
export function readHostForm(form: Values, editorPort: number): HostForm {
  const problems: FlashError[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (thrown) {
      problems.push(asFlashError(thrown));
      return undefined;
    }
  };
  const text = (key: string): string => attempt(() => form.text(key)) ?? '';
  const port = (key: string, otherwise: number): number => attempt(() => form.port(key)) ?? otherwise;

  // An empty field is not given, even where only the message can give an empty password.
  const wifi = {
    ssid: attempt(() => form.exactText('ssid')) || undefined,
    password: attempt(() => form.exactText('password')) || undefined,
  };
  const radio = {
    driver: attempt(() => form.choice('wifi', ['auto', ...WIFI_DRIVERS] as const)) ?? ('auto' as const),
    interfaceName: text('wifiInterface'),
    allowUplink: text('wifiUplink'),
    editorPort,
    ...homeOf(wifi),
  };
  const settings = {
    bind: text('bind') || '0.0.0.0',
    address: text('address'),
    httpsPort: port('httpsPort', 8443),
    legacyPort: port('legacyPort', 8081),
    httpPort: port('httpPort', 8080),
    finalStagePort: port('finalStagePort', FINALSTAGE_PORT),
  };
  return { settings: { ...settings, problem: problems[0] }, wifi, radio };
}

function homeOf({ ssid, password }: HomeWifi): Pick<WifiSettings, 'home'> {
  return ssid !== undefined && password !== undefined ? { home: { ssid, psk: password } } : {};
}
