/**
 * The stages of a flash in their order, and which part of the job's percent each of them covers (docs/dev/design.md#4).
 */
export const STAGES = ['provision', 'cloud', 'upgrade', 'finalstage', 'newfirmware'] as const;

export type StageName = (typeof STAGES)[number];

const PERCENT_SPANS: Readonly<Record<StageName, readonly [from: number, to: number]>> = {
  provision: [0, 10],
  cloud: [10, 20],
  upgrade: [20, 60],
  finalstage: [60, 100],
  // Instead of FinalStage, or after it: then the job has its 100 already, and keeps them.
  newfirmware: [60, 100],
};

/**
 * The job's percent when `fraction` (0 to 1) of a stage is behind us. A whole number; the stage's upper bound is
 * reached with fraction 1 only, so 100 is said by the last stage's end alone.
 */
export function percentOfJob(stage: StageName, fraction: number): number {
  const [from, to] = PERCENT_SPANS[stage];
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, fraction)));
}

/** Whether stage `a` comes after stage `b`. */
export function isLater(a: StageName, b: StageName): boolean {
  return STAGES.indexOf(a) > STAGES.indexOf(b);
}
