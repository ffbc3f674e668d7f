import assert from 'node:assert/strict';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { Report } from '../../lib/flash/run/report';
import { wording } from '../../lib/wordings/wording';
import { progressMessage, resultMessage } from '../../nodes/shared/stage-messages';

const ID = '1000a1b2c3';
const JOB = { deviceid: ID, stage: 'upgrade', percent: 40 } as JobSnapshot;
const OF_JOB = { deviceid: ID, sonota: JOB };

function pendingOf(message: Record<string, unknown>): PendingMessage {
  return { id: 'pending', nodeId: 'node', stage: 'upgrade', message };
}

describe('nodes: what a stage puts out', () => {
  it('is the message that came in, with what was found and the job as they were then', () => {
    const message = { _msgid: 'one', topic: 'mine', deviceid: 'as it was written', payload: 'before' };
    const found = { sessions: 1, list: ['a'] };
    const job = { ...JOB };
    const result = resultMessage({ found, job }, pendingOf(message));
    assert.equal(result, message);
    const expected = { _msgid: 'one', topic: 'mine', deviceid: ID, payload: { sessions: 1, list: ['a'] }, sonota: JOB };
    assert.deepEqual(result, expected);
    found.list.push('b');
    Object.assign(job, { percent: 100 });
    assert.deepEqual(result, expected, 'what changes later is not in it');
  });

  const REPORT: Report = {
    ...{ stage: 'upgrade', name: 'image-flows', values: {}, state: 'working' },
    ...{ label: 'upgrade', text: 'It downloads.', percent: 40 },
  };
  const WORKING = {
    topic: `${ID}/upgrade`,
    payload: 40,
    text: 'It downloads.',
    waiting: false,
    deviceid: ID,
    sonota: JOB,
  };
  const sent = { sent: 10, size: 100 };
  for (const [what, report, expected] of [
    ['work', {}, WORKING],
    ['a wait', { state: 'waiting' }, { ...WORKING, waiting: true }],
    ['work with details', { details: 'As follows.' }, { ...WORKING, details: 'As follows.' }],
    [
      'an upgrade on the wire',
      { values: { ...sent, image: wording('image-user1') } },
      { ...WORKING, transfer: { image: 'user1', ...sent } },
    ],
    [
      'user2 in FinalStage',
      { name: 'user2-flows', values: sent },
      { ...WORKING, transfer: { image: 'user2', ...sent } },
    ],
    ['the final image', { name: 'final-flows', values: sent }, { ...WORKING, transfer: { image: 'final', ...sent } }],
    ['a transfer whose size nobody knows', { values: { sent: 10 } }, WORKING],
    ['a transfer of which nothing is known', { values: { size: 100 } }, WORKING],
  ] as const) {
    it(`reports ${what}`, () => {
      const message = progressMessage({ ...REPORT, ...report }, OF_JOB, pendingOf({ _msgid: 'one', mine: 1 }));
      assert.deepEqual(message, { _msgid: 'one', ...expected });
    });
  }

  it('reports a task that is no stage of a flash as one', () => {
    const task = { ...REPORT, stage: undefined };
    const of = { deviceid: ID, sonota: undefined };
    const message = progressMessage(task, of, pendingOf({}));
    assert.deepEqual(message, { ...WORKING, topic: `${ID}/task`, sonota: undefined });
  });

  it('reports under "unknown" while no device is known, and has an id where its message has one', () => {
    const nobody = { ...JOB, deviceid: null };
    const message = progressMessage(REPORT, { deviceid: null, sonota: nobody }, pendingOf({ mine: 1 }));
    assert.deepEqual(message, { ...WORKING, topic: 'unknown/upgrade', deviceid: null, sonota: nobody });
  });
});
