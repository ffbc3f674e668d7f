import { FlashError } from '../../errors';
import type { Intermediate, IntermediateChoice } from '../../firmware/firmware';
import { FINALSTAGE } from './finalstage';
import { ONE_HOP } from './one-hop';
import type { Route } from './route';

const CHOICES: Readonly<Record<Intermediate, Route>> = { finalstage: FINALSTAGE, 'one-hop': ONE_HOP };

/**
 * The route of the cloud method that a person has chosen.
 * @throws FlashError `intermediate-unknown`
 */
export function chosenRoute(choice: IntermediateChoice): Route {
  const route = knownChoice(choice);
  if (route) return route;
  throw new FlashError('intermediate-unknown', { intermediate: String(choice.intermediate).slice(0, 40) });
}

/** The same; undefined where what is chosen is not known. */
export function knownChoice({ intermediate }: IntermediateChoice): Route | undefined {
  if (intermediate === undefined || intermediate === null || intermediate === '') return FINALSTAGE;
  return Object.hasOwn(CHOICES, intermediate) ? CHOICES[intermediate] : undefined;
}
