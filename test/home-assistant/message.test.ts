import assert from 'node:assert/strict';
import { kept, passing } from '../../lib/home-assistant/message';

const HALF = '\ud83c';

describe('home assistant: messages', () => {
  it('are JSON that Home Assistant reads, whatever a name holds', () => {
    for (const { payload } of [
      kept('a', { names: [`lamp ${HALF}`, '🏠'] }),
      passing('a', { names: [`lamp ${HALF}`, '🏠'] }),
    ]) {
      assert.equal(payload, '{"names":["lamp \ufffd","🏠"]}');
    }
  });

  it('hold a text as it is', () => {
    assert.deepEqual(kept('a', 'online'), { topic: 'a', payload: 'online', qos: 1, retain: true });
  });
});
