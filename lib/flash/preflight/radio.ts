import { asFlashError } from '../../errors';
import type { WifiChoice } from '../../net/wifi/choose';
import type { FlashHost } from '../host/host';
import { failed, passed, type SaidCheck } from './check';
import { phrase, sentence, type Phrase } from './phrases';

/** Who joins the networks of a device, and why nobody better: by hand is no fault. */
export async function checkRadio(host: Pick<FlashHost, 'radio'>, signal: AbortSignal): Promise<SaidCheck> {
  try {
    return passed('radio', 'wifi-unavailable', whoJoins(await host.radio.choice(signal)));
  } catch (thrown) {
    return failed('radio', asFlashError(thrown));
  }
}

function whoJoins({ driver, interfaceName = '?', refusals }: WifiChoice): Phrase[] {
  const who = driver === 'manual' ? phrase('radio-by-hand') : phrase(`radio-${driver}`, { interfaceName });
  return [who, ...refusals.map(({ error: { code, values } }) => sentence(code, 'what', values))];
}
