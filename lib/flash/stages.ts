/** As messages, evidence and stored jobs name a route (`intermediate`). */
export type RouteName = 'finalstage' | 'one-hop' | 'diy';

/** The stages of all routes in their order; one that several routes have stands here once. */
export const STAGES = ['provision', 'cloud', 'upgrade', 'diy', 'finalstage', 'newfirmware'] as const;

export type StageName = (typeof STAGES)[number];

/** Whether stage `a` comes after stage `b`. */
export function isLater(a: StageName, b: StageName): boolean {
  return STAGES.indexOf(a) > STAGES.indexOf(b);
}
