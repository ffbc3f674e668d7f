/**
 * `npm run test:many`: builds, then flashes fifty virtual devices in one Node-RED, ten of which are faulty, and looks
 * whether anything of them is left behind. It takes minutes: FinalStage takes one device at a time.
 */
import { longRun } from './long-run.mjs';

await longRun(['many/sweep.js'], 15 * 60_000, ['--expose-gc']);
