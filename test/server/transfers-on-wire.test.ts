import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { TransfersOnWire } from '../../lib/server/transfers-on-wire';

describe('TransfersOnWire', () => {
  it('drops what stands still when its device asks again, and no other transfer', () => {
    const onWire = new TransfersOnWire(() => undefined);
    const begin = (peer: string, isStalled: boolean, otaClass: 'finalstage' | 'no-range' = 'finalstage'): Socket => {
      const socket = new Socket();
      const transfer = onWire.add(otaClass, peer, socket);
      if (isStalled) transfer.stalled();
      return socket;
    };
    const old = begin('192.168.4.1', true);
    const others = [begin('192.168.4.9', true), begin('192.168.4.1', true, 'no-range')];
    assert.equal(old.destroyed, false);
    const moving = begin('192.168.4.1', false);
    assert.equal(old.destroyed, true);
    begin('192.168.4.1', false);
    assert.deepEqual(
      [...others, moving].map(({ destroyed }) => destroyed),
      [false, false, false],
    );
  });

  it('counts what is under way, and reports when the last one of a class is over, once', () => {
    const idle: string[] = [];
    const onWire = new TransfersOnWire((otaClass) => idle.push(otaClass));
    const first = onWire.add('range', 'a', new Socket());
    const second = onWire.add('range', 'b', new Socket());
    onWire.add('finalstage', 'c', new Socket());
    assert.deepEqual(onWire.counts, { range: 2, 'no-range': 0, finalstage: 1, total: 3 });
    first.remove();
    first.remove();
    assert.deepEqual(idle, []);
    second.remove();
    second.remove();
    assert.deepEqual(idle, ['range']);
    assert.equal(onWire.counts.total, 1);
  });

  it('keeps nothing of a transfer that is over, were it reported as stalled then', () => {
    const onWire = new TransfersOnWire(() => undefined);
    const old = new Socket();
    const transfer = onWire.add('finalstage', 'a', old);
    transfer.stalled();
    transfer.remove();
    transfer.stalled();
    onWire.add('finalstage', 'a', new Socket());
    assert.equal(old.destroyed, false);
  });
});
