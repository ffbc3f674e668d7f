import assert from 'node:assert/strict';
import { LoopTurns } from '../../lib/timing/loop-turns';

describe('timing/loop-turns', () => {
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('gives each its own turn of the event loop, in the order of the calls', async () => {
    const turns = new LoopTurns();
    const begun: string[] = [];
    const begin = (name: string): void => void turns.next().then(() => begun.push(name));
    for (const name of ['a', 'b', 'c']) begin(name);
    assert.deepEqual(begun, [], 'none before its caller continues');
    await Promise.resolve();
    assert.deepEqual(begun, ['a']);
    begin('d');
    for (const expected of ['ab', 'abc', 'abcd', 'abcd']) {
      await turn();
      assert.equal(begun.join(''), expected);
    }
    for (const name of ['e', 'f']) begin(name);
    await Promise.resolve();
    assert.equal(begun.join(''), 'abcde', 'after a rest the first does not wait');
    await turn();
    assert.equal(begun.join(''), 'abcdef');
  });
});
