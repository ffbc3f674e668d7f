import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError } from '../../lib/errors';
import { Devices } from '../../lib/flash/devices/devices';
import { EvidenceRecorder } from '../../lib/flash/host/evidence-recorder';
import type { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import type { StageName } from '../../lib/flash/routes';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { timeGoesOn, timeStands } from '../shared/standing-time';
import { quoted } from '../../lib/wordings/wording';

const [ONE, TWO] = ['1000000001', '1000000002'] as const;
const PEER = '192.0.2.7';

describe('flash/host/evidence-recorder', () => {
  let jobs: JobRegistry;
  let devices: Devices;
  let recorder: EvidenceRecorder;
  beforeEach(() => {
    jobs = new JobRegistry();
    devices = new Devices();
    recorder = new EvidenceRecorder(jobs, devices);
  });

  /** A running stage, which started at `began`. */
  function at(stage: StageName, deviceid?: string, began = Date.now()): Job {
    const job = jobs.jobFor(stage, deviceid);
    job.enter(stage);
    job.running = new AbortController();
    job.evidence.add({ kind: 'stage', stage, event: 'began', seconds: 60 }, began);
    return job;
  }

  /** The observations since. */
  function seen(job: Job): unknown[] {
    return job.evidence.all.flatMap(({ at: _at, ...what }) => (what.kind === 'stage' ? [] : [what]));
  }

  /** A session, and what it is said to do. */
  function session(deviceid?: string): EventEmitter & { device?: object } {
    const connection = Object.assign(new EventEmitter(), {
      ...{ peer: PEER, via: 'tls' },
      ...(deviceid === undefined ? {} : { device: { deviceid } }),
    });
    recorder.connected(connection as unknown as DeviceConnection);
    return connection;
  }

  it('reports a peer that dials to every job that waits for a device, and none that has its own', () => {
    const [first, second, busy] = [at('cloud', ONE), at('cloud'), at('upgrade', TWO)];
    recorder.dialled(PEER, 'tls');
    for (const job of [first, second]) assert.deepEqual(seen(job), [{ kind: 'dialled', peer: PEER, port: 'tls' }]);
    assert.deepEqual(seen(busy), []);
  });

  it('reports the image port only to the job whose device is at that address, while it downloads', () => {
    const [job, other, ended] = [at('upgrade', ONE), at('upgrade', TWO), at('upgrade')];
    job.learn({ ip: PEER });
    other.learn({ ip: '192.0.2.8' });
    ended.learn({ ip: PEER });
    for (const one of [job, other, ended]) one.download = new UpgradeDownload();
    ended.fail('device-silent');
    const before = [job, other, ended].map((one) => seen(one).length);
    recorder.dialled(PEER, 'images');
    assert.deepEqual(
      [job, other, ended].map((one, index) => seen(one).length - (before[index] ?? 0)),
      [1, 0, 0],
    );
    assert.deepEqual(seen(job).at(-1), { kind: 'dialled', peer: PEER, port: 'images' });
    const behind = at('finalstage', '1000000003');
    behind.learn({ ip: PEER });
    recorder.dialled(PEER, 'images');
    assert.deepEqual(seen(behind), [{ kind: 'device-facts', ip: PEER }], 'it has its image');
  });

  it('notes of a peer that it was there before the device was set up', () => {
    devices.dialled(PEER);
    const [later, earlier] = [at('cloud', ONE, Date.now() + 60_000), at('cloud', TWO, 0)];
    recorder.dialled(PEER, 'plain');
    assert.deepEqual(seen(later), [{ kind: 'dialled', peer: PEER, port: 'plain', isOld: true }]);
    assert.deepEqual(seen(earlier), [{ kind: 'dialled', peer: PEER, port: 'plain' }]);
    recorder.dialled('192.0.2.99', 'tls');
    assert.deepEqual(seen(later).at(-1), { kind: 'dialled', peer: '192.0.2.99', port: 'tls' });
    const unseen = jobs.jobFor('cloud', '1000000003');
    unseen.running = new AbortController();
    recorder.dialled(PEER, 'tls');
    assert.deepEqual(seen(unseen), [{ kind: 'dialled', peer: PEER, port: 'tls' }], 'nothing says since when it waits');
  });

  it('calls a peer old that came when the device was set up, and none that came after', () => {
    timeStands(['Date'], 5000);
    try {
      devices.dialled(PEER);
      const [then, before] = [at('cloud', ONE, 5000), at('cloud', TWO, 4999)];
      const failed = { peer: PEER, failure: 'not-tls', code: 'X', reason: quoted('no TLS'), helloSeen: false } as const;
      recorder.dialled(PEER, 'tls');
      recorder.handshakeFailed({ ...failed, certificateSent: false, isModern: false });
      const dialled = { kind: 'dialled', peer: PEER, port: 'tls' };
      const failure = { kind: 'tls-failed', ...failed, isShared: true };
      assert.deepEqual(seen(then), [
        { ...dialled, isOld: true },
        { ...failure, isOld: true },
      ]);
      assert.deepEqual(seen(before), [dialled, failure]);
    } finally {
      timeGoesOn();
    }
  });

  it('notes of a handshake that failed whether it may be that of another device', () => {
    const failed = {
      peer: PEER,
      failure: 'broken-off',
      code: 'ECONNRESET',
      reason: quoted('it left'),
      helloSeen: true,
    } as const;
    const fails = (more: object): void =>
      recorder.handshakeFailed({ ...failed, certificateSent: false, isModern: false, ...more });
    const named = at('cloud', ONE);
    fails({});
    assert.deepEqual(seen(named), [{ kind: 'tls-failed', ...failed }]);
    const nameless = at('cloud');
    fails({ isModern: true });
    assert.deepEqual(seen(named).at(-1), { kind: 'tls-failed', ...failed, isModern: true });
    assert.deepEqual(seen(nameless), [{ kind: 'tls-failed', ...failed, isModern: true, isShared: true }]);
    at('cloud', TWO);
    fails({});
    assert.deepEqual(seen(named).at(-1), { kind: 'tls-failed', ...failed, isShared: true });
  });

  it('reports a dispatch to all that wait, and to the job of the device itself, with whether its key is known', () => {
    const dispatch = { peer: PEER, via: 'tls', deviceid: ONE, model: 'PSF-B04-GL', romVersion: '1.5.5' } as const;
    const [own, waiting] = [at('upgrade', ONE), at('cloud')];
    const dispatched = (apikey: string): void => recorder.dispatched({ ...dispatch, apikey, ts: 1 });
    dispatched('own');
    for (const job of [own, waiting]) assert.deepEqual(seen(job), [{ kind: 'dispatched', ...dispatch }]);
    devices.pin(ONE, 'own');
    dispatched('own');
    assert.deepEqual(seen(own).at(-1), { kind: 'dispatched', ...dispatch, isProven: true });
    const both = at('cloud', TWO);
    recorder.dispatched({ ...dispatch, deviceid: TWO, apikey: 'a', ts: 1 });
    const once = { kind: 'dispatched', ...dispatch, deviceid: TWO };
    assert.deepEqual(seen(both), [once], 'once where it is its own that it waits for');
    const stranger = { ...dispatch, peer: '192.0.2.9', deviceid: '1000ffffff' };
    recorder.dispatched({ ...stranger, apikey: 'a', ts: 1 });
    assert.deepEqual(seen(both), [once, { kind: 'dispatched', ...stranger }], 'it waits for any');
    assert.deepEqual(seen(own).at(-1), { kind: 'dispatched', ...dispatch, isProven: true });
  });

  it('reports a stranger and refused connections to every running job, once a stage', () => {
    const [running, idle, ended] = [at('upgrade', ONE), at('upgrade', TWO), at('cloud')];
    idle.running = undefined;
    ended.fail('cancelled');
    for (const _ of [1, 2]) {
      recorder.stranger(PEER, 'browser');
      recorder.refused(PEER, 'peer');
    }
    assert.deepEqual(seen(running), [
      { kind: 'stranger', peer: PEER, act: 'browser' },
      { kind: 'connection-refused', peer: PEER, limit: 'peer' },
    ]);
    for (const job of [idle, ended]) assert.deepEqual(seen(job), []);
  });

  it('reports to the job of a device once which other peer claims its id', () => {
    const [job, other] = [at('upgrade', ONE), at('upgrade', TWO)];
    for (const _ of [1, 2]) {
      recorder.claimed({ deviceid: ONE, peer: PEER, claim: { as: 'other-key' } });
      recorder.claimed({ deviceid: ONE, peer: PEER, claim: { as: 'second-key', rival: '192.0.2.8' } });
    }
    recorder.claimed({ deviceid: '1000ffffff', peer: PEER, claim: { as: 'other-key' } });
    assert.deepEqual(seen(job), [
      { kind: 'stranger', peer: PEER, act: 'other-key' },
      { kind: 'stranger', peer: PEER, act: 'second-key', rival: '192.0.2.8' },
    ]);
    assert.deepEqual(seen(other), []);
  });

  it('gives the reason of what was no message, in the words of the error or its own', () => {
    const job = at('cloud', ONE);
    const error = new FlashError('message-malformed', { peer: PEER, reason: quoted('it is no JSON') });
    recorder.malformed(error, PEER);
    const other = new FlashError('host-missing');
    recorder.malformed(other, PEER);
    assert.deepEqual(seen(job), [
      { kind: 'malformed', peer: PEER, reason: quoted('it is no JSON') },
      { kind: 'malformed', peer: PEER, reason: quoted(other.message) },
    ]);
  });

  it('reports to the job of a device all of its session, the first words too, up to its end', () => {
    const [job, other] = [at('cloud', ONE), at('cloud', TWO)];
    const connection = session();
    for (let count = 0; count < 12; count += 1) connection.emit('message', 'in', `${count}`);
    assert.deepEqual(seen(job), [], 'it has not said who it is');
    connection.device = { deviceid: ONE };
    connection.emit('registered');
    connection.emit('message', 'out', 'an answer');
    connection.emit('acknowledged', 404);
    connection.emit('malformed', quoted('what was that'));
    connection.emit('closed');
    const early = Array.from({ length: 10 }, (_, count) => ({ kind: 'message', direction: 'in', text: `${count}` }));
    assert.deepEqual(seen(job), [
      ...early,
      { kind: 'registered', peer: PEER, via: 'tls' },
      { kind: 'message', direction: 'out', text: 'an answer' },
      { kind: 'acknowledged', error: 404 },
      { kind: 'malformed', peer: PEER, reason: quoted('what was that') },
      { kind: 'session-lost' },
    ]);
    assert.deepEqual(seen(other), []);
    connection.emit('registered');
    assert.equal(seen(job).filter((one) => (one as { text?: string }).text === '0').length, 1, 'its first words once');
  });

  it('reports a session that left without an id to all that wait', () => {
    const [waiting, busy] = [at('cloud', ONE), at('upgrade', TWO)];
    session().emit('closed');
    assert.deepEqual(seen(waiting), [{ kind: 'left-unregistered', peer: PEER, via: 'tls' }]);
    assert.deepEqual(seen(busy), []);
    session(TWO).emit('closed');
    assert.deepEqual([seen(waiting).length, seen(busy)], [1, [{ kind: 'session-lost' }]]);
  });
});
