import { surviveAt } from './kill';
import { POINTS } from './points';

/** The rest of them takes minutes and has a script of its own, `npm run test:survive`. */
const A_FEW = [/has taken the set-up/, /acknowledgement is on its way/, /cut behind the erase/];

describe('survive: Node-RED is killed and started again', () => {
  for (const point of POINTS) if (A_FEW.some((one) => one.test(point.name))) it(point.name, () => surviveAt(point));
});
