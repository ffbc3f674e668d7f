import assert from 'node:assert/strict';
import { lastRequestIn } from '../../lib/flash/overview/last-request';
import type { Observation } from '../../lib/flash/observation';
import { wording } from '../../lib/wordings/wording';

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
    assert.equal(text('nonsense'), 'sent "?"');
  });
});
