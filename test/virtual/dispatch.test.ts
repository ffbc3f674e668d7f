import assert from 'node:assert/strict';
import { once } from 'node:events';
import { clientHello } from '../../lib/virtual/stock/certificate-check';
import { closeAll, logs, onCloud, rawCloud, reaches } from './lab';
import { httpReply } from './raw-cloud';

describe('virtual Sonoff: dispatch', () => {
  afterEach(closeAll);

  for (const secure of [true, false]) {
    it(`sends exactly the firmware's request over ${secure ? 'TLS 1.1' : 'plain TCP'}`, async () => {
      const cloud = await rawCloud({}, secure);
      const apikey = 'a1b2c3d4-0000-0000-0000-000000000000';
      // Plain firmware dials its constant port, whatever was provisioned.
      const options = { apikey, transport: secure ? ('range' as const) : ('plain' as const), legacyPort: cloud.port };
      await onCloud(cloud, secure ? options : { ...options, provisioned: { serverName: '127.0.0.1', port: 1 } });
      const [request] = (await once(cloud, 'dispatch')) as [string];
      const body =
        '{"accept":"ws;2","version":2,"ts":933,"deviceid":"10000a1b2c","apikey":"a1b2c3d4-0000-0000-0000-000000000000",' +
        '"model":"ITA-GZ1-GL","romVersion":"1.5.5"}';
      assert.equal(
        request,
        'POST /dispatch/device HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  }

  const json = (port: number, changes: object = {}): string =>
    JSON.stringify({ error: 0, reason: 'ok', IP: '127.0.0.1', port, ...changes });
  const refused: [string, (port: number) => string, RegExp][] = [
    ['another status', (port) => httpReply(json(port), 'HTTP/1.1 201 Created'), /not "HTTP\/1.1 200 OK"/],
    ['HTTP/1.0', (port) => httpReply(json(port), 'HTTP/1.0 200 OK'), /not "HTTP\/1.1 200 OK"/],
    [
      'chunks',
      (port) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n${json(port)}\r\n0\r\n\r\n`,
      /no "Content-Length: "/,
    ],
    [
      'a lower-case content-length',
      (port) => httpReply(json(port)).replace('Content-Length', 'content-length'),
      /no "Content-Length: "/,
    ],
    ['over 2048 bytes', (port) => httpReply(json(port, { reason: 'x'.repeat(2000) })), /over 2048 bytes/],
    ['an error', (port) => httpReply(json(port, { error: 403 })), /error is not 0/],
    ['an error as text', (port) => httpReply(json(port, { error: '0' })), /error is not 0/],
    ['a port as text', (port) => httpReply(json(port, { port: `${port}` })), /port is not a number/],
    ['an IP over 50 characters', (port) => httpReply(json(port, { IP: 'x'.repeat(51) })), /no usable IP/],
    ['no JSON', () => httpReply('welcome'), /no JSON/],
  ];
  for (const [what, reply, why] of refused) {
    it(`does not take a reply with ${what}, and comes back with the next ts`, async () => {
      const cloud = await rawCloud({
        dispatch: (_body, port) => (cloud.dispatches.length === 1 ? reply(port) : httpReply(json(port))),
      });
      const device = await onCloud(cloud);
      await once(cloud, 'websocket');
      await logs(device, why);
      assert.equal(cloud.dispatches.length, 2);
      assert.match(cloud.dispatches[1]!, /"ts":743,/);
    });
  }

  it('takes a reply in two segments', async () => {
    const cloud = await rawCloud({
      dispatch: (_body, port) => {
        const reply = httpReply(json(port));
        return [reply.slice(0, 60), reply.slice(60)];
      },
    });
    await onCloud(cloud);
    await once(cloud, 'websocket');
    assert.equal(cloud.dispatches.length, 1);
  });

  it('does not wait for a reply without end', async () => {
    const cloud = await rawCloud({
      dispatch: (_body, port) => (cloud.dispatches.length === 1 ? [] : httpReply(json(port))),
    });
    const device = await onCloud(cloud, { timings: { dispatchReply: 30 } });
    await once(cloud, 'websocket');
    await logs(device, /no reply in time/);
  });

  it('backs off while nothing answers, and starts with 933 again after a power-cycle', async () => {
    const cloud = await rawCloud({ dispatch: () => httpReply('{}') });
    const device = await onCloud(cloud, { speed: 1000 });
    while (cloud.dispatches.length < 4) await once(cloud, 'dispatch');
    device.powerCycle();
    const before = cloud.dispatches.length;
    await once(cloud, 'dispatch');
    assert.match(cloud.dispatches.at(before)!, /"ts":933,/);
  });

  it('sends broken JSON where a fault wants it', async () => {
    const cloud = await rawCloud();
    await onCloud(cloud, { fault: 'garbage-dispatch' });
    const [request] = (await once(cloud, 'dispatch').catch(() => [''])) as [string];
    assert.throws(() => JSON.parse(request.split('\r\n\r\n')[1]!));
  });
});

describe('virtual Sonoff: firmware that verifies certificates', () => {
  afterEach(closeAll);

  it('says the hello of its library: 79 bytes of record, TLS 1.2, one extension', () => {
    const hello = clientHello();
    assert.equal(hello.length, 5 + 79);
    assert.equal(hello.toString('hex', 0, 11), '160301004f0100004b0303');
    assert.equal(
      hello.toString('hex', 43),
      '000012003d0035003c002f00b7009500b6009400ff01000010000d000c000a06010501040103010201',
    );
  });

  it('hangs up on our certificate without an alert, again and again', async () => {
    const cloud = await rawCloud();
    const device = await onCloud(cloud, { transport: 'verifying', speed: 1000 });
    for (let attempt = 0; attempt < 3; attempt++) {
      const [error] = (await once(cloud, 'handshake-error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
    }
    await reaches(device, 'certificate-refused');
    assert.equal(cloud.dispatches.length, 0);
  });
});
