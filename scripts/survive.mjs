/**
 * `npm run test:survive`: builds, then kills Node-RED at every point of a flash, starts it again, and looks whether the
 * device ends well. It takes minutes; `npm test` has a few of the points.
 */
import { longRun } from './long-run.mjs';

/** Two dozen points, each of which starts Node-RED twice. */
await longRun(['survive/sweep.js'], 15 * 60_000);
