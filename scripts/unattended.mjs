/**
 * `npm run test:unattended`: builds, then lets Node-RED join every network by itself in a small world of network
 * namespaces: twenty devices in a queue, from their access points to a Tasmota at home. Needs root on Linux, and dbus-daemon.
 */
import { longRun } from './long-run.mjs';

/** Twenty devices one after another through one radio. */
await longRun(['unattended/*.scenario.js'], 10 * 60_000);
