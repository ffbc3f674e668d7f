import { asFlashError, sentencesOf } from '../../errors';
import type { WifiChoice } from '../../net/wifi/choose';
import type { FlashHost } from '../host/host';
import { failed, passed, type Check } from './check';

const DRIVERS = {
  networkmanager: 'NetworkManager',
  supervisor: 'The Home Assistant Supervisor',
} as const;

/** Who joins the networks of a device, and why nobody better: by hand is no fault. */
export async function checkRadio(host: Pick<FlashHost, 'radio'>, signal: AbortSignal): Promise<Check> {
  try {
    return passed('radio', 'wifi-unavailable', textOf(await host.radio.choice(signal)));
  } catch (thrown) {
    return failed('radio', asFlashError(thrown));
  }
}

function textOf({ driver, interfaceName, refusals }: WifiChoice): string {
  const why = refusals.map(({ error: { code, values } }) => sentencesOf(code, values).what).join(' ');
  const who =
    driver === 'manual'
      ? 'A person joins the networks of a device (ITEAD-…, FinalStage).'
      : `${DRIVERS[driver]} joins the networks of a device (ITEAD-…, FinalStage) by itself, with ${interfaceName}.`;
  return why === '' ? who : `${who} ${why}`;
}
