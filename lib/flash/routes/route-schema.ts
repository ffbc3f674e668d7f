import { Mismatch, type Schema } from '../../storage/schema';
import { routeNamed } from '.';
import type { RouteName } from '../stages';

/** The name of a route, where something is kept under it. */
export const routeName: Schema<RouteName> = (value) => {
  const route = typeof value === 'string' ? routeNamed(value) : undefined;
  if (!route) throw new Mismatch('is no route that is known');
  return route.name;
};
