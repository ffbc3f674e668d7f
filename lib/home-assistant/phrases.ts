/** Sentences that Home Assistant shows; those of a release summary fit into 255 characters. */
export const PHRASE_NAMES = ['unarmed', 'offer', 'offer-digest'] as const;

export type PhraseName = (typeof PHRASE_NAMES)[number];

/** A sentence in the person's language. */
export type Phrase = (name: PhraseName, values?: Readonly<Record<string, string>>) => string;
