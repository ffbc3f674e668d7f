import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Node } from 'node-red';
import { NodeStatus } from '../../nodes/shared/status';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('nodes: the status under a node', () => {
  let node: EventEmitter;
  let status: NodeStatus;
  const shown: string[] = [];
  const last = (): string | undefined => shown.at(-1);

  beforeEach(() => {
    shown.length = 0;
    const show = ({ fill, shape, text }: Record<string, string>): number => shown.push(`${fill} ${shape} ${text}`);
    node = Object.assign(new EventEmitter(), { status: show });
    status = new NodeStatus(node as unknown as Node, (key, english) => `${key}: ${english}`);
  });
  afterEach(timeGoesOn);

  const REPORT = { label: 'upgrade', percent: 7 };
  for (const [what, act, wanted] of [
    ['an idle one', (one: NodeStatus) => one.idle(), 'grey ring status.idle: idle'],
    ['work', (one: NodeStatus) => one.running({ ...REPORT, state: 'working' }), 'blue dot upgrade 7 %'],
    ['a wait', (one: NodeStatus) => one.running({ ...REPORT, state: 'waiting' }), 'yellow ring upgrade'],
    [
      'trouble, while it waits too',
      (one: NodeStatus) => one.running({ ...REPORT, state: 'waiting', warning: 'ap-silent', endsAt: new Date(1e15) }),
      'red ring ap-silent',
    ],
    ['work without a percent', (one: NodeStatus) => one.busy('checking'), 'blue dot checking'],
    ['a good end', (one: NodeStatus) => one.done(), 'green dot status.done: done'],
    ['a good end in words of its own', (one: NodeStatus) => one.done('flashed'), 'green dot flashed'],
    ['a wait in words of its own', (one: NodeStatus) => one.waiting('for MQTT'), 'yellow ring for MQTT'],
    ['a person who must go on', (one: NodeStatus) => one.held('paused'), 'yellow ring paused'],
    ['an end that is partly bad', (one: NodeStatus) => one.endedBadly('1 failed'), 'red ring 1 failed'],
    ['a doubt', (one: NodeStatus) => one.warned('topic-shared'), 'yellow ring topic-shared'],
    ['a doubt at a good end', (one: NodeStatus) => one.doubtful('image-signed'), 'yellow dot image-signed'],
    ['a failure', (one: NodeStatus) => one.failed('host-missing'), 'red ring host-missing'],
  ] as const) {
    it(`shows ${what}, and how many wait behind it`, () => {
      act(status);
      assert.equal(last(), wanted);
      status.queue(2);
      assert.equal(last(), `${wanted} (+2)`);
      status.queue(0);
      assert.equal(last(), wanted);
    });
  }

  it('shows nothing twice in a row', () => {
    for (const _ of [1, 2]) status.busy('checking');
    status.queue(0);
    assert.deepEqual(shown, ['grey ring status.idle: idle', 'blue dot checking']);
    status.idle();
    assert.equal(shown.length, 3);
  });

  it('counts down in steps how long a wait lasts, until something else is shown or the node goes', () => {
    timeStands(['setInterval', 'Date'], 0);
    const wait = { ...REPORT, state: 'waiting' as const };
    status.running({ ...wait, endsAt: new Date(85_000) });
    const [first] = [last()];
    for (let step = 0; step < 3; step += 1) timePasses(10_000);
    assert.deepEqual(
      [first, ...shown.slice(2)],
      ['1:30', '1:20', '1:10', '1:00'].map((left) => `yellow ring upgrade ${left}`),
    );
    status.busy('checking');
    timePasses(60_000);
    assert.equal(last(), 'blue dot checking');
    status.running({ ...wait, endsAt: new Date(105_000) });
    assert.equal(last(), 'yellow ring upgrade 0:20');
    timePasses(20_000);
    assert.equal(last(), 'yellow ring upgrade', 'no more than nothing is left');
    status.running({ ...wait, endsAt: new Date(1_000_000) });
    const { length } = shown;
    node.emit('close');
    timePasses(60_000);
    assert.equal(shown.length, length);
  });
});
