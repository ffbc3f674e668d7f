/** Inputs that broke something once, each by its seed and its number, and what it was. They are sent before all others. */
export const FAILED: readonly { readonly seed: number; readonly index: number; readonly why: string }[] = [];
