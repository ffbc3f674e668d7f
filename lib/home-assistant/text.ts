/** Home Assistant keeps 255 characters of a state and of a release summary; it drops a longer state whole. */
const TEXT_AT_MOST = 255;

/** A text that fits, cut between characters (as Python counts them: an emoji is one). */
export function cut(text: string, limit = TEXT_AT_MOST): string {
  const characters = Array.from(text);
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** Makes an id for Home Assistant and a discovery topic, which allow only `[a-zA-Z0-9_-]`. */
export function safeId(text: string): string {
  return text.replace(/[^a-zA-Z0-9_-]/g, '_');
}
