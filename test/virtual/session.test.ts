import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeAll, logs, onCloud, rawCloud, reaches } from './lab';
import { type CloudScript, type DeviceMessage, type RawCloud, SESSION_KEY, textFrame } from './raw-cloud';

const FACTORY_KEY = 'a1b2c3d4-0000-0000-0000-000000000000';

/** Answers the n-th message of an action with these, and everything else properly. */
function answering(
  action: string,
  ...answers: ((message: DeviceMessage) => (string | Buffer | object)[])[]
): CloudScript {
  let count = 0;
  return {
    answer: (message) =>
      message.action === action
        ? answers[count++]?.(message).map((data) =>
            typeof data === 'string' || Buffer.isBuffer(data) ? data : JSON.stringify(data),
          )
        : undefined,
  };
}

const actions = (cloud: RawCloud): (string | undefined)[] => cloud.messages.map(({ action }) => action);

describe('virtual Sonoff: WebSocket session', () => {
  afterEach(closeAll);

  it('opens with the constant request and sends the canonical sequence', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { apikey: FACTORY_KEY });
    await reaches(device, 'ready');
    while (cloud.messages.length < 4) await once(cloud, 'message');
    assert.equal(
      cloud.handshakeRequest,
      'GET /api/ws HTTP/1.1\r\nHost: iotgo.iteadstudio.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: ITEADTmobiM0x1DabcEsnw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const [register, date, update, query] = cloud.messages;
    const common = { userAgent: 'device', deviceid: '10000a1b2c' };
    assert.deepEqual(register, {
      ...common,
      apikey: FACTORY_KEY,
      action: 'register',
      version: 2,
      romVersion: '1.5.5',
      model: 'ITA-GZ1-GL',
      ts: 743,
    });
    assert.deepEqual(date, { ...common, apikey: SESSION_KEY, action: 'date' });
    assert.deepEqual(Object.keys(update!.params as object), ['switch', 'fwVersion', 'rssi', 'staMac', 'startup']);
    assert.deepEqual(query, { ...common, apikey: SESSION_KEY, action: 'query', params: ['timers'] });
  });

  it('masks with four zeros, in one text frame a message', async () => {
    const cloud = await rawCloud();
    await onCloud(cloud);
    const [frame] = (await once(cloud, 'frame')) as [Buffer];
    assert.equal(frame[0], 0x81);
    assert.equal(frame[1], 0x80 | 126, 'over 125 bytes: the 126-form');
    assert.equal(frame.readUInt32BE(4), 0);
    assert.equal(frame.readUInt16BE(2), frame.length - 8);
    assert.equal((JSON.parse(frame.toString('utf8', 8)) as DeviceMessage).action, 'register');
  });

  const params: [string, string, string[], string[]][] = [
    ['PSB-B04-GL', '1.3.0', ['switches', 'fwVersion', 'rssi', 'staMac'], ['timers']],
    ['PSF-B04-GL', '2.0.0', ['switches', 'fwVersion', 'rssi', 'staMac'], ['timers']],
    ['PSC-B01-GL', '2.0.4', ['switch', 'power', 'fwVersion', 'rssi', 'staMac', 'startup'], ['timers', 'timeZone']],
    ['PSA-BHA-GL', '2.0.1', ['switch', 'fwVersion', 'rssi', 'staMac'], ['timers']],
    ['PSA-BHA-GL', '2.0.4', ['switch', 'fwVersion', 'rssi', 'staMac', 'startup'], ['timers']],
  ];
  for (const [model, romVersion, update, query] of params) {
    it(`reports and asks what ${model} ${romVersion} does`, async () => {
      const cloud = await rawCloud();
      await onCloud(cloud, { model, romVersion });
      while (cloud.messages.length < 4) await once(cloud, 'message');
      assert.deepEqual(Object.keys(cloud.messages[2]!.params as object), update);
      assert.deepEqual(cloud.messages[3]!.params, query);
    });
  }

  it('never asks for its timers where a fault wants it, and is ready all the same', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { fault: 'never-queries' });
    await reaches(device, 'ready');
    cloud.send({ ...cloud.common(), action: 'update', sequence: '1', params: {} });
    await once(cloud, 'acknowledged');
    assert.deepEqual(actions(cloud), ['register', 'date', 'update', undefined]);
  });

  const good = { error: 0, deviceid: '10000a1b2c', apikey: SESSION_KEY };
  const bad: [string, object | string | Buffer, RegExp][] = [
    ['another deviceid', { ...good, deviceid: '10000fffff' }, /another deviceid/],
    ['the factory key', { ...good, apikey: FACTORY_KEY }, /the session has the factory key/],
    ['a key of 35 characters', { ...good, apikey: SESSION_KEY.slice(1) }, /not 36 characters/],
    ['params', { ...good, params: 0 }, /not registered yet/],
    ['an error as text', { ...good, error: '0' }, /not registered yet/],
    ['an error', { ...good, error: 500 }, /not registered yet/],
    ['no JSON', '{"error":0', /no JSON/],
    ['an array', '[0]', /no object/],
    ['a nested deviceid that comes first', { x: { deviceid: 'y' }, ...good }, /another deviceid/],
    ['a first fragment', textFrame(JSON.stringify(good), 0x01), /fragment/],
    ['a continuation', textFrame(JSON.stringify(good), 0x80), /frame 0x80/],
    ['a binary frame', textFrame(JSON.stringify(good), 0x82), /binary frame/],
    ['a compressed frame', textFrame(JSON.stringify(good), 0xc1), /compressed frame/],
    ['a masked frame', Buffer.of(0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d), /masked frame/],
    ['the 127-form', Buffer.concat([Buffer.of(0x81, 127, 0, 0, 0, 0, 0, 0, 0, 2), Buffer.from('{}')]), /127-form/],
    ['over 2000 bytes', { ...good, x: 'y'.repeat(2000) }, /over 2000 bytes/],
    ['a ping', Buffer.of(0x89, 0), /ping, ignored/],
    ['a ping with a payload', Buffer.of(0x89, 1, 0), /control frame with a payload, buffer flushed/],
    ['a close with a reason', Buffer.of(0x88, 2, 3, 0xe8), /control frame with a payload, buffer flushed/],
  ];
  for (const [what, reply, why] of bad) {
    it(`does not take ${what} for the answer to its register`, async () => {
      const cloud = await rawCloud(answering('register', () => [reply]));
      const device = await onCloud(cloud, { apikey: FACTORY_KEY });
      await logs(device, why);
      cloud.send(good);
      await logs(device, /^registered$/);
      assert.equal(actions(cloud).filter((action) => action === 'register').length, 1);
    });
  }

  it('registers again when it is answered that it is not known, and not when it is forbidden', async () => {
    const error = (code: number) => () => [{ error: code, deviceid: '10000a1b2c', apikey: FACTORY_KEY }];
    const cloud = await rawCloud(answering('register', error(404), error(404), error(403)));
    const device = await onCloud(cloud, { apikey: FACTORY_KEY, timings: { askAgain: 30 } });
    await logs(device, /server error 403/);
    cloud.send(good);
    await logs(device, /^registered$/);
    assert.equal(actions(cloud).filter((action) => action === 'register').length, 3);
  });

  it('asks for the date again while it cannot read it', async () => {
    const date = (text: unknown) => () => [{ ...good, date: text }];
    const cloud = await rawCloud(
      answering('date', date('2017-09-17T00:24:54Z'), date('2017-09-17T00:24:54.955123Z'), date(1505607894), () => [
        good,
      ]),
    );
    const device = await onCloud(cloud, { timings: { askAgain: 10 } });
    await reaches(device, 'ready');
    // More than five where an answer takes longer than that.
    assert.ok(actions(cloud).filter((action) => action === 'date').length >= 5);
  });

  it('ignores a command with another key without a word, and obeys the next', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud);
    await reaches(device, 'ready');
    const command = { ...cloud.common(), action: 'update', params: { switch: 'on' } };
    cloud.send({ ...command, apikey: FACTORY_KEY, sequence: '1' });
    cloud.send({ ...command, sequence: '2' });
    const [answer] = (await once(cloud, 'acknowledged')) as [DeviceMessage];
    assert.deepEqual(answer, { error: 0, userAgent: 'device', ...cloud.common(), sequence: '2' });
    await logs(device, /another apikey/);
  });

  it('does not know a sequence that is no text', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud);
    await reaches(device, 'ready');
    cloud.send({ ...cloud.common(), action: 'update', sequence: 7, params: {} });
    const [answer] = (await once(cloud, 'acknowledged')) as [DeviceMessage];
    assert.equal(answer.sequence, 'invalid');
  });

  it('reads two frames that come in one segment, and one that comes in two', async () => {
    const cloud = await rawCloud();
    await onCloud(cloud);
    // The answer to the query is out: nothing of the cloud's own comes between the parts.
    while (cloud.messages.length < 4) await once(cloud, 'message');
    const frame = (sequence: string): Buffer =>
      textFrame(JSON.stringify({ ...cloud.common(), action: 'update', sequence, params: {} }));
    const third = frame('3');
    const answered: (string | undefined)[] = [];
    const all = new Promise<void>((resolve) =>
      cloud.on('acknowledged', ({ sequence }: DeviceMessage) => answered.push(sequence) === 3 && resolve()),
    );
    cloud.send(Buffer.concat([frame('1'), frame('2'), third.subarray(0, 40)]));
    await once(cloud, 'acknowledged');
    cloud.send(third.subarray(40));
    await all;
    assert.deepEqual(answered, ['1', '2', '3']);
  });

  it('pings with an empty masked frame and hangs up after two without the pong 8A 00', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { timings: { heartbeatUnit: 0.2 } });
    const pings: Buffer[] = [];
    cloud.on('frame', (frame: Buffer) => {
      if (frame[0] !== 0x89) return;
      pings.push(frame);
      // A pong that repeats a payload is none.
      cloud.send(pings.length <= 3 ? Buffer.of(0x8a, 0) : Buffer.of(0x8a, 1, 0));
    });
    await once(cloud, 'websocket');
    await logs(device, /two pings without a pong/);
    assert.equal(pings.length, 5);
    assert.deepEqual(pings[0], Buffer.from('898000000000', 'hex'));
    await once(cloud, 'dispatch');
  });

  it('takes the interval of its pings from the register reply, wherever it stands in it', async () => {
    const reply = { ...good, hb: 1, hbInterval: 1 };
    const cloud = await rawCloud(answering('register', () => [reply]));
    await onCloud(cloud, { timings: { heartbeatUnit: 1 } });
    while (!cloud.frames.some((frame) => frame[0] === 0x89)) await once(cloud, 'frame');
  });

  it('continues after it has sent garbage', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { fault: 'garbage' });
    await reaches(device, 'ready');
    assert.ok(cloud.frames.some((frame) => frame[0] === 0x82));
    assert.ok(cloud.frames.some((frame) => frame[0] === 0x81 && frame.toString('utf8').endsWith('"userAgent":"dev')));
  });

  it('dispatches again when the connection is lost', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud);
    await reaches(device, 'ready');
    cloud.websocket!.destroy();
    const [request] = (await once(cloud, 'dispatch')) as [string];
    assert.match(request, /"ts":262,/, 'element 4 of the sequence: the session before took two');
  });

  it('restarts and goes to another server on command', async () => {
    const cloud = await rawCloud();
    const other = await rawCloud();
    const device = await onCloud(cloud);
    await reaches(device, 'ready');
    cloud.send({ ...cloud.common(), action: 'restart', sequence: '1' });
    const [request] = (await once(cloud, 'dispatch')) as [string];
    assert.match(request, /"ts":933,/);
    await once(cloud, 'ready');
    cloud.send({ ...cloud.common(), action: 'redirect', sequence: '2', IP: '127.0.0.1', port: other.port });
    await once(other, 'websocket');
    assert.equal(other.dispatches.length, 0);
  });

  for (const [what, handshake] of [
    ['another status', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['another wording', 'HTTP/1.1 101 Web Socket Protocol Handshake\r\n\r\n'],
    ['an extension', 'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n'],
  ] as const) {
    it(`does not open a WebSocket that answers with ${what}`, async () => {
      let count = 0;
      const cloud = await rawCloud({
        handshake: () => (count++ === 0 ? handshake : 'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      });
      const device = await onCloud(cloud);
      await reaches(device, 'ready');
      assert.equal(cloud.dispatches.length, 2);
    });
  }
});
