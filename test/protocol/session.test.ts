import assert from 'node:assert/strict';
import {
  DeviceSession,
  QUERY_GRACE_MS,
  type SessionAction,
  type SessionDevice,
  type SessionEvent,
} from '../../lib/protocol/session';
import { PROVEN_VERSION, type UpgradeOffer } from '../../lib/protocol/upgrade';
import { flashErrorOf, HOSTILE_VALUES, mutate, randomFrom } from './helpers';
import { wording, type Wording } from '../../lib/wordings/wording';

// F, S and D of docs/dev/stock-firmware.md#3.5.
const F = '4b7a3f2e-9c1d-4e5f-8a6b-0c1d2e3f4a5b';
const S = '11111111-2222-4333-8444-555555555555';
const D = '100008db11';
const NOW = new Date('2017-09-17T00:24:54.955Z');
const DEVICE: SessionDevice = { deviceid: D, apikey: F, model: 'ITA-GZ1-GL', romVersion: '1.5.5' };

const REGISTER = {
  userAgent: 'device',
  apikey: F,
  deviceid: D,
  action: 'register',
  version: 2,
  romVersion: '1.5.5',
  model: 'ITA-GZ1-GL',
  ts: 743,
};
const DATE = { userAgent: 'device', apikey: S, deviceid: D, action: 'date' };
const PARAMS = { switch: 'off', fwVersion: '1.5.5', rssi: -51, staMac: '5C:CF:7F:00:00:01', startup: 'off' };
const UPDATE = { userAgent: 'device', apikey: S, deviceid: D, action: 'update', params: PARAMS };
const QUERY = { userAgent: 'device', apikey: S, deviceid: D, action: 'query', params: ['timers'] };
const answer = (error: number, sequence: string) => ({ error, userAgent: 'device', apikey: S, deviceid: D, sequence });

const OFFER: UpgradeOffer = {
  user1: { url: 'http://192.168.1.20:8080/ota/user1.bin', digest: '64b37459'.repeat(8) },
  user2: { url: 'http://192.168.1.20:8080/ota/user2.bin', digest: 'fec3fc4f'.repeat(8) },
  version: PROVEN_VERSION,
};

const message = (content: unknown): SessionEvent => ({
  type: 'message',
  text: typeof content === 'string' ? content : JSON.stringify(content),
  now: NOW,
});
const newSession = () => new DeviceSession({ sessionKey: S });
const send = (text: string): SessionAction => ({ type: 'send', text });

/** A session after these messages. */
function sessionAfter(...messages: unknown[]): DeviceSession {
  const session = newSession();
  for (const content of messages) session.handle(message(content));
  return session;
}
const readySession = () => sessionAfter(REGISTER, DATE, UPDATE, QUERY);

/** Sends the offer, and returns the sequence that it went out with. */
function upgrade(session: DeviceSession, now = NOW): string {
  const [action, ...more] = session.handle({ type: 'upgrade', offer: OFFER, now });
  assert.ok(action?.type === 'send' && more.length === 0);
  const { sequence } = JSON.parse(action.text) as { sequence: unknown };
  assert.ok(typeof sequence === 'string');
  return sequence;
}

/** The reason of what must be one `malformed` and nothing else. */
function reasonOf(actions: SessionAction[]): string {
  assert.equal(actions.length, 1, JSON.stringify(actions));
  assert.equal(actions[0]!.type, 'malformed');
  return (actions[0] as { reason: Wording }).reason.text;
}

