/** All routes, and what is asked of a job's route before it has one. */

import { targetOfRole, type ImageRole, type ImageTarget } from '../../image';
import { DIY } from './diy';
import { FINALSTAGE } from './finalstage';
import { ONE_HOP } from './one-hop';
import type { FlashSoFar, Rescue, Route, RouteStage } from './route';
import type { StageName } from '../stages';

export { DIY } from './diy';
export { FINALSTAGE } from './finalstage';
export { ONE_HOP } from './one-hop';
export type { Rescue, Route, RouteLock, RouteStage } from './route';
export { isLater, STAGES, type RouteName, type StageName } from '../stages';

/** Every route there is. A new one is added here; a test may add one of its own for as long as it runs. */
export const ROUTES: Route[] = [FINALSTAGE, ONE_HOP, DIY];

/** @returns undefined for a name that this version does not know */
export function routeNamed(name: string | undefined): Route | undefined {
  return ROUTES.find((route) => route.name === name);
}

/** The only route that has this stage; undefined where several have it. */
export function routeThrough(stage: StageName): Route | undefined {
  const [only, other] = ROUTES.filter((route) => stageOf(route, stage));
  return other ? undefined : only;
}

/**
 * A stage as the route has it; undefined where the route passes it by. Without a route as the first one has it: all
 * routes give what comes before the device is known the same part of the percent.
 */
export function stageOf(route: Route | undefined, name: StageName): RouteStage | undefined {
  const stages = route ? route.stages : ROUTES.flatMap((one) => one.stages);
  return stages.find(({ stage }) => stage === name);
}

/**
 * The job's percent when `fraction` (0 to 1) of a stage is behind us: a whole number. The upper bound of the stage is
 * reached with fraction 1 only.
 */
export function percentIn({ percent: [from, to] }: RouteStage, fraction: number): number {
  return Math.floor(from + (to - from) * Math.min(1, Math.max(0, fraction)));
}

/** Where an image goes; an image of the cloud method where no route tells. */
export function targetOf(role: ImageRole, route: Route | undefined): ImageTarget {
  return route?.images[role] ?? targetOfRole(role);
}

/** Whether a failed flash must not be started again without a person; without a route, whether any route requires that. */
export function isPastReturn(job: FlashSoFar & { readonly route: Route | undefined }): boolean {
  return job.route ? job.route.isPastReturn(job) : ROUTES.some((route) => route.isPastReturn(job));
}

/** How a silent device may be rescued; where its route is not known, as on any route that has a way. */
export function rescueOn(route: Route | undefined): Rescue | undefined {
  return route ? route.rescue : ROUTES.find(({ rescue }) => rescue)?.rescue;
}
