import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FinalStageVisit, type Delivery } from '../../lib/flash/job/finalstage-visit';

const SIZE = 400_000;

describe('flash/job/finalstage-visit', () => {
  function newsOf(visit: FinalStageVisit): string[] {
    const news: string[] = [];
    for (const event of ['dialled', 'turn', 'changed'] as const) visit.on(event, () => news.push(event));
    return news;
  }

  it('takes nothing from a connection that a newer one has overtaken', () => {
    const visit = new FinalStageVisit();
    const older = visit.requested('final', SIZE);
    older.sent(8192);
    older.stalled();
    assert.equal(older.isOvertaken, false);
    const newer = visit.requested('final', SIZE);
    newer.sent(4096);
    const before = structuredClone(visit.deliveries.final);
    const news = newsOf(visit);
    assert.deepEqual([older.isOvertaken, newer.isOvertaken], [true, false]);
    older.sent(SIZE);
    older.stalled();
    older.ended('broken');
    assert.deepEqual(visit.deliveries.final, before);
    assert.deepEqual(news, []);
    assert.deepEqual(before, { size: SIZE, sent: 4096, tries: 2, state: 'flowing' });
  });

  it('tells a restart of what must outlive it, and only of that', () => {
    const visit = new FinalStageVisit();
    const news = newsOf(visit);
    const after = (act: () => void): string => {
      act();
      return news.splice(0).join(' ');
    };
    assert.equal(
      after(() => visit.dialled()),
      'dialled changed',
    );
    let delivery = visit.requested('final', SIZE);
    assert.equal(
      after(() => (delivery = visit.requested('final', SIZE))),
      'dialled turn changed dialled turn changed',
    );
    assert.equal(
      after(() => delivery.sent(8192)),
      'changed',
    );
    assert.equal(
      after(() => delivery.sent(SIZE)),
      'turn changed',
      'every byte is out',
    );
    assert.equal(
      after(() => delivery.stalled()),
      'turn changed',
    );
    assert.equal(
      after(() => delivery.ended('delivered')),
      'dialled turn changed',
    );
  });

  it('flows while a connection moves, and is quiet when it stands still, has ended, or goes on too long ago', () => {
    const visit = new FinalStageVisit();
    assert.deepEqual([visit.isFlowing(60_000), visit.hasWholeFinal, visit.isJoined], [false, false, false]);
    const delivery = visit.requested('final', SIZE);
    assert.equal(visit.isFlowing(60_000), true);
    assert.equal(visit.isFlowing(0), false);
    delivery.stalled();
    assert.equal(visit.isFlowing(60_000), false);
    delivery.sent(1);
    assert.equal(visit.isFlowing(60_000), true, 'it goes on');
    for (const how of ['broken', 'acknowledged', 'delivered'] as const) {
      visit.requested('final', SIZE).ended(how);
      assert.equal(visit.isFlowing(60_000), false, how);
      assert.equal(visit.isJustDelivered(60_000), how === 'delivered', how);
      assert.equal(visit.hasWholeFinal, how !== 'broken', how);
    }
    assert.equal(visit.isJustDelivered(0), false);
    visit.requested('user2', SIZE);
    assert.equal(visit.isFlowing(60_000), true);
    assert.equal(visit.hasWholeFinal, true, 'user2 is another image');
  });

  it('is waited for until it is quiet, and at once where nothing is on the wire', async () => {
    const visit = new FinalStageVisit();
    await visit.whenQuiet(60_000);
    const delivery = visit.requested('final', SIZE);
    let isQuiet = false;
    const quiet = visit.whenQuiet(60_000).then(() => (isQuiet = true));
    delivery.sent(8192);
    await nextTurn();
    assert.equal(isQuiet, false);
    delivery.ended('broken');
    await quiet;
  });

  describe('while time passes', () => {
    beforeEach(() => mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: 1_000_000 }));
    afterEach(() => mock.timers.reset());

    it('flows for as long after its last byte as it may stand still', () => {
      const visit = new FinalStageVisit();
      const delivery = visit.requested('final', SIZE);
      assert.deepEqual(visit.deliveries.final, { size: SIZE, sent: 0, tries: 1, state: 'flowing' });
      mock.timers.tick(50_000);
      delivery.sent(SIZE);
      mock.timers.tick(59_999);
      assert.equal(visit.isFlowing(60_000), true);
      mock.timers.tick(1);
      assert.equal(visit.isFlowing(60_000), false);
      delivery.ended('delivered');
      assert.deepEqual([visit.isJustDelivered(60_000), visit.isJustDelivered(60_001)], [false, true]);
    });

    it('is not waited for any longer than that', async () => {
      const visit = new FinalStageVisit();
      visit.requested('final', SIZE);
      let isQuiet = false;
      const quiet = visit.whenQuiet(60_000).then(() => (isQuiet = true));
      mock.timers.tick(59_000);
      await nextTurn();
      assert.equal(isQuiet, false);
      mock.timers.tick(2000);
      await quiet;
    });
  });

  it('tells afterwards what it took', () => {
    const visit = new FinalStageVisit();
    visit.requested('final', SIZE);
    visit.requested('final', SIZE);
    assert.deepEqual(visit.summary(), { image: 'final', size: SIZE, tries: 2, cycles: 1 });
    visit.requested('user2', SIZE);
    assert.equal(visit.summary()['cycles'], 2);
  });

  it('counts bare connections from the first since the last request', () => {
    const visit = new FinalStageVisit();
    visit.dialled(new Date(1000));
    visit.dialled(new Date(2000));
    assert.deepEqual([visit.dialsWithoutRequestSince, visit.lastDialled], [new Date(1000), new Date(2000)]);
    visit.requested('user2', SIZE);
    assert.equal(visit.dialsWithoutRequestSince, undefined);
    visit.dialled(new Date(3000));
    assert.deepEqual(visit.dialsWithoutRequestSince, new Date(3000));
    assert.equal(visit.record().peer, '192.168.4.1');
  });

  describe('after a restart of ours', () => {
    const states: [before: Pick<Delivery, 'sent' | 'state'>, after: Delivery['state']][] = [
      [{ sent: 8192, state: 'flowing' }, 'interrupted'],
      [{ sent: 8192, state: 'stalled' }, 'interrupted'],
      [{ sent: 8192, state: 'broken' }, 'broken'],
      [{ sent: SIZE, state: 'flowing' }, 'interrupted'],
      [{ sent: SIZE, state: 'stalled' }, 'interrupted'],
      [{ sent: SIZE, state: 'acknowledged' }, 'acknowledged'],
      [{ sent: SIZE, state: 'delivered' }, 'delivered'],
    ];
    for (const [{ sent, state }, after] of states) {
      it(`is ${after} what was ${state} with ${sent === SIZE ? 'every byte' : 'some of the bytes'} out`, () => {
        const since = new Date(1000).toISOString();
        const final = { size: SIZE, tries: 2, sent, state };
        const visit = FinalStageVisit.restore({ since, peer: '127.0.0.1', deliveries: { final } });
        assert.deepEqual(visit.deliveries, { final: { ...final, state: after } });
        assert.equal(visit.isFinalInterrupted, after === 'interrupted');
        assert.deepEqual([visit.peer, visit.since, visit.isFlowing(60_000)], ['127.0.0.1', new Date(1000), false]);
      });
    }
  });
});
