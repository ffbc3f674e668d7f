import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { runInNewContext } from 'node:vm';
import { carriedImages, storedMessage, revivedMessage, withImages } from '../../lib/flash/stored/stored-message';

describe('flash/stored/stored-message', () => {
  it('keeps what JSON carries, through a file and back', () => {
    const message = {
      _msgid: 'abc',
      payload: { list: [1, 'two', null, { three: true }], when: new Date(0) },
      bytes: Buffer.from([1, 2, 3]),
      foreign: runInNewContext('({ made: ["in", "a function node"] })') as unknown,
      text: 'ü',
    };
    const { message: kept, left } = storedMessage(message);
    assert.deepEqual(left, []);
    const back = revivedMessage(JSON.parse(JSON.stringify(kept)) as Record<string, unknown>);
    assert.deepEqual(back, {
      ...message,
      payload: { ...message.payload, when: '1970-01-01T00:00:00.000Z' },
      foreign: { made: ['in', 'a function node'] },
    });
  });

  it('leaves out whatever is called like a secret, at any depth', () => {
    const { message } = storedMessage({
      password: 'x1',
      payload: { a: [{ apikey: 'x2', api_key: 'x3', wifiPassword: 'x4', keep: 1 }], accessToken: 'x5' },
      headers: { Authorization: 'x6', Cookie: 'x7' },
    });
    assert.deepEqual(message, { payload: { a: [{ keep: 1 }] }, headers: {} });
  });

  const secrets = [
    'password',
    'passwd',
    'Passphrase',
    'passcode',
    'pwd',
    'PWD',
    'apikey',
    'api_key',
    'apiKey',
    'mySecret',
  ];
  for (const key of [...secrets, 'token', 'credentials', 'authorization', 'Set-Cookie']) {
    it(`takes ${key} for the name of a secret`, () => {
      assert.deepEqual(storedMessage({ [key]: 'x', deep: { [key]: 'x', keep: 1 } }), {
        message: { deep: { keep: 1 } },
        left: [],
      });
    });
  }

  it('takes no other name for that of a secret', () => {
    const message = { pass: 1, passenger: 2, mypwd: 3, api: 4, key: 5, ssid: 'home' };
    assert.deepEqual(storedMessage(message), { message, left: [] });
  });

  it('keeps as much as there is room for, the small properties first, in any order', () => {
    const ofSize = (bytes: number): string => 'x'.repeat(bytes - 2);
    const room = 64 * 1024;
    assert.deepEqual(storedMessage({ text: ofSize(room) }).left, []);
    assert.deepEqual(storedMessage({ text: ofSize(room + 1) }).left, ['text']);
    const [big, middle, small] = [ofSize(40_000), ofSize(room - 1000), ofSize(1000)];
    assert.deepEqual(storedMessage({ big: middle, small }), { message: { big: middle, small }, left: [] });
    assert.deepEqual(storedMessage({ middle, big, small, flag: true }), {
      message: { flag: true, small, big },
      left: ['middle'],
    });
  });

  it('keeps twenty levels, and what is there twice', () => {
    const nest = (levels: number): unknown => (levels === 0 ? 'bottom' : { deep: nest(levels - 1) });
    assert.deepEqual(storedMessage({ value: nest(20) }).message, { value: nest(20) });
    assert.ok(JSON.stringify(storedMessage({ value: nest(21) })).includes('bottom'));
    assert.ok(!JSON.stringify(storedMessage({ value: nest(22) })).includes('bottom'));
    const twice = { mine: 1 };
    assert.deepEqual(storedMessage({ list: [twice, twice] }).message, { list: [{ mine: 1 }, { mine: 1 }] });
  });

  it('leaves out what no file can hold: circles, functions, sockets, depths', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    let deep: unknown = 'bottom';
    for (let i = 0; i < 100; i++) deep = { deep };
    const odd = {
      circle,
      deep,
      call: () => 1,
      big: 1n,
      server: createServer(),
      nan: NaN,
      no: undefined,
      map: new Map(),
    };
    const { message } = storedMessage(odd);
    assert.deepEqual(Object.keys(message).sort(), ['circle', 'deep', 'nan']);
    assert.deepEqual([message['circle'], message['nan']], [{ name: 'circle' }, null]);
    assert.ok(!JSON.stringify(message).includes('bottom'));
  });

  it('says which property was too big, and keeps the others', () => {
    const firmware = { user1: Buffer.alloc(200_000), final: Buffer.alloc(10) };
    const { message, left } = storedMessage({ firmware, text: 'x'.repeat(50_000), more: 'y'.repeat(50_000), mine: 1 });
    assert.deepEqual([...left].sort(), ['firmware', 'more']);
    assert.deepEqual(Object.keys(message).sort(), ['mine', 'text']);
    assert.ok(JSON.stringify(message).length < 70_000);
  });

  it('puts carried images back where there is a place for them, and nowhere else', () => {
    const final = Buffer.from([1]);
    assert.deepEqual(withImages({ firmware: { user1: 'a' }, mine: 1 }, { final }), {
      firmware: { user1: 'a', final },
      mine: 1,
    });
    for (const firmware of [null, undefined, 'a file', 7]) {
      assert.deepEqual(withImages({ firmware }, { final }), { firmware });
    }
    assert.deepEqual(withImages({ mine: 1 }, { final }), { mine: 1 });
  });

  it('carries images, and no more bytes than an image can have', () => {
    const [user1, final] = [new Uint8Array(4), Buffer.alloc(2 * 1024 * 1024)];
    assert.deepEqual(carriedImages({ firmware: { user1, user2: 'a file', final, other: user1 } }), {
      user1: Buffer.from(user1),
      final,
    });
    const all = { user1: Buffer.from('1'), user2: Buffer.from('2'), final: Buffer.from('f') };
    assert.deepEqual(carriedImages({ firmware: all }), all);
    assert.deepEqual(carriedImages({ firmware: { final: Buffer.alloc(2 * 1024 * 1024 + 1) } }), {});
    for (const firmware of [null, undefined, 'a file', 7, []]) assert.deepEqual(carriedImages({ firmware }), {});
  });

  it('makes a Buffer again of nothing but a Buffer', () => {
    const odd = [{ type: 'Buffer' }, { type: 'Buffer', data: 'x' }, { type: 'Other', data: [1] }, { data: [1] }];
    const more = { type: 'Buffer', data: [1], and: 'more' };
    assert.deepEqual(revivedMessage({ odd: [...odd, more, null] }), { odd: [...odd, more, null] });
    assert.deepEqual(revivedMessage({ bytes: { type: 'Buffer', data: [1, 2] } }), { bytes: Buffer.from([1, 2]) });
  });

  it('keeps a Buffer of half of the room that there is, and none that is longer', () => {
    assert.deepEqual(storedMessage({ bytes: Buffer.alloc(10_000) }).left, []);
    assert.deepEqual(storedMessage({ bytes: Buffer.alloc(40_000) }).left, ['bytes']);
    assert.deepEqual(storedMessage({ deep: { bytes: Buffer.alloc(40_000) }, mine: 1 }), {
      message: { mine: 1 },
      left: ['deep'],
    });
  });

  it('keeps an object of no class, and none of a class', () => {
    const bare = Object.assign(Object.create(null) as object, { mine: 1 });
    class Own {
      mine = 1;
    }
    assert.deepEqual(storedMessage({ bare, own: new Own() }), { message: { bare: { mine: 1 } }, left: [] });
  });

  it('keeps what is no date and no number as nothing, without losing its place in a list', () => {
    const { message } = storedMessage({ list: [Infinity, new Date(NaN), () => 1, 1], flag: false });
    assert.deepEqual(message, { list: [null, null, null, 1], flag: false });
  });
});
