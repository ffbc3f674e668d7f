import assert from 'node:assert/strict';
import { lastRequestIn } from '../../lib/flash/overview/last-request';
import type { NewObservation, Observation } from '../../lib/flash/observation';
import { quoted, wording } from '../../lib/wordings/wording';

describe('flash: what a device last did, in words', () => {
  const at = Date.parse('2026-03-01T10:00:00Z');
  const began: Observation = { at, kind: 'stage', stage: 'cloud', event: 'began', seconds: 300 };

  it('is nothing while only we have acted', () => {
    assert.equal(lastRequestIn([]), undefined);
    assert.equal(
      lastRequestIn([began, { at, kind: 'message', direction: 'out', text: '{"action":"upgrade"}' }]),
      undefined,
    );
  });

  it('is the newest thing that came from it', () => {
    const seen: Observation[] = [
      began,
      { at, kind: 'registered', peer: '192.168.1.9', via: 'tls' },
      { at: at + 1000, kind: 'image-requested', role: 'user2', class: 'range', first: 4096, size: 400_000 },
      { at: at + 2000, kind: 'message', direction: 'out', text: '{}' },
    ];
    assert.deepEqual(lastRequestIn(seen), {
      at: '2026-03-01T10:00:01.000Z',
      name: 'image-requested',
      values: { image: wording('asked-user2'), first: 4096, size: 400_000 },
      text: 'asked for user2, from byte 4096 of 400000',
    });
  });

  it('names what a message is about, and copes with one that is none', () => {
    const text = (message: string): string | undefined =>
      lastRequestIn([{ at, kind: 'message', direction: 'in', text: message }])?.text;
    assert.equal(text('{"action":"date"}'), 'sent "date"');
    assert.equal(text('{"error":0}'), 'sent "error 0"');
    assert.equal(text('{}'), 'sent "?"');
    assert.equal(text('nonsense'), 'sent "?"');
    assert.equal(text(`{"action":"${'x'.repeat(41)}"}`), `sent "${'x'.repeat(40)}"`);
  });

  const peer = '192.168.1.9';
  const device = { deviceid: '1000a1b2c3', model: 'PSF-B04-GL', romVersion: '1.5.5' };
  const reason = quoted('so it was');
  for (const [seen, name, values, text] of [
    [{ kind: 'provisioned', answer: 'accepted' }, 'provisioned', {}, 'took the Wi-Fi settings'],
    [{ kind: 'dialled', peer, port: 'tls' }, 'dialled', {}, 'connected to this machine, without a word so far'],
    [
      { kind: 'tls-failed', peer, failure: 'not-tls', code: 'X', reason, helloSeen: false },
      ...(['tls-failed', { code: 'X' }, 'broke off the TLS handshake (X)'] as const),
    ],
    [{ kind: 'malformed', peer, reason }, 'malformed', {}, 'sent something that is not its protocol'],
    [{ kind: 'dispatched', peer, via: 'tls', ...device }, 'dispatched', {}, 'asked where to connect'],
    [{ kind: 'registered', peer, via: 'tls' }, 'registered', {}, 'registered at the emulated cloud'],
    [
      { kind: 'image-requested', role: 'user1', class: 'range', size: 400 },
      'image-requested-whole',
      { image: wording('asked-user1'), size: 400 },
      'asked for the whole of user1, 400 bytes',
    ],
    [{ kind: 'acknowledged', error: 404 }, 'acknowledged', { error: 404 }, 'reported 404 on the upgrade'],
    [{ kind: 'session-lost' }, 'session-lost', {}, 'closed its session'],
    [{ kind: 'finalstage-dialled' }, 'finalstage-dialled', {}, 'connected as FinalStage, without a request'],
    [
      { kind: 'finalstage-requested', image: 'user2', size: 400 },
      ...(['finalstage-asked-user2', { size: 400 }, 'asked for user2 as FinalStage, 400 bytes'] as const),
    ],
    [
      { kind: 'finalstage-requested', image: 'final', size: 400 },
      ...(['finalstage-asked-final', { size: 400 }, 'asked for the final image as FinalStage, 400 bytes'] as const),
    ],
    [
      { kind: 'finalstage-ended', image: 'final', how: 'broken', bytes: 300 },
      ...(['finalstage-broken', { bytes: 300 }, 'broke off as FinalStage after 300 bytes'] as const),
    ],
    [
      { kind: 'finalstage-ended', image: 'final', how: 'acknowledged', bytes: 400 },
      ...(['finalstage-acknowledged', { bytes: 400 }, 'took all 400 bytes as FinalStage and vanished'] as const),
    ],
    [
      { kind: 'finalstage-ended', image: 'final', how: 'delivered', bytes: 400 },
      ...(['finalstage-delivered', { bytes: 400 }, 'took all 400 bytes as FinalStage'] as const),
    ],
  ] as const satisfies [NewObservation, string, object, string][]) {
    it(`says of a device whose last sign is ${name}: ${text}`, () => {
      const told = { at: '2026-03-01T10:00:00.000Z', name, values, text };
      assert.deepEqual(lastRequestIn([{ at, ...seen }]), told);
    });
  }

  it('is what came before where only this program ended there', () => {
    const asked: Observation = { at, kind: 'finalstage-requested', image: 'final', size: 400 };
    const ended: Observation = { at: at + 1, kind: 'finalstage-ended', image: 'final', how: 'interrupted', bytes: 9 };
    assert.deepEqual(lastRequestIn([asked, ended]), lastRequestIn([asked]));
  });
});
