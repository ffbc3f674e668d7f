import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import type { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { closeAll, logs, postAp, RawClient, reaches } from '../lab';
import { command, diySonoff, exchange, request } from './lab';

const WIFI = { ssid: 'home', password: 'secret-password' };

function postDiy(body: object | string): string {
  return postAp(body).replace('POST /ap ', 'POST /ap_diy ');
}

describe('virtual DIY device: access point', () => {
  afterEach(closeAll);

  async function ap(
    options: Partial<VirtualDiyOptions> = {},
  ): Promise<{ device: VirtualDiySonoff; client: RawClient; port: number }> {
    const device = diySonoff({ startsIn: 'access-point', ...options });
    const { apPort } = await device.start();
    return { device, client: await RawClient.connect(apPort), port: apPort };
  }

  it('states a chip id with 3.5.0, as its fourth key', async () => {
    const { client } = await ap({ version: '3.5.0', apikey: 'a1b2c3d4-0000-0000-0000-000000000000' });
    client.socket.write('GET /device HTTP/1.1\r\nHost: 10.10.7.1\r\n\r\n');
    assert.match(
      await client.answer(),
      /\{"deviceid":"10000a1b2c","apikey":"a1b2c3d4-0000-0000-0000-000000000000","accept":"post","chipid":"00[0-9A-F]{6}"\}$/,
    );
  });

  it('states none with 3.3.0', async () => {
    const { client } = await ap({ version: '3.3.0' });
    client.socket.write('GET /device HTTP/1.1\r\n\r\n');
    assert.match(await client.answer(), /"accept":"post"\}$/);
  });

  it('shows its page', async () => {
    const { client } = await ap();
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    while (!client.received.includes('</html>')) await once(client.socket, 'data');
    assert.match(client.received, /Content-Type: text\/html.*<title>DIY WEB<\/title>/s);
  });

  it('takes Wi-Fi settings for DIY mode, and answers on its new network', async () => {
    const { device, client } = await ap({ homeNetwork: WIFI });
    const lan = once(device, 'lan');
    client.socket.write(postDiy(WIFI));
    assert.match(await client.answer(), /\{"error":0\}$/);
    const [{ port }] = (await lan) as [{ port: number }];
    const { data } = await command(port, 'info');
    assert.equal((data as { ssid: string }).ssid, 'home');
    assert.equal(device.state, 'diy-mode');
  });

  it('stays in DIY mode over a power cycle', async () => {
    const { device, client } = await ap();
    client.socket.write(postDiy(WIFI));
    await once(device, 'lan');
    device.powerCycle();
    const [{ port }] = (await once(device, 'lan')) as [{ port: number }];
    assert.equal((await command(port, 'info')).error, 0);
  });

  it('forgets its Wi-Fi when its button is held', async () => {
    const { device, client } = await ap();
    client.socket.write(postDiy(WIFI));
    await once(device, 'lan');
    device.holdButton();
    await reaches(device, 'access-point');
  });

  it('gives up with a wrong password, and keeps nothing of it', async () => {
    const { device, client } = await ap({ homeNetwork: { ...WIFI, password: 'another' } });
    client.socket.write(postDiy(WIFI));
    assert.match(await client.answer(), /\{"error":0\}$/);
    await reaches(device, 'not-joined');
    const again = reaches(device, 'access-point');
    device.powerCycle();
    await again;
  });

  const unanswered: [string, string, Partial<VirtualDiyOptions>][] = [
    ['a page where the model has no DIY mode', 'GET / HTTP/1.1\r\n\r\n', { fault: 'no-diy-mode', version: '3.5.0' }],
    ['DIY settings where the model has no DIY mode', postDiy(WIFI), { fault: 'no-diy-mode' }],
    ['a page with 3.0.0', 'GET / HTTP/1.1\r\n\r\n', { version: '3.0.0' }],
    ['DIY settings with 3.3.0, which has a jumper', postDiy(WIFI), { version: '3.3.0' }],
    ['DIY settings without a password', postDiy({ ssid: 'home' }), {}],
    ['DIY settings that are no JSON', postDiy('ssid=home'), {}],
    ['an SSID of 32 bytes', postDiy({ ...WIFI, ssid: 'x'.repeat(32) }), {}],
    ['cloud settings without a server', postAp(WIFI), {}],
  ];
  for (const [what, bytes, options] of unanswered) {
    it(`never answers ${what}`, async () => {
      const { device, client } = await ap(options);
      client.socket.write(bytes);
      await logs(device, /access point: no answer/);
      client.socket.write('GET /device HTTP/1.1\r\n\r\n');
      await client.answer();
      assert.equal(client.received.split('HTTP/1.1 200 OK').length, 2, 'one answer, to the second request');
    });
  }

  it('goes into eWeLink mode with the settings of the cloud, and believes no certificate', async () => {
    const { device, client } = await ap({ version: '3.5.0' });
    const lan = once(device, 'lan');
    // Nothing listens there: what counts is that it dials.
    client.socket.write(postAp({ ...WIFI, serverName: '127.0.0.1', port: 1 }));
    const [{ port }] = (await lan) as [{ port: number }];
    await logs(device, /cloud: /);
    assert.equal((await command(port, 'info')).error, 401);
  });

  it('opens none with that fault, and refuses connections with the other one', async () => {
    const none = diySonoff({ startsIn: 'access-point', fault: 'no-access-point' });
    await none.start();
    assert.equal(none.state, 'off');
    const opened: string[] = [];
    const refusing = diySonoff({
      ...{ startsIn: 'access-point', fault: 'access-point-refuses' },
      radio: { openAccessPoint: ({ ssid }) => void opened.push(ssid) },
    });
    await refusing.start();
    await reaches(refusing, 'access-point');
    assert.deepEqual(opened, ['ITEAD-10000a1b2c']);
  });

  it('joins the network of the jumper alone with 3.3.0', async () => {
    const joined: unknown[] = [];
    const radio = {
      joinHome: (network: object) => {
        joined.push(network);
        return '127.0.0.1';
      },
    };
    const device = diySonoff({ version: '3.3.0', startsIn: 'jumper', radio });
    const { lanPort } = await device.start();
    assert.deepEqual(joined, [{ ssid: 'sonoffDiy', password: '20170618sn' }]);
    const lan = once(device, 'lan');
    assert.equal((await command(lanPort, 'wifi', WIFI)).error, 0);
    await lan;
    assert.deepEqual(joined.at(-1), WIFI);
  });

  it('does not join another network with its jumper set', async () => {
    const device = diySonoff({ version: '3.3.0', startsIn: 'jumper', homeNetwork: WIFI });
    await device.start();
    assert.equal(device.state, 'not-joined');
  });

  it('opens each network at its radio', async () => {
    const calls: string[] = [];
    const { device, client } = await ap({
      radio: {
        openAccessPoint: ({ ssid, password, address }) => void calls.push(`open ${ssid} ${password} at ${address}`),
        closeAccessPoint: ({ ssid }) => void calls.push(`close ${ssid}`),
        joinHome: ({ ssid }) => {
          calls.push(`join ${ssid}`);
          return '127.0.0.1';
        },
        leaveHome: () => void calls.push('leave'),
      },
    });
    client.socket.write(postDiy(WIFI));
    await once(device, 'lan');
    await device.stop();
    assert.deepEqual(calls, [
      'open ITEAD-10000a1b2c 12345678 at 127.0.0.1',
      'close ITEAD-10000a1b2c',
      'join home',
      'leave',
    ]);
  });

  it('rejects where a port is taken', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    try {
      await assert.rejects(diySonoff({ startsIn: 'access-point', apPort: port }).start(), { code: 'EADDRINUSE' });
      await assert.rejects(diySonoff({ lanPort: port }).start(), { code: 'EADDRINUSE' });
    } finally {
      holder.close();
    }
  });

  it('writes no secret to its log', async () => {
    const { device, client } = await ap({ apikey: 'factory-key-factory-key-factory-key-' });
    const lan = once(device, 'lan');
    client.socket.write(postDiy(WIFI));
    const [{ port }] = (await lan) as [{ port: number }];
    await exchange(port, request('wifi', { data: WIFI }));
    await device.stop();
    const text = device.log.join('\n');
    assert.ok(!text.includes(WIFI.password) && !text.includes('factory-key'), text);
  });
});
