import { FlashError } from '../errors';

/**
 * Where a host writes what people should know: its config node's log.
 *
 * @param error whose sentences the text is, so that they can be logged in another language
 */
export type HostLog = (level: 'info' | 'warn', text: string, error?: FlashError) => void;

/** A line on anything thrown. */
export function lineOf(thrown: unknown): [text: string, error?: FlashError] {
  if (thrown instanceof FlashError) return [thrown.message, thrown];
  return [thrown instanceof Error ? thrown.message : String(thrown)];
}
