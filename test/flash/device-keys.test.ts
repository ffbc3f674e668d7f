import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceKeys } from '../../lib/flash/devices/device-keys';

const DEVICE = '1000a1b2c3';
const SETTLE_MS = 60_000;

describe('flash/host/device-keys', () => {
  let folder: string;
  const said: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-keys-'));
    said.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const keysOf = (hostId: string): DeviceKeys => DeviceKeys.at(folder, hostId, (text) => void said.push(text));

  it('knows after a restart what was pinned and given out, from hashes that only the owner can read', async () => {
    const before = keysOf('host');
    before.pin(DEVICE, 'own key');
    before.issued(DEVICE, 'session key');
    await before.settled(SETTLE_MS);
    const path = join(folder, 'keys', 'host.json');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /own key|session key/);
    const after = keysOf('host');
    assert.deepEqual([after.isPinnedTo(DEVICE, 'own key'), after.isPinnedTo(DEVICE, 'other')], [true, false]);
    assert.deepEqual([after.wasIssued(DEVICE, 'session key'), after.wasIssued(DEVICE, 'own key')], [true, false]);
    assert.equal(after.isPinnedTo('1000ffffff', 'own key'), undefined);
    after.unpin(DEVICE);
    assert.equal(after.isPinnedTo(DEVICE, 'own key'), undefined);
    assert.equal(after.wasIssued(DEVICE, 'session key'), true);
    await after.settled(SETTLE_MS);
    assert.deepEqual(said, []);
  });

  it('writes nowhere else, whatever a host is called, and keeps hosts apart', async () => {
    for (const id of ['../escape', 'a/b', '', 'x'.repeat(300)]) {
      const before = keysOf(id);
      before.pin(DEVICE, id);
      await before.settled(SETTLE_MS);
      assert.equal(keysOf(id).isPinnedTo(DEVICE, id), true, id);
    }
    assert.deepEqual(readdirSync(folder), ['keys']);
    assert.equal(readdirSync(join(folder, 'keys')).length, 4);
    assert.deepEqual(said, []);
  });

  it('knows the four newest session keys of a device', () => {
    const keys = new DeviceKeys();
    for (let n = 1; n <= 5; n++) keys.issued(DEVICE, `session ${n}`);
    const known = [1, 2, 3, 4, 5].map((n) => keys.wasIssued(DEVICE, `session ${n}`));
    assert.deepEqual(known, [false, true, true, true, true]);
    for (let times = 0; times < 4; times++) keys.issued(DEVICE, 'session 5');
    assert.equal(keys.wasIssued(DEVICE, 'session 2'), true, 'one that comes again takes no place');
  });

  it('forgets of too many devices the oldest that are not pinned', () => {
    const keys = new DeviceKeys();
    keys.pin(DEVICE, 'own key');
    for (let n = 0; n < 200; n++) keys.issued(`${n}`, 'session');
    assert.equal(keys.isPinnedTo(DEVICE, 'own key'), true);
    assert.deepEqual([keys.wasIssued('0', 'session'), keys.wasIssued('1', 'session')], [false, true]);
    keys.issued('1', 'newer session');
    keys.issued('200', 'session');
    assert.deepEqual([keys.wasIssued('1', 'session'), keys.wasIssued('2', 'session')], [true, false]);
  });

  it('forgets none of a device with a session as long as there are others', () => {
    const keys = new DeviceKeys();
    keys.isHeld = (deviceid) => deviceid === DEVICE;
    keys.issued(DEVICE, 'session');
    for (let n = 0; n < 200; n++) keys.issued(`${n}`, 'session');
    assert.deepEqual([keys.wasIssued(DEVICE, 'session'), keys.wasIssued('0', 'session')], [true, false]);
  });

  it('forgets the oldest all the same where every device has a session, and one that is pinned last of all', () => {
    const keys = new DeviceKeys();
    keys.isHeld = () => true;
    keys.pin(DEVICE, 'own key');
    for (let n = 0; n < 250; n++) keys.issued(`${n}`, 'session');
    assert.deepEqual(
      [50, 51].map((n) => keys.wasIssued(`${n}`, 'session')),
      [false, true],
    );
    assert.equal(keys.isPinnedTo(DEVICE, 'own key'), true);
    for (let n = 0; n < 200; n++) keys.pin(`pinned ${n}`, 'own key');
    assert.equal(keys.isPinnedTo(DEVICE, 'own key'), undefined, 'the oldest of those');
    assert.equal(keys.isPinnedTo('pinned 0', 'own key'), true);
  });

  it('writes what changes during a write, and forgets all with its host', async () => {
    const before = keysOf('host');
    before.pin(DEVICE, 'first');
    await Promise.resolve();
    before.pin(DEVICE, 'second');
    await before.settled(SETTLE_MS);
    const after = keysOf('host');
    assert.equal(after.isPinnedTo(DEVICE, 'second'), true);
    await after.forget();
    assert.equal(after.isPinnedTo(DEVICE, 'second'), undefined);
    assert.equal(keysOf('host').isPinnedTo(DEVICE, 'second'), undefined);
  });

  it('says that it cannot be written, and writes with the next change where it can again', async () => {
    const blocker = join(folder, 'keys');
    const keys = keysOf('host');
    await writeFile(blocker, 'no folder');
    keys.pin(DEVICE, 'first');
    await keys.settled(SETTLE_MS);
    assert.equal(said.length, 1);
    await rm(blocker);
    keys.issued(DEVICE, 'session');
    await keys.settled(SETTLE_MS);
    assert.equal(keysOf('host').isPinnedTo(DEVICE, 'first'), true);
  });
});
