import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { Devices, type PeerTrouble } from '../../lib/flash/devices/devices';
import { EvidenceRecorder } from '../../lib/flash/host/evidence-recorder';
import { ImageAuthorizer } from '../../lib/flash/images/image-authorizer';
import { listeningHost } from '../../lib/flash/host/listening';
import type { ListeningHost } from '../../lib/flash/host/shared-listener';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { DeviceConnection } from '../../lib/server/device-connection';
import type { HandshakeFailed } from '../../lib/server/tls-front';
import { quoted } from '../../lib/wordings/wording';

const DEVICE = '1000a1b2c3';
const PEER = '192.0.2.7';

describe('flash/host/listening', () => {
  let jobs: JobRegistry;
  let devices: Devices;
  let job: Job;
  let host: ListeningHost;
  let address: string | undefined;
  const logged: string[] = [];
  const troubles: PeerTrouble[] = [];

  beforeEach(() => {
    jobs = new JobRegistry();
    devices = new Devices();
    devices.on('trouble', (trouble) => troubles.push(trouble));
    logged.length = troubles.length = 0;
    address = undefined;
    host = listeningHost({
      ...{ jobs, devices, authorizer: new ImageAuthorizer(jobs, devices), isOwnAddress: () => false },
      recorder: new EvidenceRecorder(jobs, devices),
      address: () => address,
      label: () => ({ host: 'at home', tab: 'flash' }),
      log: (level, text) => logged.push(`${level}: ${text}`),
    });
    job = jobs.jobFor('cloud', DEVICE);
    job.enter('cloud');
    job.running = new AbortController();
  });
  const kinds = (): string[] => job.evidence.all.map(({ kind }) => kind);

  for (const [failure, code] of [
    ['certificate-rejected', 'certificate-rejected'],
    ['refused-here', 'tls-refused'],
    ['not-tls', 'message-malformed'],
    ['broken-off', undefined],
    ['timeout', undefined],
  ] as const) {
    it(`takes a handshake that ended as ${failure} for ${code ?? 'nothing to tell a person'}`, () => {
      const failed = { peer: PEER, failure, code: 'X', reason: quoted('so it was'), helloSeen: true };
      host.handshakeFailed({ ...failed, certificateSent: true, isModern: false } satisfies HandshakeFailed);
      assert.deepEqual(kinds(), ['tls-failed']);
      const expected: [string, ErrorCode][] = code === undefined ? [] : [[PEER, code]];
      assert.deepEqual(
        troubles.map(({ peer, error }) => [peer, error.code]),
        expected,
      );
      assert.equal(devices.peerSince(PEER) !== undefined, code !== undefined);
      for (const { error } of troubles) assert.ok(!error.message.includes('?'), error.message);
    });
  }

  it('keeps what was seen before anything else is notified', () => {
    const heard: string[][] = [];
    devices.on('trouble', () => heard.push(kinds()));
    devices.on('dispatched', () => heard.push(kinds()));
    host.malformed(new FlashError('message-malformed', { peer: PEER, reason: quoted('no JSON') }), PEER);
    const statement = { deviceid: DEVICE, apikey: 'a', model: 'PSF-B04-GL', romVersion: '1.5.5' };
    host.dispatched({ ...statement, ts: 1, peer: PEER, via: 'tls' } as never);
    assert.deepEqual(heard.splice(0), [['malformed'], ['malformed', 'dispatched']]);
    devices.directory.on('seen', () => heard.push(kinds().slice(2)));
    const session = Object.assign(new EventEmitter(), { peer: PEER, via: 'tls', sessionKey: 'key', device: statement });
    host.connected(session as unknown as DeviceConnection);
    heard.length = 0;
    session.emit('registered', statement);
    assert.deepEqual(heard.splice(0), [['registered']]);
    const failed = { peer: PEER, failure: 'not-tls', code: 'X', reason: quoted('no TLS'), helloSeen: false } as const;
    host.handshakeFailed({ ...failed, certificateSent: false, isModern: false });
    assert.equal(heard[0]?.at(-1), 'tls-failed');
    assert.equal(devices.get(DEVICE), session as unknown as DeviceConnection);
  });

  it('counts a peer from when it dials a cloud port, before the job is notified', () => {
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 }, Date.now() + 60_000);
    host.cloudDialled(PEER, 'tls');
    assert.ok(devices.peerSince(PEER));
    assert.equal((job.evidence.all.at(-1) as { isOld?: true }).isOld, true);
    host.imagesDialled('192.0.2.8');
    assert.equal(devices.peerSince('192.0.2.8'), undefined, 'FinalStage and whoever fetches images are no news');
    host.browser(PEER);
    assert.deepEqual(kinds().slice(1), ['dialled', 'stranger']);
  });

  it('logs once a peer why it refuses it, and not of more than a hundred peers', () => {
    for (const _ of [1, 2]) host.refused(PEER, 'handshakes');
    host.refused(PEER, 'total');
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /^warn: connections of 192\.0\.2\.7 are refused: .*TLS handshakes/);
    assert.deepEqual(kinds(), ['connection-refused', 'connection-refused'], 'a job hears of each limit');
    devices.emit('crowded', '192.0.2.8');
    assert.match(logged[1] ?? '', /192\.0\.2\.8 .*sessions of 64 devices/);
    for (let peer = 0; peer < 200; peer += 1) host.refused(`10.0.0.${peer}`, 'port');
    assert.equal(logged.length, 100);
    host.trouble(new Error('too many open files'));
    assert.equal(logged.at(-1), 'warn: too many open files');
  });

  for (const [limit, why] of [
    ['peer', 'it has more than 16 that no device was seen on; each new one closes the oldest'],
    ['total', 'there are more than 256 that no device was seen on; each new one closes the oldest'],
    ['port', 'too many are open on one port'],
    ['handshakes', 'it starts more than 5 TLS handshakes a second'],
    ['sessions', 'it has the sessions of 64 devices'],
  ] as const) {
    it(`says of a peer that is refused by the limit ${limit}: ${why}`, () => {
      host.refused(PEER, limit);
      assert.deepEqual(logged, [`warn: connections of 192.0.2.7 are refused: ${why}`]);
      assert.deepEqual(
        job.evidence.all.map(({ at: _at, ...seen }) => seen),
        [{ kind: 'connection-refused', peer: PEER, limit }],
      );
    });
  }

  it('reports what others who listen there ask of it', () => {
    assert.deepEqual(host.label(), { host: 'at home', tab: 'flash' });
    assert.equal(host.addressFor('192.0.2.5'), '192.0.2.5');
    address = '192.0.2.6';
    assert.equal(host.addressFor('192.0.2.5'), '192.0.2.6');
    assert.equal(host.jobSince(DEVICE), job.startedAt.getTime());
    assert.equal(host.jobSince('1000ffffff'), undefined);
    assert.deepEqual([host.awaitsFinalStageSince(), host.needsFinalStagePort()], [Infinity, false]);
    const second = jobs.jobFor('finalstage', '1000000002');
    second.finalStage = new FinalStageSession(new Date(8));
    assert.deepEqual([host.awaitsFinalStageSince(), host.needsFinalStagePort()], [8, true]);
    job.finalStage = new FinalStageSession(new Date(7));
    assert.deepEqual([host.awaitsFinalStageSince(), host.needsFinalStagePort()], [7, true]);
    assert.equal(host.finalStageDialled('192.0.2.9'), false);
    assert.equal(host.finalStageDialled(job.finalStage.peer), true);
    for (const one of [job, second]) one.fail('cancelled');
    assert.deepEqual([host.awaitsFinalStageSince(), host.needsFinalStagePort()], [Infinity, false]);
    assert.equal(host.jobSince(DEVICE), undefined);
  });
});
