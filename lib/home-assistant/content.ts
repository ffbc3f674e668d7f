/** `mqtt in` gives a text, a Buffer, or what it has parsed, as its form says: then a name of digits is a number. */
export function textOf(payload: unknown): string {
  if (Buffer.isBuffer(payload)) return payload.toString('utf8').trim();
  return typeof payload === 'string' || typeof payload === 'number' ? String(payload).trim() : '';
}

/** The object in a payload, parsed or not; undefined where there is none. */
export function readObject(payload: unknown): Readonly<Record<string, unknown>> | undefined {
  const text = textOf(payload);
  try {
    const content: unknown = text === '' ? payload : JSON.parse(text);
    const isObject =
      typeof content === 'object' && content !== null && !Array.isArray(content) && !Buffer.isBuffer(content);
    return isObject ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
