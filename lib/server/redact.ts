/** The value of an apikey in JSON text, to its closing quote or, in a message cut short, to its end. */
const APIKEY_VALUE = /("apikey"\s*:\s*")(?:[^"\\]|\\.)*/gi;

/** Device keys and session keys are UUIDs: also in a message that spells its names in some other way. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** A message as it may be logged: every key is replaced by an ellipsis, the rest stays as it was on the wire. */
export function redactKeys(text: string): string {
  return text.replace(APIKEY_VALUE, '$1…').replace(UUID, '…');
}
