import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CloudServer } from '../../lib/server/cloud-server';
import type { DeviceConnection, DeviceConnectionOptions } from '../../lib/server/device-connection';
import { quoted, wording } from '../../lib/wordings/wording';
import { timers } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { afterwards, closeAll, RawClient, serve } from './serving';
import { DEVICE_ID, FACTORY_KEY, frame, PING, WebSocketDevice } from './websocket-device';

const OFFER = {
  user1: { url: 'http://192.168.1.5:8080/sonota/100008db17/user1.bin', digest: 'a'.repeat(64) },
  user2: { url: 'http://192.168.1.5:8080/sonota/100008db17/user2.bin', digest: 'b'.repeat(64) },
  version: '23.42.5',
};

describe('DeviceConnection', () => {
  afterEach(timeGoesOn);
  afterEach(closeAll);

  async function connected(limits?: DeviceConnectionOptions['limits'], wire: { allowHalfOpen?: boolean } = {}) {
    const cloud = new CloudServer({
      whereToConnect: () => ({ address: '192.168.1.5', port: 8443 }),
      ...(limits ? { connectionLimits: limits } : {}),
    });
    afterwards(() => cloud.close());
    const port = await serve({ handle: (socket) => cloud.handle(socket, 'plain') });
    const connecting = once(cloud, 'connected') as Promise<[DeviceConnection]>;
    const { device } = await WebSocketDevice.open(await RawClient.to(port, wire));
    const [connection] = await connecting;
    return { connection, device };
  }

  it('goes with a device from register to ready, each message in one frame of one segment', async () => {
    timeStands(['Date'], 1_700_000_000_000);
    const { connection, device } = await connected();
    const events: unknown[] = [];
    for (const event of ['registered', 'reported', 'ready', 'malformed', 'unregistered'] as const)
      connection.on(event, (...values: unknown[]) => events.push([event, ...values]));
    assert.equal(connection.connectedAt.getTime(), 1_700_000_000_000);
    assert.deepEqual([connection.device, connection.ready, connection.open], [undefined, false, true]);
    await device.becomeReady();
    const stated = { deviceid: DEVICE_ID, apikey: FACTORY_KEY, model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
    assert.deepEqual(events, [
      ['registered', stated],
      ['reported', { switch: 'off', fwVersion: '1.5.5', rssi: -61, staMac: 'AA:BB:CC:00:11:22' }],
      ['ready'],
    ]);
    assert.equal(connection.ready, true);
    assert.deepEqual(connection.device, stated);
    assert.equal(device.sessionKey.length, 36);
    assert.equal(device.sessionKey, connection.sessionKey);
    assert.notEqual(device.sessionKey, FACTORY_KEY);
    const { connection: other } = await connected();
    assert.notEqual(other.sessionKey, connection.sessionKey);
  });

  it('sends the upgrade as one unmasked text frame, and passes on its acknowledgement alone', async () => {
    const { connection, device } = await connected();
    await device.becomeReady();
    connection.upgrade(OFFER);
    await device.wire.until(() => device.wire.segments.length > 0);
    assert.equal(device.wire.segments.length, 1);
    assert.ok(device.wire.bytes.length < 2000);
    assert.deepEqual([...device.wire.bytes.subarray(0, 2)], [0x81, 126]);
    const upgrade = await device.answer();
    assert.equal(upgrade['action'], 'upgrade');
    const acknowledged = once(connection, 'acknowledged');
    device.say({ error: 0, apikey: device.sessionKey, sequence: '1' });
    device.say({ error: 404, apikey: device.sessionKey, sequence: upgrade['sequence'] });
    assert.deepEqual(await acknowledged, [404, upgrade['sequence']]);
  });

  it('answers an empty ping with the only pong that a device knows', async () => {
    const { device } = await connected();
    device.wire.write(PING);
    await device.wire.until(() => device.wire.segments.length > 0);
    assert.equal(device.wire.bytes.toString('hex'), '8a00');
  });

  it('is ready without a query after the grace of 2 s', async () => {
    timeStands();
    const { connection, device } = await connected();
    await device.register();
    device.say({ action: 'update', apikey: device.sessionKey, params: { switch: 'off' } });
    await device.answer();
    timePasses(1999);
    assert.equal(connection.ready, false);
    timePasses(1);
    assert.equal(connection.ready, true);
  });

  it('counts the grace again for a device that starts over on its connection', async () => {
    timeStands();
    const { connection, device } = await connected();
    for (const waitsMs of [1500, 1999]) {
      await device.register();
      device.say({ action: 'update', apikey: device.sessionKey, params: { switch: 'off' } });
      await device.answer();
      timePasses(waitsMs);
      assert.equal(connection.ready, false);
    }
    timePasses(1);
    assert.equal(connection.ready, true);
  });

  it('shows every message without a key', async () => {
    const { connection, device } = await connected();
    const messages: string[] = [];
    connection.on('message', (direction, text) => messages.push(`${direction} ${text}`));
    await device.becomeReady();
    connection.upgrade(OFFER);
    device.wire.write(frame(`{'apikey':'${FACTORY_KEY}'`));
    await once(connection, 'malformed');
    assert.equal(messages.length, 10);
    assert.match(messages[0] ?? '', /^in \{.*"apikey":"…".*"action":"register"|"action":"register".*"apikey":"…"/);
    const all = messages.join('\n');
    assert.doesNotMatch(all, new RegExp(`${FACTORY_KEY}|${device.sessionKey}`));
    assert.match(all, /23\.42\.5/);
  });

  it('reports what is not its protocol and continues', async () => {
    const { connection, device } = await connected();
    const reasons: string[] = [];
    connection.on('malformed', (reason) => reasons.push(reason.text));
    device.wire.write(frame('not JSON'));
    device.wire.write(frame('[1,2]'));
    device.wire.write(frame('binary', 0x82));
    await device.becomeReady();
    assert.deepEqual(reasons, [wording('not-json').text, wording('not-an-object').text, wording('binary').text]);
    assert.equal(connection.ready, true);
  });

  it('takes no message for one that came as binary', async () => {
    const { connection, device } = await connected();
    const reasons: string[] = [];
    connection.on('malformed', (reason) => reasons.push(reason.text));
    connection.on('registered', () => reasons.push('registered'));
    const register = { action: 'register', apikey: FACTORY_KEY, deviceid: DEVICE_ID, version: 2, romVersion: '1.5.5' };
    device.wire.write(frame(JSON.stringify({ userAgent: 'device', model: 'ITA-GZ1-GL', ts: 710, ...register }), 0x82));
    device.wire.write(PING);
    assert.equal((await device.next()).first, 0x8a);
    assert.deepEqual([reasons.length, reasons.includes('registered'), connection.device], [1, false, undefined]);
  });

  it('looks at nothing that came in one piece with what ended the connection', async () => {
    const { connection, device } = await connected({ malformed: 2 });
    let complaints = 0;
    connection.on('malformed', () => (complaints += 1));
    const closed = once(connection, 'closed');
    device.wire.write(Buffer.concat(Array.from({ length: 6 }, () => frame('not JSON'))));
    await closed;
    assert.equal(complaints, 2);
  });

  it('drops a peer that is no Sonoff', async () => {
    const { connection, device } = await connected({ malformed: 5 });
    let complaints = 0;
    connection.on('malformed', () => (complaints += 1));
    const closed = once(connection, 'closed');
    for (let count = 0; count < 10; count += 1) device.wire.write(frame('not JSON'));
    await closed;
    assert.equal(complaints, 5);
    assert.equal(connection.open, false);
  });

  for (const [what, bytes, reason] of [
    ['an unmasked frame', Buffer.from('810568656c6c6f', 'hex'), 'Invalid WebSocket frame: MASK must be set'],
    ['reserved bits', frame('hello', 0xf1), 'Invalid WebSocket frame: RSV2 and RSV3 must be clear'],
    ['a message longer than any device has', frame('x'.repeat(5000)), 'Max payload size exceeded'],
    [
      'text that is not UTF-8',
      Buffer.concat([Buffer.from('818400000000', 'hex'), Buffer.from('fffefdfc', 'hex')]),
      'Invalid WebSocket frame: invalid UTF-8 sequence',
    ],
    ['an unknown opcode', frame('', 0x8b), 'Invalid WebSocket frame: invalid opcode 11'],
  ] as const) {
    it(`survives ${what}, and says what it was`, async () => {
      // One that never ends its side is not waited for.
      const { connection, device } = await connected({}, { allowHalfOpen: true });
      const reasons: unknown[] = [];
      connection.on('malformed', (wrong) => reasons.push(wrong));
      const closed = once(connection, 'closed');
      device.wire.write(bytes);
      await closed;
      assert.deepEqual(reasons, [quoted(reason)]);
    });
  }

  it('survives a reset, and sends nothing more', async () => {
    const { connection, device } = await connected();
    await device.becomeReady();
    connection.on('malformed', () => assert.fail('a lost connection is no message'));
    const closed = once(connection, 'closed');
    device.wire.socket.resetAndDestroy();
    await closed;
    connection.on('message', () => assert.fail('there is no connection to send it on'));
    const before = timers();
    connection.upgrade(OFFER);
    assert.equal(timers(), before, 'nothing waits for a device that is gone');
    connection.close();
  });

  it('leaves no timer behind, in whatever state the device leaves', async () => {
    // Mocha sets its own timer once the test has returned its promise.
    await nextTurn();
    const before = timers();
    for (const until of ['connected', 'registered', 'ready'] as const) {
      const { connection, device } = await connected();
      if (until === 'registered') {
        await device.register();
        device.say({ action: 'update', apikey: device.sessionKey, params: { switch: 'off' } });
        await device.answer();
      }
      if (until === 'ready') await device.becomeReady();
      assert.ok(timers() > before, until);
      const closed = once(connection, 'closed');
      device.wire.socket.resetAndDestroy();
      await closed;
      assert.equal(timers(), before, until);
    }
  });

  it('is never ready, nor late, once it is closed', async () => {
    timeStands();
    for (const isRegistered of [false, true]) {
      const { connection, device } = await connected();
      if (isRegistered) {
        await device.register();
        device.say({ action: 'update', apikey: device.sessionKey, params: { switch: 'off' } });
        await device.answer();
      }
      const events: string[] = [];
      for (const event of ['ready', 'unregistered'] as const) connection.on(event, () => events.push(event));
      const closed = once(connection, 'closed');
      device.wire.socket.resetAndDestroy();
      await closed;
      timePasses(1_000_000);
      assert.deepEqual(events, []);
    }
  });

  it('gives a device the usual times: to register, between two messages, and for its upgrade', async () => {
    timeStands();
    const { connection: late, device: silent } = await connected();
    const events: unknown[] = [];
    late.on('unregistered', (seconds) => events.push(seconds));
    timePasses(9_999);
    assert.deepEqual([events, late.open], [[], true]);
    timePasses(1);
    assert.deepEqual([events, late.open], [[10], false]);
    await silent.wire.until(() => silent.wire.closed);
    assert.equal(silent.wire.text, '', 'no close frame');
    const { connection, device } = await connected();
    await device.becomeReady();
    timePasses(329_999);
    assert.equal(connection.open, true);
    connection.upgrade(OFFER);
    timePasses(899_999);
    assert.equal(connection.open, true);
    timePasses(1);
    assert.equal(connection.open, false);
    const { connection: quiet, device: other } = await connected();
    await other.becomeReady();
    timePasses(329_999);
    assert.equal(quiet.open, true);
    timePasses(1);
    assert.equal(quiet.open, false);
  });

  it('takes no upgrade before it is ready, and no longer silence for it', async () => {
    timeStands();
    const { connection, device } = await connected({ silenceMs: 150 });
    await device.register();
    assert.throws(() => connection.upgrade(OFFER), { code: 'unexplained' });
    timePasses(149);
    assert.equal(connection.open, true);
    timePasses(1);
    assert.equal(connection.open, false);
  });

  it('drops a device that has fallen silent, but notices a ping and a message', async () => {
    timeStands();
    const { connection, device } = await connected({ silenceMs: 200 });
    for (const pongs of [1, 2]) {
      timePasses(199);
      device.wire.write(PING);
      await device.wire.until(() => device.wire.bytes.length >= 2 * pongs);
    }
    timePasses(199);
    device.wire.clear();
    device.say({ action: 'date', apikey: FACTORY_KEY });
    assert.equal((await device.answer())['error'], 404);
    timePasses(199);
    assert.equal(connection.open, true);
    timePasses(1);
    await device.wire.until(() => device.wire.closed);
  });

  it('gives an upgrading device more time, until its verdict is there', async () => {
    timeStands();
    const { connection, device } = await connected({ silenceMs: 150, upgradeSilenceMs: 500 });
    await device.becomeReady();
    connection.upgrade(OFFER);
    const { sequence } = await device.answer();
    timePasses(499);
    assert.equal(connection.open, true, 'silent for longer than the usual limit');
    device.say({ error: 0, apikey: device.sessionKey, sequence });
    await once(connection, 'acknowledged');
    timePasses(150);
    assert.equal(connection.open, false, 'the usual limit holds again');
  });

  it('gives a device its time to register, and a registered one all the time', async () => {
    timeStands(['setTimeout']);
    try {
      const { connection, device } = await connected({ registerMs: 10_000, silenceMs: 60_000 });
      timePasses(9_999);
      await device.register();
      timePasses(50_000);
      assert.equal(connection.open, true);
    } finally {
      timeGoesOn();
    }
  });

  it('looks at no more than 20 messages a second, and drops a device that sends more and more', async () => {
    const { connection, device } = await connected();
    await device.register();
    const complaints: string[] = [];
    let looked = 0;
    connection.on('malformed', (reason) => complaints.push(reason.text));
    connection.on('message', (direction) => (looked += direction === 'in' ? 1 : 0));
    const update = frame(JSON.stringify({ action: 'date', deviceid: DEVICE_ID, apikey: device.sessionKey }));
    device.wire.write(Buffer.concat(Array<Buffer>(100).fill(update)));
    await device.wire.until(() => device.wire.closed);
    assert.deepEqual(new Set(complaints), new Set(['it sends more than 20 messages a second']));
    assert.equal(complaints.length, 20);
    assert.ok(looked >= 19 && looked < 80, `it looked at ${looked}`);
  });

  it('counts pings as messages', async () => {
    const { connection, device } = await connected();
    await device.register();
    const complaints: unknown[] = [];
    connection.on('malformed', (reason) => complaints.push(reason));
    const closed = once(connection, 'closed');
    device.wire.write(Buffer.concat(Array<Buffer>(100).fill(PING)));
    await closed;
    assert.deepEqual(complaints, Array(20).fill(wording('messages-too-fast', { count: 20 })));
  });
});
