import assert from 'node:assert/strict';
import { once } from 'node:events';
import { DIY_VERSIONS, type DiyVersion } from '../../../lib/virtual/diy/versions';
import { closeAll, logs } from '../lab';
import { command, exchange, ID, inDiyMode, jsonIn, openConnection, replyTo, request } from './lab';

/** Nothing is found in it twice, and nothing is missing. */
const HEAD =
  'HTTP/1.1 200 OK\r\nServer: openresty\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %\r\nConnection: close\r\n\r\n';

describe('virtual DIY device: HTTP API', () => {
  afterEach(closeAll);

  it('answers info in the exact words of DIY 2.0', async () => {
    const { port } = await inDiyMode({ version: '3.5.0' });
    const body =
      '{"seq":2,"error":0,"data":{"switch":"off","startup":"off","pulse":"off","pulseWidth":500,"ssid":"","otaUnlock":false,' +
      '"fwVersion":"3.5.0","deviceid":"10000a1b2c","bssid":"02:00:00:00:00:01","signalStrength":-52}}';
    const reply = await exchange(port, request('info', { deviceid: ID, data: {} }));
    assert.equal(reply, HEAD.replace('%', String(body.length)) + body);
  });

  it('gives its data as a string with 3.3.0, without what came later', async () => {
    const { port } = await inDiyMode({ version: '3.3.0' });
    const { data } = await command(port, 'info');
    assert.deepEqual(JSON.parse(data as string), {
      ...{ switch: 'off', startup: 'off', pulse: 'off', pulseWidth: 500, ssid: '', otaUnlock: false },
    });
  });

  it('takes header and body in pieces, and any spelling of Content-Length', async () => {
    const { port } = await inDiyMode();
    const { socket, received } = await openConnection(port);
    const bytes = request('info', { deviceid: ID, data: {} }, 'content-length');
    for (const byte of bytes) await new Promise((resolve) => socket.write(byte, resolve));
    await once(socket, 'close');
    assert.equal(jsonIn(received()).error, 0);
  });

  const deaf: [string, string][] = [
    ['a GET', 'GET /zeroconf/info HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['another path', request('info', {}).replace('/zeroconf/', '/')],
    ['HTTP/1.0', request('info', {}).replace('HTTP/1.1', 'HTTP/1.0')],
    ['no Content-Length', request('info', { data: {} }, 'X-Length')],
    ['two blanks behind the colon', request('info', { data: {} }).replace('Content-Length: ', 'Content-Length:  ')],
    ['chunks', request('info', '2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\nX')],
    ['a header over 1024 bytes', request('info', {}).replace('Host:', `X: ${'x'.repeat(1024)}\r\nHost:`)],
    ['a header without an end', 'x'.repeat(1025)],
    ['header and body over 1024 bytes together', request('info', { data: {}, x: 'x'.repeat(1000) })],
    ['a Content-Length that cannot fit', request('info', 'x'.repeat(1000)).slice(0, 200)],
    ['broken JSON', request('info', '{"deviceid":“10000a1b2c”}')],
    ['JSON that is no object', request('info', '[]')],
    ['an unknown command', request('nonsense', { deviceid: ID, data: {} })],
    ['a command of the prototype', request('toString', { deviceid: ID, data: {} })],
  ];
  for (const [what, bytes] of deaf) {
    it(`neither answers nor closes for ${what}, and keeps its only place for it`, async () => {
      const { device, port } = await inDiyMode();
      const { socket, received } = await openConnection(port);
      socket.write(bytes);
      await logs(device, /no answer|silence/);
      assert.equal(await exchange(port, request('info', { data: {} })), undefined, 'another connection is reset');
      assert.equal(received(), '');
      assert.ok(!socket.destroyed && !socket.readableEnded);
      socket.destroy();
      assert.equal((await command(port, 'info')).error, 0);
    });
  }

  it('waits for a body that never comes', async () => {
    const { port } = await inDiyMode();
    const { socket } = await openConnection(port);
    socket.write(request('info', { data: {} }).slice(0, -1));
    assert.equal(await exchange(port, request('info', { data: {} })), undefined);
    socket.write('}');
    await once(socket, 'close');
  });

  it('answers the longest request that fits', async () => {
    const { port } = await inDiyMode();
    const empty = request('info', { data: {}, x: '' }).length;
    // The length takes one digit more than that of the empty one.
    const bytes = request('info', { data: {}, x: 'x'.repeat(1024 - empty - 1) });
    assert.equal(bytes.length, 1024);
    assert.equal(jsonIn(await replyTo(port, bytes)).error, 0);
  });

  it('resets what comes too soon after a reply', async () => {
    const { port } = await inDiyMode({ timings: { lanRests: 600_000 } });
    assert.equal((await command(port, 'info')).error, 0);
    assert.equal(await exchange(port, request('info', { data: {} })), undefined);
  });

  const newer: readonly DiyVersion[] = ['3.7.6', '3.8.1'];
  for (const version of DIY_VERSIONS.filter((one) => one !== '3.0.0')) {
    it(`${version} takes its own id and no other`, async () => {
      const { port } = await inDiyMode({ version });
      assert.equal((await command(port, 'signal_strength')).error, 0);
      assert.equal((await command(port, 'info', {}, '10000a1b2d')).error, 404);
    });

    it(`${version} ${newer.includes(version) ? 'resets' : 'answers'} an empty id`, async () => {
      const { device, port } = await inDiyMode({ version });
      const reply = await exchange(port, request('info', { deviceid: '', data: {} }));
      if (newer.includes(version)) {
        assert.equal(reply, undefined);
        await logs(device, /info: reset/);
      } else assert.equal(jsonIn(reply ?? '').error, 0);
    });

    it(`${version} ${version < '3.5' ? 'wants the key deviceid' : 'does without the key deviceid'}`, async () => {
      const { port } = await inDiyMode({ version });
      assert.equal(jsonIn(await replyTo(port, request('info', { data: {} }))).error, version < '3.5' ? 422 : 0);
    });
  }

  it('bears keys that it does not know', async () => {
    const { port } = await inDiyMode();
    const body = { deviceid: ID, sequence: '1577836800000', selfApikey: '123', encrypt: false, data: { more: 1 } };
    assert.equal(jsonIn(await replyTo(port, request('info', body))).error, 0);
  });

  it('switches its relay, and counts', async () => {
    const { port } = await inDiyMode();
    const first = await command(port, 'switch', { switch: 'on' });
    assert.equal(first.error, 0);
    assert.equal((await command(port, 'startup', { startup: 'stay' })).error, 0);
    assert.equal((await command(port, 'pulse', { pulse: 'on', pulseWidth: 1500 })).error, 0);
    const { seq, data } = await command(port, 'info');
    assert.ok(seq > first.seq);
    const { switch: relay, startup, pulse, pulseWidth } = data as Record<string, unknown>;
    assert.deepEqual([relay, startup, pulse, pulseWidth], ['on', 'stay', 'on', 1500]);
  });

  const refused: [string, object][] = [
    ['switch', { switch: 'ON' }],
    ['switch', {}],
    ['startup', { startup: 'maybe' }],
    ['pulse', { pulse: 'on', pulseWidth: 750 }],
    ['pulse', { pulse: 'on', pulseWidth: 0 }],
    ['pulse', { pulse: 'on', pulseWidth: 36_000_500 }],
    ['wifi', { ssid: 'home' }],
  ];
  for (const [name, data] of refused) {
    it(`refuses ${name} with ${JSON.stringify(data)}`, async () => {
      const { port } = await inDiyMode();
      assert.equal((await command(port, name, data)).error, 422);
    });
  }

  it('refuses data that is no object', async () => {
    const { port } = await inDiyMode();
    assert.equal(jsonIn(await replyTo(port, request('info', { deviceid: ID, data: '{}' }))).error, 422);
  });

  it('states the strength of its signal', async () => {
    const { port } = await inDiyMode({ fault: 'weak-signal' });
    assert.deepEqual((await command(port, 'signal_strength')).data, { signalStrength: -79 });
  });

  it('wants encrypted requests in eWeLink mode', async () => {
    const { device, port } = await inDiyMode({ startsIn: 'ewelink' });
    assert.equal(device.state, 'ewelink-mode');
    assert.equal((await command(port, 'info')).error, 401);
    const fault = await inDiyMode({ fault: 'ewelink-mode' });
    assert.equal((await command(fault.port, 'ota_unlock')).error, 401);
  });

  it('calls broken JSON 400 where it is made to, as its vendor writes', async () => {
    const { port } = await inDiyMode({ behaviours: { brokenJson: 400 } });
    assert.equal(jsonIn(await replyTo(port, request('info', '{'))).error, 400);
  });

  it('moves to another Wi-Fi after its reply', async () => {
    const { device, port } = await inDiyMode({ homeNetwork: { ssid: 'new', password: 'secret' } });
    const lan = once(device, 'lan');
    assert.equal((await command(port, 'wifi', { ssid: 'new', password: 'secret' })).error, 0);
    const [moved] = (await lan) as [{ port: number }];
    assert.equal(((await command(moved.port, 'info')).data as { ssid: string }).ssid, 'new');
  });
});
