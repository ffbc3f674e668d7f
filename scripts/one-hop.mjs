/**
 * `npm run test:one-hop`: builds the relocator of the one-hop image anew and compares it, then boots it in an emulator:
 * every size, every loader, a power cut at every erase and write, a flipped bit all over. `npm test` has a few boots.
 */
import { longRun } from './long-run.mjs';

/** Some 10000 boots. */
await longRun(['image/one-hop-relocator.test.js', 'one-hop/sweep/*.js'], 25 * 60_000);
