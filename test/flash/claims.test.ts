import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Claims } from '../../lib/flash/devices/claims';
import { DeviceKeys } from '../../lib/flash/devices/device-keys';

const DEVICE = '1000a1b2c3';
/** As long as a claim counts that is not repeated. */
const CLAIM_MS = 10 * 60_000;
const PEERS = ['192.0.2.7', '192.0.2.8'] as const;

describe('flash/claims', () => {
  let now = 0;
  const claims = (keys = new DeviceKeys()): Claims => new Claims(keys, () => now);
  beforeEach(() => (now = 1_000_000));

  it('take the only key that is stated, from whichever address', () => {
    const all = claims();
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[0]), { as: 'device' });
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[1]), { as: 'device' });
    assert.deepEqual(all.of('1000000002', 'other', PEERS[1]), { as: 'device' });
    assert.equal(all.rivals(DEVICE), undefined);
  });

  it('know rivals until one of them has not come for long', () => {
    const all = claims();
    all.of(DEVICE, 'own', PEERS[0]);
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[1]), { as: 'second-key', rival: PEERS[0] });
    assert.deepEqual(all.rivals(DEVICE), PEERS);
    now += CLAIM_MS;
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[0]), { as: 'device' });
    now += 1;
    assert.equal(all.rivals(DEVICE), undefined);
    now += CLAIM_MS;
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[1]), { as: 'device' }, 'the first one is gone');
  });

  it('take the key that the access point stated, and no other', () => {
    const all = claims();
    all.of(DEVICE, 'other', PEERS[1]);
    all.pin(DEVICE, 'own');
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[1]), { as: 'other-key' });
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[0]), { as: 'device' });
    assert.equal(all.rivals(DEVICE), undefined);
    all.pin(DEVICE, 'newer');
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[0]), { as: 'other-key' }, 'the newest reading counts');
  });

  it('take another key than the stated one on demand, where it comes alone', () => {
    const keys = new DeviceKeys();
    const all = claims(keys);
    all.of(DEVICE, 'other', PEERS[1]);
    all.pin(DEVICE, 'own');
    all.acceptOnlyClaimant(DEVICE);
    assert.equal(keys.isPinnedTo(DEVICE, 'own'), true, 'nobody came');
    all.of(DEVICE, 'other', PEERS[1]);
    all.of(DEVICE, 'own', PEERS[0]);
    all.acceptOnlyClaimant(DEVICE);
    assert.equal(keys.isPinnedTo(DEVICE, 'own'), true, 'the device came, too');
    now += CLAIM_MS + 1;
    all.of(DEVICE, 'own', PEERS[0]);
    all.acceptOnlyClaimant(DEVICE);
    assert.equal(keys.isPinnedTo(DEVICE, 'own'), true, 'the device came alone');
    now += CLAIM_MS + 1;
    all.of(DEVICE, 'other', PEERS[1]);
    all.acceptOnlyClaimant(DEVICE);
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[1]), { as: 'device' });
  });

  it('belong to no peer that states a session key of ours', () => {
    const keys = new DeviceKeys();
    keys.issued(DEVICE, 'session');
    const all = claims(keys);
    assert.deepEqual(all.of(DEVICE, 'session', PEERS[0]), { as: 'session' });
    assert.deepEqual(all.of(DEVICE, 'own', PEERS[0]), { as: 'device' }, 'it is no rival of itself');
    assert.deepEqual(all.of('1000000002', 'session', PEERS[1]), { as: 'device' }, 'it was given to another device');
  });

  it('count for as long as they are repeated, however many others there are', () => {
    const all = claims();
    for (let key = 1; key <= 8; key += 1) all.of(DEVICE, `key ${key}`, PEERS[0]);
    now += CLAIM_MS;
    all.of(DEVICE, 'key 8', PEERS[1]);
    now += 1;
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[0]), { as: 'second-key', rival: PEERS[1] });
    for (let device = 0; device < 999; device += 1) all.of(`made up ${device}`, 'own', PEERS[0]);
    all.of(DEVICE, 'key 8', PEERS[1]);
    for (let device = 0; device < 999; device += 1) all.of(`made up too ${device}`, 'own', PEERS[0]);
    assert.deepEqual(all.of(DEVICE, 'other', PEERS[0]), { as: 'second-key', rival: PEERS[1] });
  });

  it('are kept of eight keys of a device, and of a thousand devices', () => {
    const all = claims();
    for (let key = 1; key <= 8; key += 1) all.of(DEVICE, `key ${key}`, PEERS[0]);
    now += CLAIM_MS;
    assert.deepEqual(all.of(DEVICE, 'ninth', PEERS[1]), { as: 'second-key', rival: PEERS[0] });
    now += 1;
    assert.deepEqual(
      all.of(DEVICE, 'tenth', PEERS[1]),
      { as: 'device' },
      'the ninth was not kept, the others are gone',
    );
    for (let device = 0; device < 999; device += 1) all.of(`made up ${device}`, 'own', PEERS[0]);
    assert.equal(all.of(DEVICE, 'eleventh', PEERS[0]).as, 'second-key');
    for (let device = 0; device < 1000; device += 1) all.of(`made up too ${device}`, 'own', PEERS[0]);
    assert.equal(all.of(DEVICE, 'twelfth', PEERS[0]).as, 'device');
  });
});

