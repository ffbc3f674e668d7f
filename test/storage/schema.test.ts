import assert from 'node:assert/strict';
import * as schema from '../../lib/storage/schema';

/** What a schema makes of a value: the value, or why it is none. */
function taken<T>(of: schema.Schema<T>, value: unknown): unknown {
  const { value: found, dropped } = schema.read(of, value);
  return dropped.length === 0 ? found : dropped;
}

describe('storage/schema', () => {
  const no = (reason: string): string[] => [reason];

  it('takes texts up to their limit', () => {
    assert.equal(taken(schema.text(3), 'abc'), 'abc');
    assert.deepEqual(taken(schema.text(3), 'abcd'), no('has more than 3 characters'));
    assert.deepEqual(taken(schema.text(), 7), no('is no text'));
    assert.equal((taken(schema.text(), 'x'.repeat(10_000)) as string).length, 10_000);
    assert.deepEqual(taken(schema.text(), 'x'.repeat(10_001)), no('has more than 10000 characters'));
    assert.equal(taken(schema.matching(/^\d+$/, 'a number'), '12'), '12');
    assert.deepEqual(taken(schema.matching(/^\d+$/, 'a number'), '1x'), no('is not a number'));
  });

  it('takes numbers within their bounds', () => {
    const percent = schema.number(0, 100);
    for (const value of [0, 50.5, 100]) assert.equal(taken(percent, value), value);
    for (const value of [-1, 101, NaN, Infinity, '5', null]) {
      assert.deepEqual(taken(percent, value), no('is no number from 0 to 100'));
    }
    assert.equal(taken(schema.count, 3), 3);
    assert.deepEqual(taken(schema.count, 1.5), no('is no whole number'));
    assert.notEqual(taken(schema.count, -1), -1);
    assert.notEqual(taken(schema.count, 2 ** 60), 2 ** 60);
  });

  it('takes times between the first and any that can be true', () => {
    for (const value of ['1970-01-01T00:00:00Z', '2026-05-04T10:00:00.000Z']) {
      assert.equal(taken(schema.isoTime, value), value);
    }
    const late = [`${'0'.repeat(41)}`, '2100-01-02T00:00:00Z', '1969-12-31T23:59:59Z', 'yesterday', 5];
    for (const value of late) assert.deepEqual(taken(schema.isoTime, value), no('is no time that can be true'));
    const long = `4 May 2026 10:00 (${'x'.repeat(21)})`;
    assert.equal(Date.parse(long), Date.parse('4 May 2026 10:00'), 'it would be a time');
    assert.equal(long.length, 40);
    assert.equal(taken(schema.isoTime, long), long);
    assert.deepEqual(taken(schema.isoTime, `${long} `), no('is no time that can be true'));
    for (const edge of [0, Date.UTC(2100, 0)]) {
      assert.equal(taken(schema.instant, edge), edge);
      assert.equal(taken(schema.isoTime, new Date(edge).toISOString()), new Date(edge).toISOString());
    }
    for (const beyond of [-1, Date.UTC(2100, 0) + 1]) {
      assert.notEqual(taken(schema.instant, beyond), beyond);
      assert.deepEqual(taken(schema.isoTime, new Date(beyond).toISOString()), no('is no time that can be true'));
    }
  });

  it('takes addresses, flags and known words', () => {
    assert.equal(taken(schema.ipv4, '192.168.4.1'), '192.168.4.1');
    for (const value of ['::1', 'localhost', '1.2.3', 5])
      assert.deepEqual(taken(schema.ipv4, value), no('is no IPv4 address'));
    assert.deepEqual([taken(schema.flag, false), taken(schema.flag, true)], [false, true]);
    assert.deepEqual(taken(schema.flag, 0), no('is neither true nor false'));
    assert.equal(taken(schema.oneOf(['a', 'b']), 'b'), 'b');
    assert.deepEqual(taken(schema.oneOf(['a', 'b']), 'c'), no('is none of what is known'));
    assert.equal(taken(schema.word<'x' | 'y'>({ x: true, y: true }), 'y'), 'y');
  });

  it('takes what may be missing, or be replaced', () => {
    assert.equal(taken(schema.nullable(schema.flag), null), null);
    assert.deepEqual(taken(schema.nullable(schema.flag), undefined), no('is neither true nor false'));
    assert.equal(taken(schema.optional(schema.flag), undefined), undefined);
    assert.deepEqual(taken(schema.optional(schema.flag), null), no('is neither true nor false'));
    const other = schema.read(schema.replaceable(schema.flag, 'other'), 1);
    assert.deepEqual([other.value, other.dropped], ['other', ['is neither true nor false']]);
    const dropped = schema.read(schema.droppable(schema.flag), 1);
    assert.deepEqual([dropped.value, dropped.dropped], [undefined, ['is neither true nor false']]);
  });

  it('leaves out of an object what it does not know, and reports where something is wrong', () => {
    interface Point {
      readonly at: { readonly x: number };
      readonly name?: string | undefined;
    }
    const point = schema.object<Point>({
      at: schema.object<Point['at']>({ x: schema.count }),
      name: schema.droppable(schema.text(3)),
    });
    assert.deepEqual(taken(point, { at: { x: 1, y: 2 }, more: 1 }), { at: { x: 1 } });
    assert.deepEqual(taken(point, { at: { x: 'one' } }), no('at.x is no number from 0 to 9007199254740991'));
    assert.deepEqual(taken(point, {}), no('at is no object'));
    for (const value of [null, [], 'text']) assert.deepEqual(taken(point, value), no('is no object'));
    const { value, dropped } = schema.read(point, { at: { x: 1 }, name: 'long' });
    assert.deepEqual([value, dropped], [{ at: { x: 1 } }, ['name.has more than 3 characters']]);
    const inherited = Object.create({ at: { x: 1 } }) as object;
    assert.deepEqual(taken(point, inherited), no('at is no object'), 'what it has not itself');
  });

  it('takes lists whole, or what is right of them', () => {
    assert.deepEqual(taken(schema.list(schema.count), [1, 2]), [1, 2]);
    assert.deepEqual(taken(schema.list(schema.flag), [true, 2]), no('1 is neither true nor false'));
    assert.deepEqual(taken(schema.list(schema.flag), {}), no('is no list'));
    const list = schema.read(schema.salvagedList(schema.flag), [true, 2, false]);
    assert.deepEqual([list.value, list.dropped], [[true, false], ['1 is neither true nor false']]);
    const long = 'x'.repeat(60);
    const record = schema.read(schema.salvagedRecord(schema.text(9), schema.flag), { a: true, b: 1, [long]: true });
    assert.deepEqual(record.value, { a: true });
    assert.deepEqual(record.dropped, ['b is neither true nor false', `${'x'.repeat(40)} has more than 9 characters`]);
  });

  it('takes any JSON that is not too deep', () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { deeper: [nested(levels - 1)] });
    const given = { a: [1, { b: null }] };
    assert.deepEqual(taken(schema.jsonObject, given), given);
    // Two levels each, and the last.
    const thirty = { a: nested(14) };
    assert.deepEqual(taken(schema.jsonObject, thirty), thirty);
    assert.deepEqual(taken(schema.jsonObject, nested(15)), no('is nested too deeply'));
  });

  it('takes nothing of any depth, and breaks at none', () => {
    let deep: object = {};
    for (let levels = 0; levels < 100_000; levels += 1) deep = { deep };
    assert.deepEqual(taken(schema.jsonObject, deep), no('is nested too deeply'));
  });

  it('hides no fault of this program', () => {
    const faulty = (): never => {
      throw new TypeError('a fault');
    };
    assert.throws(() => schema.read(schema.droppable(faulty), 1), TypeError);
    assert.throws(() => schema.read(schema.list(faulty), [1]), TypeError);
  });
});
