import assert from 'node:assert/strict';
import { asciiJson, parseObject } from '../../lib/protocol/json';
import { wording } from '../../lib/wordings/wording';

describe('protocol/json', () => {
  it('writes everything outside printable ASCII as an escape, and means the same', () => {
    assert.equal(asciiJson({ name: 'Küche 💡\u007f\n' }), '{"name":"K\\u00fcche \\ud83d\\udca1\\u007f\\n"}');
    const value = { schlüssel: ['日本', '\u2028', '\ud800', '"\\/', 0, null, true] };
    assert.match(asciiJson(value), /^[\x20-\x7e]+$/);
    assert.deepEqual(JSON.parse(asciiJson(value)), value);
  });

  it('reads an object, and nothing else', () => {
    assert.deepEqual(parseObject(' {"a":[1,{"b":null}]} '), { object: { a: [1, { b: null }] } });
    for (const text of ['[]', 'null', '1', '"{}"', 'true']) {
      assert.deepEqual(parseObject(text), { reason: wording('not-an-object') });
    }
    for (const text of ['', '{', '{}{}', "{'a':1}", '{"a":NaN}', '\ufeff{}']) {
      assert.deepEqual(parseObject(text), { reason: wording('not-json') });
    }
  });

  it('drops __proto__ at every depth', () => {
    const parsed = parseObject('{"a":1,"__proto__":{"x":1},"b":{"__proto__":[]},"c":[{"__proto__":0}]}');
    assert.deepEqual(JSON.stringify(parsed), '{"object":{"a":1,"b":{},"c":[{}]}}');
    assert.equal(Object.getPrototypeOf(({ ...parsed } as { object: object }).object), Object.prototype);
  });
});
