/** The answer to a command: a JSON object. */
export type Answer = Record<string, unknown>;
