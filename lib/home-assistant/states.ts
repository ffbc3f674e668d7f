/** The names of our sensors' states, for people; the codes are attributes. */

import { STAGES, type StageName } from '../flash/stages';

/** A stage that waits for something outside has a name of its own. */
type WaitingStage = `${StageName}-waiting`;

export const STATE_NAMES = [
  'idle',
  'queued',
  ...STAGES,
  ...STAGES.map((stage): WaitingStage => `${stage}-waiting`),
  'done',
  'failed',
  'no-error',
  'flasher-idle',
  'flasher-waiting',
  'flasher-flashing',
  'flasher-paused',
] as const;

export type StateName = (typeof STATE_NAMES)[number];

/** In the person's language. */
export type StateNames = Readonly<Record<StateName, string>>;
