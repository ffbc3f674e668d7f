/**
 * `npm run test:unattended`: builds, then lets Node-RED join every network by itself in a small world of network
 * namespaces: one device, then twenty in a queue. Needs root on Linux, and dbus-daemon.
 */
import { longRun } from './long-run.mjs';

/** Twenty devices one after another through one radio. */
await longRun(['unattended/*.scenario.js'], 13 * 60_000);
