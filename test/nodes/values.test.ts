import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { FlashError } from '../../lib/errors';
import { MessageValues } from '../../nodes/shared/messages';
import { Values } from '../../nodes/shared/values';
import { wording } from '../../lib/wordings/wording';

/** What reading one value gives, or the code and the sentences of its refusal. */
function outcome(read: (values: Values) => unknown, value: unknown): unknown {
  try {
    return read(Values.ofForm({ value }));
  } catch (thrown) {
    assert.ok(thrown instanceof FlashError, String(thrown));
    assert.match(thrown.message, /\bvalue\b|url|address/);
    return thrown.code;
  }
}

const INVALID = 'value-invalid';
const NONE = [undefined, null, ''];

describe('nodes: reading values', () => {
  it('takes many words for a flag, and refuses what is none of them', () => {
    const read = (values: Values): unknown => values.flag('value');
    for (const value of [true, 1, 'true', '1', 'on', 'yes', ' ON ', 'True', 'YES\n']) {
      assert.equal(outcome(read, value), true, inspect(value));
    }
    for (const value of [false, 0, 'false', '0', 'off', 'no', ' ', 'No', ...NONE]) {
      assert.equal(outcome(read, value), false, inspect(value));
    }
    for (const value of ['maybe', 2, -1, NaN, {}, [], ['true'], Buffer.from('1'), 'ja']) {
      assert.equal(outcome(read, value), INVALID, inspect(value));
    }
    for (const value of ['${FORCE}', ' ${FORCE} ']) assert.equal(outcome(read, value), 'variable-unset');
  });

  it('takes whole numbers for a text, and refuses those that JavaScript has changed', () => {
    const read = (values: Values): unknown => values.text('value');
    assert.equal(outcome(read, '  a b '), 'a b');
    assert.equal(outcome(read, 12345678), '12345678');
    assert.equal(outcome(read, 999_999_999_999_999), '999999999999999');
    assert.equal(outcome(read, -7), '-7');
    for (const value of [...NONE, '   ']) assert.equal(outcome(read, value), undefined);
    for (const value of [1e15, -1e15, 1.5, 1e21, NaN, Infinity, 2 ** 60, true, {}, [], Buffer.from('x')]) {
      assert.equal(outcome(read, value), INVALID, inspect(value));
    }
  });

  it('keeps every character of an exact text', () => {
    const read = (values: Values): unknown => values.exactText('value');
    assert.equal(outcome(read, ' a '), ' a ');
    assert.equal(outcome(read, ''), '');
    assert.equal(outcome(read, 12345678), '12345678');
    assert.equal(outcome(read, 'costs ${5} or $(so)'), 'costs ${5} or $(so)');
    assert.equal(outcome(read, 1e15), INVALID);
  });

  it('names a variable that is not set', () => {
    for (const text of ['${WIFI_SSID}', '$(WIFI_SSID)', ' ${WIFI_SSID} ']) {
      for (const key of ['text', 'exactText', 'flag', 'seconds', 'port', 'deviceId', 'httpUrl', 'choice'] as const) {
        // Of an exact text the spaces count, too: then it is no variable.
        if (key === 'exactText' && text !== text.trim()) continue;
        const values = new Values({ ssid: text }, 'msg.');
        const read = (): unknown => (key === 'choice' ? values.choice('ssid', ['a']) : values[key]('ssid'));
        assert.throws(read, ({ code, values: told }: FlashError) => {
          assert.deepEqual([code, told], ['variable-unset', { variable: 'WIFI_SSID', name: 'msg.ssid' }], key);
          return true;
        });
      }
    }
    assert.equal(
      outcome((values) => values.text('value'), '${HOME}/image.bin'),
      INVALID,
    );
  });

  it('reads numbers within their limits', () => {
    const cases = [
      ['seconds', [0.2, '0.2', ' 60 ', 2_000_000], [0, '0', -1, '-1', '60 s', '1e3', '0x10', 2_000_001, true, {}, NaN]],
      ['port', [0, '8443', 65535, '08080'], [65536, 1.5, '80.5', -1, 'http', [], '']],
      ['count', [1, '3', 3.0], [0, 0.5, '1.5', 'two', Infinity]],
      ['factor', [0.5, '100'], [0, '0', 'fast']],
    ] as const;
    for (const [kind, good, bad] of cases) {
      for (const value of good)
        assert.equal(
          outcome((values) => values[kind]('value'), value),
          Number(value),
          kind,
        );
      for (const value of bad.filter((one) => one !== '')) {
        assert.equal(
          outcome((values) => values[kind]('value'), value),
          INVALID,
          `${kind} ${inspect(value)}`,
        );
      }
      for (const value of NONE)
        assert.equal(
          outcome((values) => values[kind]('value'), value),
          undefined,
        );
    }
  });

  it('reads a choice in any spelling', () => {
    const read = (values: Values): unknown => values.choice('value', ['scan', 'join']);
    assert.equal(outcome(read, ' Scan'), 'scan');
    for (const value of NONE) assert.equal(outcome(read, value), undefined);
    for (const value of ['dance', 1, {}, true]) assert.equal(outcome(read, value), INVALID);
    const own = (values: Values): unknown =>
      values.choice('value', ['scan'], () => new FlashError('wifi-action-unknown', { action: 'value' }));
    for (const value of ['dance', 1, {}, true]) assert.equal(outcome(own, value), 'wifi-action-unknown');
  });

  it('reads the id of a device as people write it', () => {
    const read = (values: Values): unknown => values.deviceId('value');
    for (const value of ['1000f1a5b0', ' 1000F1A5B0 ', 'ITEAD-1000f1a5b0', 'itead-1000F1A5B0']) {
      assert.equal(outcome(read, value), '1000f1a5b0');
    }
    assert.equal(outcome(read, 1000123456), '1000123456');
    assert.equal(outcome(read, 'Kitchen_1'), 'Kitchen_1');
    for (const value of NONE) assert.equal(outcome(read, value), undefined);
    for (const value of ['the lamp', 'a/b', 'ITEAD-', '#', {}, true, 1e20]) {
      assert.equal(outcome(read, value), INVALID, inspect(value));
    }
  });

  it('reads a list of ids, each once', () => {
    const read = (values: Values): unknown => values.deviceIds('value');
    assert.deepEqual(outcome(read, ['1000a1b2c3', 'ITEAD-1000A1B2C3', 1000123456]), ['1000a1b2c3', '1000123456']);
    for (const text of ['1000a1b2c3, 1000123456', '1000a1b2c3;1000123456', '1000a1b2c3\n1000A1B2C3\t1000123456']) {
      assert.deepEqual(outcome(read, text), ['1000a1b2c3', '1000123456'], inspect(text));
    }
    assert.deepEqual(outcome(read, []), []);
    for (const value of NONE) assert.equal(outcome(read, value), undefined);
    for (const value of [[''], [{}], [null], {}, ['a b']]) assert.equal(outcome(read, value), INVALID);
  });

  it('reads the address of a page, with or without http://', () => {
    const read = (values: Values): unknown => values.httpUrl('value');
    assert.equal(outcome(read, ' http://10.10.7.1 '), 'http://10.10.7.1');
    assert.equal(outcome(read, 'kitchen.lan:8080'), 'http://kitchen.lan:8080');
    assert.equal(outcome(read, 'HTTP://kitchen.lan'), 'HTTP://kitchen.lan');
    for (const value of NONE) assert.equal(outcome(read, value), undefined);
    const others = ['https://x', 'ftp://x', 'http://', 'a b', 'http://x/a b', 'http://x/{deviceid}', 'x/}'];
    for (const value of [...others, 'http://me:secret@x', 'http://me@x', 'http://:secret@x']) {
      assert.equal(outcome(read, value), 'url-invalid', value);
    }
    assert.throws(
      () => Values.ofForm({ value: 'http://me:secret@x' }).httpUrl('value'),
      ({ message }: Error) => {
        assert.doesNotMatch(message, /secret/);
        return true;
      },
    );
  });

  const LONG = 'x'.repeat(60);
  const SAID: [
    read: 'text' | 'flag' | 'seconds' | 'port' | 'count' | 'factor' | 'deviceId',
    given: unknown,
    why: string,
  ][] = [
    ['flag', 'maybe', 'it is "maybe"; true or false is expected'],
    ['flag', 2, 'it is 2; true or false is expected'],
    ['flag', LONG, `it is "${'x'.repeat(40)}"; true or false is expected`],
    ['seconds', 'soon', 'it is "soon"; more than 0 and at most 2000000 seconds is expected'],
    ['port', 65536, 'it is 65536; a port from 0 to 65535 is expected'],
    ['count', 0, 'it is 0; a whole number from 1 on is expected'],
    ['factor', '0', 'it is "0"; a number greater than 0 is expected'],
    ['deviceId', 'the lamp', 'it is "the lamp"; the id of a device, such as 1000a1b2c3, is expected'],
    ['text', true, 'it is true; a text is expected'],
    ['text', {}, 'it is an object; a text is expected'],
    ['text', [], 'it is a list; a text is expected'],
    ['text', Buffer.from('x'), 'it is a buffer; a text is expected'],
    ['text', () => 1, 'it is a function; a text is expected'],
    ['text', 1n, 'it is a bigint; a text is expected'],
    ['text', 1.5, 'it is a number that JavaScript may have changed; send it as a text, in quotes'],
    ['text', 'a${B}', 'Node-RED replaces ${…} only where the field holds nothing else'],
  ];
  for (const [read, given, why] of SAID) {
    it(`says of ${inspect(given).slice(0, 30)} as ${read} what it is, and what it should be`, () => {
      const values = new Values({ given }, 'msg.');
      const message = `The value of msg.given cannot be used: ${why}. Correct it in the node or in the message, and start again.`;
      assert.throws(() => values[read]('given'), { code: INVALID, message });
    });
  }

  it('says what a choice, a list and an object should be', () => {
    const values = new Values({ given: 'dance', object: {}, list: ['a/b'], empty: [''], long: LONG }, 'msg.');
    const said = (read: () => unknown): string => {
      try {
        return String(read());
      } catch (thrown) {
        return /^The value of (.*)\. Correct/.exec((thrown as FlashError).message)?.[1] ?? '';
      }
    };
    const options = ['scan', '', 'join'];
    const oneOf = 'one of these is expected: scan, join';
    assert.equal(
      said(() => values.choice('given', options)),
      `msg.given cannot be used: it is "dance"; ${oneOf}`,
    );
    assert.equal(
      said(() => values.choice('long', options)),
      `msg.long cannot be used: it is "${'x'.repeat(40)}"; ${oneOf}`,
    );
    assert.equal(
      said(() => values.deviceIds('list')),
      'msg.list, item 0 cannot be used: it is "a/b"; the id of a device, such as 1000a1b2c3, is expected',
    );
    assert.equal(
      said(() => values.deviceIds('empty')),
      'msg.empty cannot be used: one of its items is empty',
    );
    assert.equal(
      said(() => values.object('given')),
      'msg.given cannot be used: it is a string; an object is expected',
    );
    const refused: unknown[] = [];
    const refuse = (given: unknown): FlashError => {
      refused.push(given);
      return new FlashError('road-unknown', { road: '', known: '' });
    };
    for (const key of ['long', 'object'])
      assert.throws(() => values.choice(key, ['a'], refuse), { code: 'road-unknown' });
    assert.deepEqual(refused, ['x'.repeat(40), wording('kind-object')], 'in an error of its own, too');
  });

  it('shows an address that is none, cut and without a password', () => {
    const shown = (url: string): unknown => {
      try {
        return Values.ofForm({ url }).httpUrl('url');
      } catch (thrown) {
        return (thrown as FlashError).values['url'];
      }
    };
    assert.equal(shown('ftp://me:secret@x'), 'ftp://…@x');
    assert.equal(shown(`ftp://${'y'.repeat(100)}`), `ftp://${'y'.repeat(74)}`);
  });

  it('reads what is inside of an object', () => {
    const values = new Values({ given: { name: ' x ' }, list: [], text: 'x', bytes: Buffer.from('x') }, 'msg.');
    assert.equal(values.object('given')?.text('name'), 'x');
    assert.equal(values.object('nothing'), undefined);
    for (const key of ['list', 'text', 'bytes']) assert.throws(() => values.object(key), { code: INVALID });
    assert.equal(values.inside('text').text('name'), undefined);
    assert.equal(values.inside('given').text('name'), 'x');
    assert.throws(() => new Values({ given: { name: {} } }, 'msg.').inside('given').text('name'), /msg\.given\.name/);
    const nested = new Values({ given: { name: {} } }, 'msg.').object('given');
    assert.throws(() => nested?.text('name'), /msg\.given\.name/);
  });

  it('takes the password out of a message, and quotes none', () => {
    const message = { password: 12345678, ssid: 'home' };
    const said = new MessageValues(message);
    assert.deepEqual(message, { ssid: 'home' });
    assert.equal(said.password(), '12345678');
    assert.equal(new MessageValues({ password: '' }).password(), '');
    assert.equal(new MessageValues({}).password(), undefined);
    assert.throws(
      () => new MessageValues({ password: 2 ** 60 }).password(),
      (error: FlashError) => {
        assert.equal(error.code, INVALID);
        assert.doesNotMatch(JSON.stringify(error) + error.message, /1152921/);
        return true;
      },
    );
  });
});
