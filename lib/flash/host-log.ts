import { FlashError } from '../errors';
import { wording, type Wording, type WordingValues } from '../wordings/wording';

/**
 * Where a host writes what people should know: its config node's log.
 *
 * @param said what the English text says, so that it can be logged in another language; absent where it is a system's
 */
export type HostLog = (level: 'info' | 'warn', text: string, said?: FlashError | Wording) => void;

/** A line on anything thrown. */
export function lineOf(thrown: unknown): [text: string, said?: FlashError] {
  if (thrown instanceof FlashError) return [thrown.message, thrown];
  return [thrown instanceof Error ? thrown.message : String(thrown)];
}

export function lineOfWording(code: Wording['code'], values: WordingValues): [text: string, said: Wording] {
  const said = wording(code, values);
  return [said.text, said];
}
