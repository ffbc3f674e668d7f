import type { StageName } from '../../lib/flash/routes';
import type { StageRequest } from '../../lib/flash/run/task';
import type { HostNode } from './hosts';
import type { MessageValues } from './messages';

/** What a stage needs to know of one message; see StageRequest. */
export type StagePlan = Pick<StageRequest, 'findJob' | 'run' | 'deviceid'>;

/** What a stage makes its plan of. */
export interface StageGiven<Form> {
  readonly host: HostNode;
  readonly form: Form;
  readonly said: MessageValues;
}

/** One stage as nodes run it: the same for the node of that stage and for the node of the whole flash. */
export interface StageStep<Form> {
  readonly stage: StageName;
  /** See StageRequest. */
  readonly oneAtATime: boolean;
  /** Reads a message. Throws a FlashError where it cannot do. */
  readonly plan: (given: StageGiven<Form>) => StagePlan;
}

/** A step whose form is a part of a larger one. */
export function ofPart<Whole, Form>(step: StageStep<Form>, part: (whole: Whole) => Form): StageStep<Whole> {
  return { ...step, plan: ({ form, ...given }) => step.plan({ ...given, form: part(form) }) };
}
