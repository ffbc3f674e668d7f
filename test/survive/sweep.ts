import { surviveAt } from './kill';
import { POINTS } from './points';

describe('survive: Node-RED is killed at every point of a flash', () => {
  for (const point of POINTS) it(point.name, () => surviveAt(point));
});