describe('protocol/session', () => {
  it('goes through the canonical sequence, byte for byte (docs/dev/stock-firmware.md#3.5)', () => {
    const session = newSession();
    assert.equal(session.device, undefined);
    assert.deepEqual(session.handle(message(REGISTER)), [
      send(`{"error":0,"deviceid":"${D}","apikey":"${S}","config":{"hb":1,"hbInterval":145}}`),
      { type: 'registered', device: DEVICE },
    ]);
    assert.deepEqual(session.device, DEVICE);
    assert.deepEqual(session.handle(message(DATE)), [
      send(`{"error":0,"deviceid":"${D}","apikey":"${S}","date":"2017-09-17T00:24:54.955Z"}`),
    ]);
    assert.deepEqual(session.handle(message(UPDATE)), [
      send(`{"error":0,"deviceid":"${D}","apikey":"${S}"}`),
      { type: 'reported', params: PARAMS },
      { type: 'wait-for-query', ms: 2000 },
    ]);
    assert.equal(session.ready, false);
    assert.deepEqual(session.handle(message(QUERY)), [
      send(`{"error":0,"deviceid":"${D}","apikey":"${S}","params":0}`),
      { type: 'ready' },
    ]);
    assert.equal(session.ready, true);
  });

  it('does not mind the order of fields', () => {
    const reversed = Object.fromEntries(Object.entries(REGISTER).reverse());
    assert.deepEqual(newSession().handle(message(reversed))[1], { type: 'registered', device: DEVICE });
  });

  it('writes a date with three digits of milliseconds where they are zero', () => {
    const [action] = sessionAfter(REGISTER).handle({
      ...message(DATE),
      now: new Date('2026-01-02T03:04:05Z'),
    } as SessionEvent);
    assert.match((action as { text: string }).text, /"date":"2026-01-02T03:04:05\.000Z"/);
  });

  it('answers an update without params, too', () => {
    const actions = sessionAfter(REGISTER).handle(message({ ...UPDATE, params: undefined }));
    assert.deepEqual(
      actions.map(({ type }) => type),
      ['send', 'wait-for-query'],
    );
  });

  it('answers an action that it does not know, and does nothing else', () => {
    const actions = sessionAfter(REGISTER).handle(message({ ...DATE, action: 'exception' }));
    assert.deepEqual(actions, [send(`{"error":0,"deviceid":"${D}","apikey":"${S}"}`)]);
  });

  describe('ready', () => {
    it('comes when the grace is over, for firmware that never sends a query', () => {
      const session = sessionAfter(REGISTER, DATE, UPDATE);
      assert.deepEqual(session.handle({ type: 'query-grace-over' }), [{ type: 'ready' }]);
      assert.equal(session.ready, true);
      assert.equal(QUERY_GRACE_MS, 2000);
    });

    it('comes once, whatever follows', () => {
      const session = readySession();
      const rest = [
        session.handle({ type: 'query-grace-over' }),
        session.handle(message(UPDATE)),
        session.handle(message(QUERY)),
        session.handle(message(REGISTER)),
        session.handle(message(UPDATE)),
        session.handle({ type: 'query-grace-over' }),
        session.handle(message(QUERY)),
      ].flat();
      assert.ok(!rest.some(({ type }) => type === 'ready' || type === 'wait-for-query'), JSON.stringify(rest));
      assert.equal(rest.filter(({ type }) => type === 'send').length, 5);
    });

    it('comes once where the query follows the end of the grace', () => {
      const session = sessionAfter(REGISTER, DATE, UPDATE);
      session.handle({ type: 'query-grace-over' });
      assert.deepEqual(
        session.handle(message(QUERY)).map(({ type }) => type),
        ['send'],
      );
    });

    it('is not brought about by a timer before any update', () => {
      const session = sessionAfter(REGISTER, DATE);
      assert.deepEqual(session.handle({ type: 'query-grace-over' }), []);
      assert.equal(session.ready, false);
    });

    it('asks for the timer at the first update alone', () => {
      const second = sessionAfter(REGISTER, DATE, UPDATE).handle(message(UPDATE));
      assert.deepEqual(
        second.map(({ type }) => type),
        ['send', 'reported'],
      );
    });
  });

  describe('register', () => {
    it('again starts the session over: the grace before it counts no more, the next update asks for a new one', () => {
      const session = sessionAfter(REGISTER, DATE, UPDATE);
      const again = session.handle(message({ ...REGISTER, romVersion: '1.5.2' }));
      assert.deepEqual(again[1], { type: 'registered', device: { ...DEVICE, romVersion: '1.5.2' } });
      assert.deepEqual(session.handle({ type: 'query-grace-over' }), []);
      assert.deepEqual(session.handle(message(UPDATE)).at(-1), { type: 'wait-for-query', ms: 2000 });
    });

    it('as another device is refused', () => {
      const session = sessionAfter(REGISTER);
      assert.match(reasonOf(session.handle(message({ ...REGISTER, deviceid: '100008db12' }))), /another device/);
      assert.deepEqual(session.device, DEVICE);
    });

    it('with a session key is answered that it is not registered, with the key that it holds', () => {
      const session = newSession();
      const [send, refused] = session.handle(message({ ...REGISTER, apikey: S }));
      assert.deepEqual(send?.type === 'send' && JSON.parse(send.text), { error: 404, deviceid: D, apikey: S });
      assert.equal(refused?.type, 'refused');
      assert.equal(session.device, undefined);
    });

    it('as a peer that is not admitted is answered so, and leaves the session as it was', () => {
      const session = new DeviceSession({ sessionKey: S, admits: ({ apikey }) => apikey === F });
      session.handle(message(REGISTER));
      const other = '99999999-2222-4333-8444-555555555555';
      const [send, refused] = session.handle(message({ ...REGISTER, apikey: other }));
      assert.deepEqual(send?.type === 'send' && JSON.parse(send.text), { error: 404, deviceid: D, apikey: other });
      assert.deepEqual(refused, { type: 'refused', device: { ...DEVICE, apikey: other } });
      assert.deepEqual(session.device, DEVICE);
    });

    for (const field of ['deviceid', 'apikey', 'model', 'romVersion'] as const) {
      it(`without a usable ${field} is refused`, () => {
        for (const value of [
          undefined,
          ...HOSTILE_VALUES.filter((hostile) => typeof hostile !== 'string'),
          '',
          'ü',
          'x'.repeat(65),
        ]) {
          const session = newSession();
          assert.match(reasonOf(session.handle(message({ ...REGISTER, [field]: value }))), new RegExp(field));
          assert.equal(session.device, undefined);
        }
      });
    }
  });

  describe('a key that is not of this session', () => {
    const notRegistered = (apikey: string): SessionAction[] => [
      send(`{"error":404,"deviceid":"${D}","apikey":"${apikey}"}`),
      { type: 'malformed', reason: wording('not-registered') },
    ];

    it('before a register is answered 404 under the key that the device holds', () => {
      for (const content of [DATE, UPDATE, QUERY]) {
        const session = newSession();
        const old = '99999999-2222-4333-8444-555555555555';
        assert.deepEqual(session.handle(message({ ...content, apikey: old })), notRegistered(old));
        assert.equal(session.ready, false);
        assert.equal(session.handle(message(REGISTER))[1]!.type, 'registered', 'and then it registers');
      }
    });

    it('after a register is answered the same', () => {
      const session = sessionAfter(REGISTER);
      assert.deepEqual(session.handle(message({ ...QUERY, apikey: F })), notRegistered(F));
      assert.equal(session.ready, false);
    });

    it('does not help where it cannot be sent back', () => {
      assert.match(reasonOf(newSession().handle(message({ ...DATE, apikey: undefined }))), /apikey/);
      assert.match(reasonOf(newSession().handle(message({ ...DATE, deviceid: {} }))), /deviceid/);
    });
  });

  it('does not take messages in the name of another device', () => {
    const session = sessionAfter(REGISTER);
    for (const content of [DATE, UPDATE, QUERY]) {
      assert.match(reasonOf(session.handle(message({ ...content, deviceid: '100008db12' }))), /another device/);
    }
    assert.equal(session.ready, false);
  });

  describe('upgrade', () => {
    it('goes out as one command with the session key and the model of the device', () => {
      assert.deepEqual(readySession().handle({ type: 'upgrade', offer: OFFER, now: NOW }), [
        send(
          `{"action":"upgrade","deviceid":"${D}","apikey":"${S}","userAgent":"app","sequence":"1505607894955","ts":0,` +
            `"params":{"binList":[` +
            `{"downloadUrl":"${OFFER.user1.url}","digest":"${OFFER.user1.digest}","name":"user1.bin"},` +
            `{"downloadUrl":"${OFFER.user2.url}","digest":"${OFFER.user2.digest}","name":"user2.bin"}],` +
            `"model":"ITA-GZ1-GL","version":"23.42.5"}}`,
        ),
      ]);
    });

    for (const error of [0, 400, 404, 406, 409, 410, 411]) {
      it(`is acknowledged with ${error}`, () => {
        const session = readySession();
        const sequence = upgrade(session);
        assert.deepEqual(session.handle(message(answer(error, sequence))), [{ type: 'acknowledged', error, sequence }]);
      });
    }

    it('is not acknowledged by an answer to anything else', () => {
      const session = readySession();
      const sequence = upgrade(session);
      const others = [
        '',
        '0',
        `${sequence}0`,
        'invalid sequence',
        Number(sequence),
        null,
        undefined,
        [sequence],
        { toString: 1 },
      ];
      for (const other of others) {
        assert.deepEqual(
          session.handle(message({ ...answer(0, sequence), sequence: other })),
          [],
          JSON.stringify(other),
        );
      }
      assert.equal(session.handle(message(answer(0, sequence)))[0]!.type, 'acknowledged');
    });

    it('is not acknowledged before it was sent', () => {
      assert.deepEqual(readySession().handle(message(answer(0, String(NOW.getTime())))), []);
    });

    it('is acknowledged once', () => {
      const session = readySession();
      const sequence = upgrade(session);
      session.handle(message(answer(410, sequence)));
      assert.deepEqual(session.handle(message(answer(410, sequence))), []);
    });

    it('is not acknowledged in the name of another device', () => {
      const session = readySession();
      const sequence = upgrade(session);
      assert.match(
        reasonOf(session.handle(message({ ...answer(0, sequence), deviceid: '100008db12' }))),
        /another device/,
      );
      assert.equal(session.handle(message(answer(404, sequence)))[0]!.type, 'acknowledged');
    });

    it('is acknowledged by its sequence alone', () => {
      const session = readySession();
      const sequence = upgrade(session);
      assert.deepEqual(session.handle(message({ error: 404, sequence })), [
        { type: 'acknowledged', error: 404, sequence },
      ]);
    });

    it('has another sequence each time, even in the same millisecond or with a clock set back', () => {
      const session = readySession();
      const sequences = [
        upgrade(session),
        upgrade(session),
        upgrade(session, new Date(0)),
        upgrade(session, new Date(NOW.getTime() + 9000)),
      ];
      assert.deepEqual(sequences, ['1505607894955', '1505607894956', '1505607894957', '1505607903955']);
      for (const sequence of sequences.reverse()) {
        assert.deepEqual(session.handle(message(answer(0, sequence))), [{ type: 'acknowledged', error: 0, sequence }]);
      }
    });

    it('is not sent to a device that is not ready', () => {
      for (const session of [newSession(), sessionAfter(REGISTER), sessionAfter(REGISTER, DATE, UPDATE)]) {
        flashErrorOf('unexplained', () => session.handle({ type: 'upgrade', offer: OFFER, now: NOW }));
      }
    });

    it('is not sent with an offer that the device would refuse, and can be sent afterwards', () => {
      const session = readySession();
      const offer = { ...OFFER, user1: { ...OFFER.user1, url: 'https://192.168.1.20/user1.bin' } };
      const error = flashErrorOf('upgrade-malformed', () => session.handle({ type: 'upgrade', offer, now: NOW }));
      assert.equal(error.values['deviceid'], D);
      assert.equal(upgrade(session), String(NOW.getTime()));
    });
  });

  describe('what is not its protocol', () => {
    const nonsense: Record<string, [text: string, reason: RegExp]> = {
      nothing: ['', /not JSON/],
      text: ['hello', /not JSON/],
      'JSON that is cut off': [JSON.stringify(REGISTER).slice(0, -1), /not JSON/],
      'two messages in one': [JSON.stringify(REGISTER).repeat(2), /not JSON/],
      null: ['null', /not a JSON object/],
      'a number': ['0', /not a JSON object/],
      'an array': ['[{"action":"register"}]', /not a JSON object/],
      'an empty object': ['{}', /neither an action nor an error/],
      'an action that is no text': ['{"action":5}', /neither an action nor an error/],
      'an error that is no number': ['{"error":"0"}', /neither an action nor an error/],
      '4097 characters': [JSON.stringify(REGISTER).padEnd(4097), /4096/],
      'brackets without end': ['['.repeat(4096), /not JSON/],
      'very deep brackets': ['['.repeat(2048) + ']'.repeat(2048), /not a JSON object/],
    };
    for (const [what, [text, reason]] of Object.entries(nonsense)) {
      it(`${what} is reported, and the session continues`, () => {
        const session = sessionAfter(REGISTER);
        assert.match(reasonOf(session.handle(message(text))), reason);
        assert.equal(session.handle(message(DATE))[0]!.type, 'send');
      });
    }

    it('4096 characters are still read', () => {
      assert.equal(newSession().handle(message(JSON.stringify(REGISTER).padEnd(4096)))[1]!.type, 'registered');
    });

    it('binary is reported', () => {
      assert.match(reasonOf(newSession().handle({ type: 'binary' })), /binary/);
    });

    it('cannot reach the prototype of what a flow merges', () => {
      const text = JSON.stringify(UPDATE).replace(
        '"switch"',
        '"__proto__":{"polluted":1},"nested":{"__proto__":{"polluted":1}},"switch"',
      );
      const reported = sessionAfter(REGISTER).handle(message(text))[1];
      assert.ok(reported?.type === 'reported');
      assert.deepEqual(Object.keys(reported.params), ['nested', ...Object.keys(PARAMS)]);
      assert.deepEqual(Object.keys(reported.params['nested'] as object), []);
    });
  });

  it('takes no session key of another length', () => {
    for (const sessionKey of ['', S.slice(1), `${S}0`, 'ü'.repeat(36)]) {
      assert.throws(() => new DeviceSession({ sessionKey }), RangeError);
    }
  });

  it('whatever arrives: never throws, sends ASCII of under 2000 bytes, keeps the keys, is ready once', () => {
    const random = randomFrom(21);
    const counts = new Map<string, number>();
    for (let round = 0; round < 400; round++) {
      const session = newSession();
      let ready = 0;
      let sequence = '1';
      for (let step = 0; step < 20; step++) {
        const contents = [REGISTER, DATE, UPDATE, QUERY, answer(random(500), sequence)];
        // Half of them sound, so that every state is reached.
        const content = contents[random(contents.length)]!;
        const text = random(2) === 0 ? JSON.stringify(content) : mutate(content, random);
        const events: SessionEvent[] = [
          message(text),
          message(text),
          message(text),
          { type: 'binary' },
          { type: 'query-grace-over' },
        ];
        for (const action of session.handle(events[random(events.length)]!)) {
          counts.set(action.type, (counts.get(action.type) ?? 0) + 1);
          if (action.type === 'send') {
            assert.match(action.text, /^[\x20-\x7e]{1,1999}$/);
            const sent = JSON.parse(action.text) as Record<string, unknown>;
            if (sent['error'] === 0) assert.equal(sent['apikey'], S);
          }
          if (action.type === 'ready') ready++;
          if (action.type === 'malformed')
            assert.ok(!action.reason.text.includes(F) && !action.reason.text.includes(S));
        }
        if (session.ready && random(3) === 0) sequence = upgrade(session, new Date(NOW.getTime() + step));
      }
      assert.equal(ready, session.ready ? 1 : 0);
    }
    for (const type of ['send', 'registered', 'ready', 'reported', 'acknowledged', 'wait-for-query', 'malformed']) {
      assert.ok((counts.get(type) ?? 0) > 50, `the fuzz hardly reached ${type}: ${counts.get(type) ?? 0}`);
    }
  });
});