describe('flash/device-keys', () => {
  let folder: string;
  const said: string[] = [];
  const keys = (): DeviceKeys => DeviceKeys.at(folder, 'host', (text) => said.push(text));
  const path = (): string => join(folder, 'keys', 'host.json');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-keys-'));
    said.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('know what an earlier run of the process knew, from salted hashes', async () => {
    const first = keys();
    first.pin(DEVICE, 'own-key');
    first.pin('1000000002', 'own-key');
    for (const key of ['one', 'two', 'three', 'four', 'five']) first.issued(DEVICE, key);
    await first.settled(10_000);
    const second = keys();
    assert.deepEqual(
      ['own-key', 'other'].map((key) => second.isPinnedTo(DEVICE, key)),
      [true, false],
    );
    assert.deepEqual(
      ['one', 'two', 'five', 'own-key'].map((key) => second.wasIssued(DEVICE, key)),
      [false, true, true, false],
    );
    assert.equal(second.isPinnedTo('1000000009', 'own-key'), undefined);
    const text = await readFile(path(), 'utf8');
    assert.doesNotMatch(text, /own-key|two|five/);
    const hashes = [...text.matchAll(/"sha256":"([\da-f]{64})"/g)].map(([, hash]) => hash);
    assert.equal(new Set(hashes).size, 6, 'the same key has another hash each time');
    assert.deepEqual(said, []);
  });

  it('continue without a file that is none, and without parts that are wrong', async () => {
    const first = keys();
    first.pin(DEVICE, 'own-key');
    await first.settled(10_000);
    const whole = JSON.parse(await readFile(path(), 'utf8')) as { devices: Record<string, unknown> };
    Object.assign(whole.devices, { '../etc': whole.devices[DEVICE], '1000000002': { issued: [{ salt: 7 }] } });
    await writeFile(path(), JSON.stringify(whole));
    assert.equal(keys().isPinnedTo(DEVICE, 'own-key'), true);
    assert.equal(said.length, 1);
    await writeFile(path(), '{"format":');
    assert.equal(keys().isPinnedTo(DEVICE, 'own-key'), undefined);
    assert.equal(said.length, 2);
  });

  it('forget devices that only registered before those of which a person read the key', async () => {
    const many = keys();
    many.pin(DEVICE, 'own-key');
    for (let n = 0; n < 300; n++) many.issued(`2000${n}`, 'session');
    assert.equal(many.isPinnedTo(DEVICE, 'own-key'), true);
    assert.deepEqual([many.wasIssued('20000', 'session'), many.wasIssued('2000299', 'session')], [false, true]);
    await many.settled(10_000);
    await many.forget();
    assert.equal(keys().isPinnedTo(DEVICE, 'own-key'), undefined);
  });
});
