import { FlashError } from '../../errors';
import { FINALSTAGE } from './finalstage';
import { ONE_HOP } from './one-hop';
import type { Route } from './route';

/** How the final image gets into its place once the device has its upgrade, as a form or a message names it. */
export type Intermediate = 'finalstage' | 'one-hop';

const CHOICES: Readonly<Record<Intermediate, Route>> = { finalstage: FINALSTAGE, 'one-hop': ONE_HOP };

/** What may be chosen; an empty choice is FinalStage. */
export interface RouteChoice {
  readonly intermediate?: Intermediate | '' | null | undefined;
}

/**
 * The route of the cloud method that a person has chosen.
 * @throws FlashError `intermediate-unknown`
 */
export function chosenRoute(choice: RouteChoice): Route {
  const route = knownChoice(choice);
  if (route) return route;
  throw new FlashError('intermediate-unknown', { intermediate: String(choice.intermediate).slice(0, 40) });
}

/** The same; undefined where what is chosen is not known. */
export function knownChoice({ intermediate }: RouteChoice): Route | undefined {
  if (intermediate === undefined || intermediate === null || intermediate === '') return FINALSTAGE;
  return Object.hasOwn(CHOICES, intermediate) ? CHOICES[intermediate] : undefined;
}
