import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { SessionEvents } from '../../lib/flash/stage/session-events';
import type { DeviceConnection } from '../../lib/server/device-connection';
import { wording } from '../../lib/wordings/wording';

describe('flash/stage/session-events', () => {
  function session(): { connection: EventEmitter; events: SessionEvents; news: () => number } {
    const connection = Object.assign(new EventEmitter(), { peer: '192.168.1.30' });
    const events = new SessionEvents(connection as unknown as DeviceConnection);
    let count = 0;
    events.on('news', () => (count += 1));
    return { connection, events, news: () => count };
  }

  it('keeps the acknowledgement, whatever comes after, until that is cleared', () => {
    const { connection, events, news } = session();
    assert.equal(events.verdict(), undefined);
    connection.emit('acknowledged', 410);
    connection.emit('closed');
    assert.deepEqual([events.verdict(), news()], [410, 2]);
    events.clear();
    assert.equal(events.verdict(), 'lost');
  });

  it('takes strange words for a reason only where the session ends after them', () => {
    const { connection, events, news } = session();
    connection.emit('malformed', wording('not-json'));
    assert.deepEqual([events.verdict(), news()], [undefined, 1]);
    connection.emit('closed');
    assert.throws(() => events.verdict(), {
      code: 'message-malformed',
      values: { peer: '192.168.1.30', reason: wording('not-json') },
    });
  });

  it('receives nothing any more once it is stopped', () => {
    const { connection, events } = session();
    events.stop();
    for (const name of ['acknowledged', 'malformed', 'closed']) {
      assert.equal(connection.listenerCount(name), 0, name);
    }
  });
});
