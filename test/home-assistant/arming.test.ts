import assert from 'node:assert/strict';
import { Arming, ARMED_MS } from '../../lib/home-assistant/arming';
import { FakeClock } from './fake-clock';
import { ID } from './snapshots';

describe('home assistant: which devices are armed', () => {
  let clock: FakeClock;
  let expiries: number;
  let arming: Arming;
  beforeEach(() => {
    clock = new FakeClock();
    expiries = 0;
    arming = new Arming(clock, () => (expiries += 1));
  });

  it('arms nothing until a person does', () => {
    assert.equal(arming.isArmed(ID), false);
    assert.equal(arming.consume(ID), false);
  });

  it('arms one device for an hour, and reports the end of the offer', () => {
    arming.arm(ID);
    assert.deepEqual([arming.isArmed(ID), arming.isArmed('other'), arming.isForAll], [true, false, false]);
    clock.advance(ARMED_MS - 1);
    assert.deepEqual([arming.isArmed(ID), expiries], [true, 0]);
    clock.advance(1);
    assert.deepEqual([arming.isArmed(ID), expiries], [false, 1]);
  });

  it('is used up by the first installation', () => {
    arming.arm(ID);
    assert.equal(arming.consume(ID), true);
    assert.equal(arming.consume(ID), false);
  });

  it('arms every device that comes, each for one installation', () => {
    arming.armAll();
    assert.deepEqual([arming.isForAll, arming.isArmed(ID), arming.isArmed('later')], [true, true, true]);
    assert.equal(arming.consume(ID), true);
    assert.deepEqual([arming.isArmed(ID), arming.isArmed('later')], [false, true]);
    arming.disarm('later');
    assert.equal(arming.isArmed('later'), false);
    arming.arm(ID);
    assert.equal(arming.isArmed(ID), true);
    clock.advance(ARMED_MS);
    assert.deepEqual([arming.isForAll, arming.isArmed(ID), arming.isArmed('other')], [false, false, false]);
    assert.equal(expiries, 1);
  });

  it('makes an exception of a device that is switched off, until all are armed again', () => {
    arming.armAll();
    arming.disarm(ID);
    clock.advance(ARMED_MS / 2);
    arming.armAll();
    assert.equal(arming.isArmed(ID), true);
    clock.advance(ARMED_MS / 2);
    assert.deepEqual([arming.isForAll, expiries], [true, 0], 'a whole hour once more');
    clock.advance(ARMED_MS / 2);
    assert.deepEqual([arming.isForAll, expiries], [false, 1]);
  });

  it('reports no end of an offer that was taken back, or once it has stopped', () => {
    arming.arm(ID);
    arming.disarm(ID);
    clock.advance(ARMED_MS);
    arming.armAll();
    arming.disarmAll();
    clock.advance(ARMED_MS);
    arming.arm(ID);
    arming.stop();
    clock.advance(ARMED_MS);
    assert.equal(expiries, 0);
  });

  it('counts the hour of each device from its own switch', () => {
    arming.arm(ID);
    clock.advance(ARMED_MS / 2);
    arming.arm('later');
    clock.advance(ARMED_MS / 2);
    assert.deepEqual([arming.isArmed(ID), arming.isArmed('later'), expiries], [false, true, 1]);
    clock.advance(ARMED_MS / 2);
    assert.deepEqual([arming.isArmed('later'), expiries], [false, 2]);
  });

  it('takes back every offer immediately', () => {
    arming.armAll();
    arming.arm(ID);
    arming.disarmAll();
    assert.deepEqual([arming.isForAll, arming.isArmed(ID), arming.isArmed('other')], [false, false, false]);
  });
});
