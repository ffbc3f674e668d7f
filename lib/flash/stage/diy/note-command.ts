import type { DiyOutcome } from '../../../client/diy/diy-client';
import type { Job } from '../../job/job';
import type { DiyCommandName } from '../../../protocol/diy/commands';

/** Keeps what came of a command in the job's evidence. */
export function noteCommand({ evidence }: Job, command: DiyCommandName, outcome: DiyOutcome): void {
  const { result } = outcome;
  evidence.add({ kind: 'command', command, result, ...(result === 'refused' ? { error: outcome.error } : {}) });
}
