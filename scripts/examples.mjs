/** `npm run test:examples`: builds, then runs each example against virtual devices in a real Node-RED, to its end. */
import { longRun } from './long-run.mjs';

await longRun(['examples/examples.js'], 8 * 60_000);
