import assert from 'node:assert/strict';
import { once } from 'node:events';
import { accessPointMac, type OwnNetwork } from '../../lib/virtual/device/radio';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { closeAll, logs, postAp, RawClient, reaches, sonoff } from './lab';

const SETTINGS = { version: 4, ssid: 'home', password: 'secret-password', serverName: '127.0.0.1', port: 8443 };

describe('virtual Sonoff: access point', () => {
  afterEach(closeAll);

  async function ap(options = {}): Promise<{ device: VirtualSonoff; client: RawClient; port: number }> {
    // Nothing answers on the home network here: the device is left in the state before it.
    const device = sonoff({ behaviours: { joinsHomeNetwork: false }, ...options });
    const { apPort } = await device.start();
    return { device, client: await RawClient.connect(apPort), port: apPort };
  }

  it('states its identity, in the exact words', async () => {
    const { client } = await ap({ apikey: 'a1b2c3d4-0000-0000-0000-000000000000' });
    client.socket.write('GET /device HTTP/1.1\r\nHost: 10.10.7.1\r\n\r\n');
    assert.equal(
      await client.answer(),
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: 89\r\n\r\n' +
        '{"deviceid":"10000a1b2c","apikey":"a1b2c3d4-0000-0000-0000-000000000000","accept":"post"}',
    );
  });

  it('takes settings, answers first, and closes then', async () => {
    const { device, client, port } = await ap();
    client.socket.write(postAp(SETTINGS));
    assert.match(await client.answer(), /\{"error":0\}$/);
    await client.closed;
    await reaches(device, 'not-joined');
    await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
  });

  it('answers two requests on one connection', async () => {
    const { client } = await ap();
    client.socket.write('GET /device HTTP/1.1\r\n\r\n');
    await client.answer();
    client.received = '';
    client.socket.write(postAp(SETTINGS));
    assert.match(await client.answer(), /\{"error":0\}$/);
  });

  it('waits for a body that comes later, where Content-Length is spelled as it knows it', async () => {
    const { client } = await ap();
    const [head, body] = postAp(SETTINGS).split('\r\n\r\n') as [string, string];
    client.socket.write(`${head}\r\n\r\n`);
    client.socket.write(body.slice(0, 10), () => client.socket.write(body.slice(10)));
    assert.match(await client.answer(), /\{"error":0\}$/);
  });

  it('loses a body that comes later, where content-length is in lower case', async () => {
    const { device, client } = await ap();
    const [head, body] = postAp(SETTINGS, 'content-length').split('\r\n\r\n') as [string, string];
    client.socket.write(`${head}\r\n\r\n`);
    await logs(device, /no answer, no JSON body/);
    client.socket.write(body);
    client.socket.write('\r\n\r\n');
    await logs(device, /no answer, not a request/);
    assert.equal(client.received, '');
    assert.equal(device.state, 'access-point');
  });

  it('takes a lower-case content-length with everything in one segment', async () => {
    const { client } = await ap();
    client.socket.write(postAp(SETTINGS, 'content-length'));
    assert.match(await client.answer(), /\{"error":0\}$/);
  });

  const unanswered: [string, string][] = [
    ['HTTP/1.0', 'GET /device HTTP/1.0\r\n\r\n'],
    ['an absolute URI', 'GET http://10.10.7.1/device HTTP/1.1\r\n\r\n'],
    ['another path', 'GET / HTTP/1.1\r\n\r\n'],
    ['a lower-case method', 'get /device HTTP/1.1\r\n\r\n'],
    ['broken JSON', postAp('{"ssid":"home",')],
    ['a port that is text', postAp({ ...SETTINGS, port: '8443' })],
    ['an SSID of 32 bytes', postAp({ ...SETTINGS, ssid: 'x'.repeat(32) })],
    ['a password of 64 bytes', postAp({ ...SETTINGS, password: 'x'.repeat(64) })],
    ['a serverName of 51 characters', postAp({ ...SETTINGS, serverName: 'x'.repeat(51) })],
    ...['ssid', 'password', 'serverName', 'port'].map((key): [string, string] => [
      `settings without ${key}`,
      postAp({ ...SETTINGS, [key]: undefined }),
    ]),
  ];
  for (const [what, request] of unanswered) {
    it(`never answers ${what}`, async () => {
      const { device, client } = await ap();
      client.socket.write(request);
      await logs(device, /no answer/);
      client.socket.write('GET /device HTTP/1.1\r\n\r\n');
      await client.answer();
      assert.equal(client.received.split('HTTP/1.1 200 OK').length, 2, 'one answer, to the second request');
    });
  }

  it('takes names and passwords of the greatest length', async () => {
    const { client } = await ap();
    client.socket.write(
      postAp({ ...SETTINGS, ssid: 'x'.repeat(31), password: 'y'.repeat(63), serverName: 'z'.repeat(50) }),
    );
    assert.match(await client.answer(), /\{"error":0\}$/);
  });

  it('drops a request over 2048 bytes', async () => {
    const { device, client } = await ap();
    client.socket.write(`GET /device HTTP/1.1\r\nX: ${'x'.repeat(2048)}\r\n\r\n`);
    await logs(device, /dropped, over 2048 bytes/);
    assert.equal(client.received, '');
  });

  it('drops a request that is not finished in time', async () => {
    const { device, client } = await ap({ timings: { apRequest: 30 } });
    client.socket.write('GET /device HTTP/1.1\r\n');
    await logs(device, /dropped, not finished in time/);
    client.socket.write('\r\n\r\n');
    await logs(device, /no answer, not a request/);
    assert.equal(client.received, '');
  });

  it('closes automatically when its time is over', async () => {
    const { device, client } = await ap({ timings: { apOpen: 30 } });
    await client.closed;
    assert.equal((await device.ended).result, 'ap-closed');
  });

  it('copies escapes as they are, so that the network does not exist for it', async () => {
    const homeNetwork = { ssid: 'ho"me', password: 'secret-password' };
    const { device, client } = await ap({ homeNetwork, behaviours: {} });
    client.socket.write(postAp({ ...SETTINGS, ssid: 'ho"me' }));
    await client.answer();
    await reaches(device, 'not-joined');
  });

  it('never joins with a wrong password, and says nothing of it', async () => {
    const homeNetwork = { ssid: 'home', password: 'another-password' };
    const { device, client } = await ap({ homeNetwork, behaviours: {} });
    client.socket.write(postAp(SETTINGS));
    assert.match(await client.answer(), /\{"error":0\}$/);
    await reaches(device, 'not-joined');
  });

  it('calls its radio as networks come and go', async () => {
    const calls: string[] = [];
    const device = sonoff({
      deviceid: '10000a1b2c',
      radio: {
        openAccessPoint: (own) => void calls.push(`open ${own.ssid} ${own.password} at ${own.address}`),
        closeAccessPoint: ({ ssid }) => void calls.push(`close ${ssid}`),
        joinHome: ({ ssid, password }) => {
          calls.push(`join ${ssid} ${password}`);
          return '127.0.0.1';
        },
        leaveHome: () => void calls.push('leave'),
      },
    });
    const client = await RawClient.connect((await device.start()).apPort);
    client.socket.write(postAp({ ...SETTINGS, port: 1 }));
    await reaches(device, 'dispatching');
    await device.stop();
    assert.deepEqual(calls, [
      'open ITEAD-10000a1b2c 12345678 at 127.0.0.1',
      'close ITEAD-10000a1b2c',
      'join home secret-password',
      'leave',
    ]);
  });

  it('dials no host where its radio does not get into the home network', async () => {
    const calls: string[] = [];
    const radio = { joinHome: () => undefined, leaveHome: () => void calls.push('leave') };
    const { device, client } = await ap({ radio, behaviours: {} });
    client.socket.write(postAp(SETTINGS));
    await reaches(device, 'not-joined');
    assert.ok(!device.log.includes('state: dispatching'));
    assert.deepEqual(calls, []);
  });

  it('has an access point with the locally given form of its own MAC', async () => {
    assert.equal(accessPointMac('5C:CF:7F:0A:1B:2C'), '5E:CF:7F:0A:1B:2C');
    const opened = new Promise<OwnNetwork>((resolve) => void ap({ radio: { openAccessPoint: resolve } }));
    assert.match((await opened).bssid, /^5E:CF:7F:/);
  });

  it('rejects where its address is taken', async () => {
    const { port } = await ap();
    await assert.rejects(sonoff({ apPort: port }).start(), { code: 'EADDRINUSE' });
  });

  it('writes no secret to its log', async () => {
    const { device, client } = await ap({ apikey: 'factory-key-factory-key-factory-key-' });
    client.socket.write('GET /device HTTP/1.1\r\n\r\n');
    await client.answer();
    client.socket.write(postAp(SETTINGS));
    await once(device, 'state');
    const text = device.log.join('\n');
    assert.ok(!text.includes('secret-password') && !text.includes('factory-key'), text);
  });
});
