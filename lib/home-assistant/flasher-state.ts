/** The states of the flasher's own entities. */

import { NO_ERROR } from './device-state';
import type { StateNames } from './states';
import { isOpen, reportOf, type ShownJob, type Snapshot, type SonoffInSight } from './snapshot';

export const FLASHER_STATES = ['idle', 'waiting', 'flashing', 'paused'] as const;

export interface FlasherState {
  readonly state: (typeof FLASHER_STATES)[number];
  /** Its name, for people. */
  readonly state_name: string;
  readonly queue: number;
  readonly done: number;
  readonly failed: number;
  readonly percent: number;
  readonly firmware: string | null;
  readonly hand_needed: 'ON' | 'OFF';
  /** The instruction for a person; else what is waited for. */
  readonly instruction: string;
  readonly armed: 'ON' | 'OFF';
  /** Until a flash ends well. */
  readonly last_failure: LastFailure | null;
  readonly problem: 'ON' | 'OFF';
  readonly code: string;
  readonly text: string;
  /** The number of Sonoffs in sight; present while a survey runs, as is `found_devices`. */
  readonly found?: number;
  readonly found_devices?: readonly SonoffInSight[];
}

/** Home Assistant records no attributes of more than 16 kB together; these are the first ones. */
const MOST_IN_SIGHT = 30;

interface LastFailure {
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
  readonly deviceid: string | null;
}

export function flasherState(snapshot: Snapshot, states: StateNames): FlasherState {
  const { trouble, firmware, arming, sonoffs } = snapshot;
  const reports = snapshot.jobs.flatMap((job) => reportOf(job) ?? []).filter(({ isWaiting }) => isWaiting);
  const state = stateOf(snapshot);
  return {
    state,
    state_name: states[`flasher-${state}`],
    ...countsOf(snapshot),
    firmware: firmware.chosen ?? null,
    hand_needed: reports.some(({ isHandNeeded }) => isHandNeeded) ? 'ON' : 'OFF',
    instruction: (reports.find(({ isHandNeeded }) => isHandNeeded) ?? reports[0])?.text ?? '',
    armed: arming.isForAll ? 'ON' : 'OFF',
    last_failure: lastFailureOf(snapshot),
    problem: trouble ? 'ON' : 'OFF',
    code: trouble?.code ?? NO_ERROR,
    text: trouble?.text ?? '',
    ...(sonoffs && { found: sonoffs.length, found_devices: sonoffs.slice(0, MOST_IN_SIGHT) }),
  };
}

function lastFailureOf({ failures }: Snapshot): LastFailure | null {
  const last = failures.at(-1);
  if (!last) return null;
  const { code, text, remedy, deviceid } = last;
  return { code, text, remedy, deviceid };
}

function stateOf({ queue, jobs }: Snapshot): FlasherState['state'] {
  const atWork = jobs.filter((job) => isOpen(job) && job.isAtWork);
  if (atWork.some(({ stage }) => stage !== 'provision' && stage !== 'cloud')) return 'flashing';
  if (queue?.isPaused) return 'paused';
  return atWork.length > 0 || (queue?.counts.waiting ?? 0) > 0 ? 'waiting' : 'idle';
}

/** With a queue its own counts; else what the jobs tell. */
function countsOf({ queue, jobs }: Snapshot): Pick<FlasherState, 'queue' | 'done' | 'failed' | 'percent'> {
  if (queue) {
    const { waiting, done, failed } = queue.counts;
    return { queue: waiting, done, failed, percent: Math.floor(queue.percent) };
  }
  const having = (stage: string): number => jobs.filter((job) => job.stage === stage).length;
  return { queue: 0, done: having('done'), failed: having('failed'), percent: meanPercent(jobs) };
}

/** Of what is open; after the end of the last one what that had reached. */
function meanPercent(jobs: readonly ShownJob[]): number {
  const open = jobs.filter(isOpen);
  const shown = open.length > 0 ? open : jobs.slice(-1);
  return shown.length === 0 ? 0 : Math.floor(shown.reduce((sum, { percent }) => sum + percent, 0) / shown.length);
}
