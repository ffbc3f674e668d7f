import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';
import { packageRoot } from '../../shared/package-root';
import { AccessPoint } from '../air/access-point';
import { ITEAD, JOIN_ITEAD } from '../air/itead';
import { eventually } from '../machine/eventually';
import { connections } from '../machine/network-manager';

/** As a Node-RED that runs as a service: no session, so no person is asked for a password. */
const USER = 'sonota';
const UID = 1500;
const RULE = '/etc/polkit-1/rules.d/50-sonota.rules';

/** What a process of the user's says that wants the Wi-Fi; see machine/wifi-user.ts. */
function asUser(network?: WifiNetwork): string {
  const program = join(__dirname, '../machine/wifi-user.js');
  const args = [program, network ? JSON.stringify(network) : 'none'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { uid: UID, gid: UID, cwd: '/', encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return stdout.trim();
}

/** The rule as docs/raspberry-pi.md prints it, for this user. */
function printedRule(): string {
  const page = readFileSync(join(packageRoot(), 'docs', 'raspberry-pi.md'), 'utf8');
  const [, , rule] = /<!-- polkit rule -->\s+(```)js\n([\s\S]*?)\1/.exec(page) ?? [];
  assert.ok(rule, 'the page has the rule');
  const [before, after, ...more] = rule.split("'pi'");
  assert.ok(before !== undefined && after !== undefined && more.length === 0, 'the rule names the user once');
  return `${before}'${USER}'${after}`;
}

describe('a user of its own, real NetworkManager, real polkit', function () {
  // A network that has just come may be missed by a scan.
  this.retries(1);
  let ap: AccessPoint;
  let profiles: string;

  before(async () => {
    appendFileSync('/etc/passwd', `${USER}:x:${UID}:${UID}::/nonexistent:/usr/sbin/nologin\n`);
    appendFileSync('/etc/group', `${USER}:x:${UID}:\n`);
    profiles = connections();
    ap = await AccessPoint.open('sonoff', 'wlan2', ITEAD);
  });

  after(async () => {
    rmSync(RULE, { force: true });
    await ap.vanish();
  });

  it('is refused without a rule', () => {
    assert.equal(asUser(JOIN_ITEAD), 'wifi-not-permitted');
  });

  it('is refused in the group netdev', () => {
    const groups = readFileSync('/etc/group', 'utf8');
    const others = groups.split('\n').filter((line) => !line.startsWith('netdev:'));
    writeFileSync('/etc/group', [`netdev:x:990:${USER}`, ...others].join('\n'));
    try {
      assert.equal(asUser(JOIN_ITEAD), 'wifi-not-permitted');
    } finally {
      writeFileSync('/etc/group', groups);
    }
  });

  it('looks around, joins and leaves with the rule that docs/raspberry-pi.md prints', async () => {
    writeFileSync(RULE, printedRule());
    await eventually(() => asUser() === 'permitted');
    assert.match(asUser(JOIN_ITEAD), /^10\.10\.7\.(?!1$)\d+$/);
    assert.equal(connections(), profiles, 'its profile is gone');
  });

  it('is refused again once the rule is gone', async () => {
    rmSync(RULE);
    await eventually(() => asUser() === 'wifi-not-permitted');
  });
});
