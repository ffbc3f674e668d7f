/** As messages, evidence and stored jobs name a route (`intermediate`). */
export type RouteName = 'finalstage' | 'one-hop' | 'diy';

/** The stages of all routes in their order; one that several routes have stands here once. */
export const STAGES = ['provision', 'cloud', 'upgrade', 'diy', 'finalstage', 'newfirmware'] as const;

export type StageName = (typeof STAGES)[number];

/** The tasks for which a node may hold a message: a stage of a flash, or the set-up of a new firmware, which is part of none. */
export const TASKS = [...STAGES, 'tasmota'] as const;

export type TaskName = (typeof TASKS)[number];

/** Whether stage `a` comes after stage `b`. */
export function isLater(a: TaskName, b: TaskName): boolean {
  return TASKS.indexOf(a) > TASKS.indexOf(b);
}

export function isStage(name: TaskName | undefined): name is StageName {
  return STAGES.some((stage) => stage === name);
}
