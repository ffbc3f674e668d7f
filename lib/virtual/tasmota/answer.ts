/** What a command is answered with: a JSON object. */
export type Answer = Record<string, unknown>;
