import assert from 'node:assert/strict';
import * as manual from '../../../lib/net/wifi/manual';
import * as nm from '../../../lib/net/wifi/networkmanager/driver';
import { DHCP_SECONDS } from '../../../lib/net/wifi/networkmanager/profile';
import * as bus from '../../../lib/net/wifi/networkmanager/system-bus';
import { CALL_LIMIT_MS } from '../../../lib/net/wifi/supervisor/client';
import * as supervisor from '../../../lib/net/wifi/supervisor/driver';

/** What a radio needs, in ms; the documentation of NetworkManager, and what was seen of it. */
const SCAN_MS = 4000;
const JOIN_MS = 6000;
const NM_RESTART_MS = 3000;
const NM_GIVES_UP_MS = 30_000;
/** The Supervisor's own pause in a scan. */
const SUPERVISOR_SCAN_MS = 5000;

type Row = [what: string, name: string, value: number, from: number, to: number];

const ROWS: Row[] = [
  ['a scan, and one that is put off behind another', 'nm.SCAN_LIMIT_MS', nm.SCAN_LIMIT_MS, 2 * SCAN_MS, 30_000],
  ['the rest of a scan', 'nm.OTHER_SCAN_LIMIT_MS', nm.OTHER_SCAN_LIMIT_MS, SCAN_MS, 10_000],
  ['two scans for a network that has just appeared', 'nm.FIND_LIMIT_MS', nm.FIND_LIMIT_MS, 2 * SCAN_MS, 20_000],
  ['an address at once', 'DHCP_SECONDS', DHCP_SECONDS, 5, 30],
  [
    'finding, joining and an address',
    'nm.JOIN_LIMIT_MS',
    nm.JOIN_LIMIT_MS,
    nm.FIND_LIMIT_MS + JOIN_MS + DHCP_SECONDS * 1000,
    60_000,
  ],
  ['a restart of NetworkManager', 'nm.AWAY_LIMIT_MS', nm.AWAY_LIMIT_MS, 2 * NM_RESTART_MS, 20_000],
  ['that, and the former network', 'nm.LEAVE_LIMIT_MS', nm.LEAVE_LIMIT_MS, nm.AWAY_LIMIT_MS + 2 * JOIN_MS, 60_000],
  ['a service that hangs', 'bus.CALL_LIMIT_MS', bus.CALL_LIMIT_MS, 5000, 30_000],
  ['a bus that hangs', 'bus.CONNECT_LIMIT_MS', bus.CONNECT_LIMIT_MS, 2000, 10_000],
  ['a scan, which sleeps', 'supervisor CALL_LIMIT_MS', CALL_LIMIT_MS, 2 * SUPERVISOR_SCAN_MS, 60_000],
  ['a scan', 'supervisor.SCAN_LIMIT_MS', supervisor.SCAN_LIMIT_MS, 2 * SUPERVISOR_SCAN_MS, 60_000],
  ['what a scan has found', 'supervisor.SCAN_FRESH_MS', supervisor.SCAN_FRESH_MS, SUPERVISOR_SCAN_MS, 30_000],
  [
    'an update until NetworkManager gives up',
    'supervisor.UPDATE_LIMIT_MS',
    supervisor.UPDATE_LIMIT_MS,
    2 * NM_GIVES_UP_MS,
    120_000,
  ],
  ['an update', 'supervisor.JOIN_LIMIT_MS', supervisor.JOIN_LIMIT_MS, supervisor.UPDATE_LIMIT_MS + 10_000, 180_000],
  ['the same', 'supervisor.LEAVE_LIMIT_MS', supervisor.LEAVE_LIMIT_MS, supervisor.UPDATE_LIMIT_MS + 20_000, 180_000],
  ['a network that is gone', 'supervisor.WATCH_MS', supervisor.WATCH_MS, 1000, 10_000],
  ['a busy Supervisor', 'supervisor.REMOVE_TRIES', supervisor.REMOVE_TRIES, 3, 20],
  ['a busy Supervisor', 'supervisor.REMOVE_PAUSE_MS', supervisor.REMOVE_PAUSE_MS, 500, 5000],
  ['a person', 'manual.JOIN_LIMIT_MS', manual.JOIN_LIMIT_MS, 5 * 60_000, 30 * 60_000],
  ['between two looks', 'manual.LOOK_PAUSE_MS', manual.LOOK_PAUSE_MS, 100, 2000],
  ['a device that answers', 'manual.PROBE_LIMIT_MS', manual.PROBE_LIMIT_MS, 1000, 5000],
];

/** Most tests give limits of their own to go fast: only here is it seen what a real radio is given. */
describe('net/wifi: how long a radio is waited for', () => {
  for (const [what, name, value, from, to] of ROWS) {
    it(`${name}: ${what}`, () => {
      assert.ok(value >= from && value <= to, `${value} is not ${from} to ${to}`);
    });
  }
});
