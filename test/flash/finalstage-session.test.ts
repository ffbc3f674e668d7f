import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FinalStageSession, type Delivery } from '../../lib/flash/job/finalstage-session';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const SIZE = 400_000;

describe('flash/job/finalstage-session', () => {
  function newsOf(session: FinalStageSession): string[] {
    const news: string[] = [];
    for (const event of ['dialled', 'checkpoint', 'changed'] as const) session.on(event, () => news.push(event));
    return news;
  }

  it('takes nothing from a connection that a newer one has overtaken', () => {
    const session = new FinalStageSession();
    const older = session.requested('final', SIZE);
    older.sent(8192);
    older.stalled();
    assert.equal(older.isOvertaken, false);
    const newer = session.requested('final', SIZE);
    newer.sent(4096);
    const before = structuredClone(session.deliveries.final);
    const news = newsOf(session);
    assert.deepEqual([older.isOvertaken, newer.isOvertaken], [true, false]);
    older.sent(SIZE);
    older.stalled();
    older.ended('broken');
    assert.deepEqual(session.deliveries.final, before);
    assert.deepEqual(news, []);
    assert.deepEqual(before, { size: SIZE, sent: 4096, tries: 2, state: 'flowing' });
  });

  it('reports to a restart what must outlive it, and only that', () => {
    const session = new FinalStageSession();
    const news = newsOf(session);
    const after = (act: () => void): string => {
      act();
      return news.splice(0).join(' ');
    };
    assert.equal(
      after(() => session.dialled()),
      'dialled changed',
    );
    let delivery = session.requested('final', SIZE);
    assert.equal(
      after(() => (delivery = session.requested('final', SIZE))),
      'dialled checkpoint changed dialled checkpoint changed',
    );
    assert.equal(
      after(() => delivery.sent(8192)),
      'changed',
    );
    assert.equal(
      after(() => delivery.sent(SIZE)),
      'checkpoint changed',
      'every byte is out',
    );
    assert.equal(
      after(() => delivery.stalled()),
      'checkpoint changed',
    );
    assert.equal(
      after(() => delivery.ended('delivered')),
      'dialled checkpoint changed',
    );
  });

  it('has changed when it reports that', () => {
    const session = new FinalStageSession();
    const seen: unknown[] = [];
    for (const event of ['dialled', 'checkpoint', 'changed'] as const) {
      session.on(event, () => {
        const { sent, tries, state } = session.deliveries.final ?? {};
        const dialled = session.lastDialled?.getTime();
        seen.push([event, dialled, session.dialsWithoutRequestSince?.getTime(), sent, tries, state]);
      });
    }
    session.dialled(new Date(1000));
    const delivery = session.requested('final', SIZE);
    delivery.sent(SIZE);
    delivery.stalled();
    delivery.ended('acknowledged');
    assert.deepEqual(seen, [
      ['dialled', 1000, 1000, undefined, undefined, undefined],
      ['changed', 1000, 1000, undefined, undefined, undefined],
      ['dialled', 1000, undefined, 0, 1, 'flowing'],
      ['checkpoint', 1000, undefined, 0, 1, 'flowing'],
      ['changed', 1000, undefined, 0, 1, 'flowing'],
      ['checkpoint', 1000, undefined, SIZE, 1, 'flowing'],
      ['changed', 1000, undefined, SIZE, 1, 'flowing'],
      ['checkpoint', 1000, undefined, SIZE, 1, 'stalled'],
      ['changed', 1000, undefined, SIZE, 1, 'stalled'],
      ['dialled', 1000, undefined, SIZE, 1, 'acknowledged'],
      ['checkpoint', 1000, undefined, SIZE, 1, 'acknowledged'],
      ['changed', 1000, undefined, SIZE, 1, 'acknowledged'],
    ]);
  });

  it('flows while a connection moves, and is quiet when it stands still, has ended, or was too long ago', () => {
    const session = new FinalStageSession();
    assert.deepEqual([session.isFlowing(60_000), session.hasWholeFinal, session.isJoined], [false, false, false]);
    const delivery = session.requested('final', SIZE);
    assert.equal(session.isFlowing(60_000), true);
    assert.equal(session.isFlowing(0), false);
    delivery.stalled();
    assert.equal(session.isFlowing(60_000), false);
    delivery.sent(1);
    assert.equal(session.isFlowing(60_000), true, 'it goes on');
    for (const how of ['broken', 'acknowledged', 'delivered'] as const) {
      session.requested('final', SIZE).ended(how);
      assert.equal(session.isFlowing(60_000), false, how);
      assert.equal(session.isJustDelivered(60_000), how === 'delivered', how);
      assert.equal(session.hasWholeFinal, how !== 'broken', how);
    }
    assert.equal(session.isJustDelivered(0), false);
    session.requested('user2', SIZE);
    assert.equal(session.isFlowing(60_000), true);
    assert.equal(session.hasWholeFinal, true, 'user2 is another image');
  });

  it('is waited for until it is quiet, and immediately where nothing is on the wire', async () => {
    const session = new FinalStageSession();
    await session.whenQuiet(60_000);
    const delivery = session.requested('final', SIZE);
    let isQuiet = false;
    const quiet = session.whenQuiet(60_000).then(() => (isQuiet = true));
    delivery.sent(8192);
    await nextTurn();
    assert.equal(isQuiet, false);
    delivery.ended('broken');
    await quiet;
  });

  describe('while time passes', () => {
    beforeEach(() => timeStands(['Date', 'setTimeout', 'setInterval'], 1_000_000));
    afterEach(timeGoesOn);

    it('knows since when it is, and when FinalStage dialled', () => {
      const session = new FinalStageSession();
      timePasses(10);
      session.dialled();
      assert.deepEqual([session.since, session.lastDialled], [new Date(1_000_000), new Date(1_000_010)]);
    });

    it('flows for as long after its last byte as it may stand still', () => {
      const session = new FinalStageSession();
      const delivery = session.requested('final', SIZE);
      assert.deepEqual(session.deliveries.final, { size: SIZE, sent: 0, tries: 1, state: 'flowing' });
      timePasses(50_000);
      delivery.sent(SIZE);
      timePasses(59_999);
      assert.equal(session.isFlowing(60_000), true);
      timePasses(1);
      assert.equal(session.isFlowing(60_000), false);
      delivery.ended('delivered');
      assert.deepEqual([session.isJustDelivered(60_000), session.isJustDelivered(60_001)], [false, true]);
    });

    it('is waited for until the moment of its end', async () => {
      const session = new FinalStageSession();
      const delivery = session.requested('final', SIZE);
      const quiet = session.whenQuiet(60_000);
      delivery.ended('delivered');
      await quiet;
    });

    it('is not waited for any longer than that', async () => {
      const session = new FinalStageSession();
      session.requested('final', SIZE);
      let isQuiet = false;
      const quiet = session.whenQuiet(60_500).then(() => (isQuiet = true));
      timePasses(60_000);
      await nextTurn();
      assert.equal(isQuiet, false);
      timePasses(1000);
      await quiet;
    });
  });

  it('states afterwards what it took', () => {
    const session = new FinalStageSession();
    session.requested('final', SIZE);
    session.requested('final', SIZE);
    assert.deepEqual(session.summary(), { image: 'final', size: SIZE, tries: 2, cycles: 1 });
    session.requested('user2', SIZE + 1);
    assert.deepEqual(session.summary(), { image: 'final', size: SIZE, tries: 2, cycles: 2 });
    assert.deepEqual(new FinalStageSession().summary(), {
      ...{ image: 'final', size: undefined, tries: undefined, cycles: 1 },
    });
  });

  it('counts bare connections from the first since the last request', () => {
    const session = new FinalStageSession();
    session.dialled(new Date(1000));
    session.dialled(new Date(2000));
    assert.deepEqual([session.dialsWithoutRequestSince, session.lastDialled], [new Date(1000), new Date(2000)]);
    session.requested('user2', SIZE);
    assert.equal(session.dialsWithoutRequestSince, undefined);
    session.dialled(new Date(3000));
    assert.deepEqual(session.dialsWithoutRequestSince, new Date(3000));
    assert.equal(session.record().peer, '192.168.4.1');
  });

  it('is stored as it stands then', () => {
    const session = new FinalStageSession(new Date(1000));
    session.peer = '127.0.0.9';
    session.requested('user2', SIZE).ended('delivered');
    const delivery = session.requested('final', SIZE);
    delivery.sent(8192);
    const record = session.record();
    delivery.sent(SIZE);
    delivery.ended('acknowledged');
    assert.deepEqual(record, {
      since: new Date(1000).toISOString(),
      peer: '127.0.0.9',
      deliveries: {
        user2: { size: SIZE, sent: 0, tries: 1, state: 'delivered' },
        final: { size: SIZE, sent: 8192, tries: 1, state: 'flowing' },
      },
    });
    assert.deepEqual(session.record().deliveries.final, { size: SIZE, sent: SIZE, tries: 1, state: 'acknowledged' });
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
        const session = FinalStageSession.restore({ since, peer: '127.0.0.1', deliveries: { final } });
        assert.deepEqual(session.deliveries, { final: { ...final, state: after } });
        assert.equal(session.isFinalInterrupted, after === 'interrupted');
        assert.deepEqual(
          [session.peer, session.since, session.isFlowing(60_000)],
          ['127.0.0.1', new Date(1000), false],
        );
      });
    }
  });
});
