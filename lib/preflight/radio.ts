import { asFlashError } from '../errors';
import type { WifiChoice } from '../net/wifi/choose';
import type { FlashHost } from '../flash/host/host';
import { isLoopback } from '../net/addresses';
import { failed, noted, passed, type SaidCheck } from './check';
import type { Machine } from './machine';
import { phrase, sentence, type Phrase } from './phrases';

/** The way the networks of a device are joined, and why the better options were ruled out. Joining manually is not an error. */
export async function checkRadio(
  host: Pick<FlashHost, 'radio' | 'bind'>,
  machine: Machine,
  signal: AbortSignal,
): Promise<SaidCheck> {
  try {
    const choice = await host.radio.choice(signal);
    // A rehearsal on this machine joins nothing.
    const isStuck = choice.driver === 'manual' && machine.hasWifi === false && !isLoopback(host.bind);
    if (isStuck) return noted('radio', 'wifi-unavailable', phrase('radio-no-wifi'), 'get-wifi');
    return passed('radio', 'wifi-unavailable', whoJoins(choice));
  } catch (thrown) {
    return failed('radio', asFlashError(thrown));
  }
}

function whoJoins({ driver, interfaceName = '?', refusals }: WifiChoice): Phrase[] {
  const who = driver === 'manual' ? phrase('radio-by-hand') : phrase(`radio-${driver}`, { interfaceName });
  return [who, ...refusals.map(({ error: { code, values } }) => sentence(code, 'what', values))];
}
