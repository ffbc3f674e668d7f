import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { partsOfBacklog } from '../../lib/virtual/tasmota/commands';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { booted, imageWith, pageOf, TASMOTA } from './booted';
import { closeAll, opened, reaches } from './lab';

type Json = Record<string, unknown>;
const HOME = { ssid: 'home', password: 'top secret' };

/** One command with the Referer of its own page, as a browser would send it there. */
async function command(url: string, line: string, headers: Record<string, string> = {}): Promise<Json> {
  const response = await fetch(`${url}/cm?cmnd=${encodeURIComponent(line)}`, {
    headers: { Referer: `${url}/`, ...headers },
  });
  return (await response.json()) as Json;
}

const joining = `Backlog SSID1 ${HOME.ssid}; Password1 ${HOME.password}`;

/** A Tasmota that was given its Wi-Fi, and the address of its page at home. */
async function atHome(device: VirtualSonoff): Promise<string> {
  const ap = await pageOf(device, 'ap');
  const home = pageOf(device, 'home');
  assert.deepEqual(await command(ap, joining), {});
  return await home;
}

describe('virtual Sonoff: Tasmota', () => {
  afterEach(closeAll);

  it('boots what the flash holds, reports that once, and keeps running', async () => {
    const device = await booted(TASMOTA);
    const [{ result }] = (await once(device, 'flashed')) as [{ result: string }];
    assert.equal(result, 'flashed');
    const page = await fetch(await pageOf(device, 'ap'));
    assert.match(page.headers.get('server') ?? '', /^Tasmota\/8\.5\.0/);
    assert.match(await page.text(), /Configure WiFi.*Tasmota 8\.5\.0.*by Theo Arends/s);
    await device.stop();
    assert.equal((await device.ended).result, 'flashed');
  });

  it('opens an access point of its own name, and leads every other name to itself', async () => {
    const opened: string[] = [];
    const device = await booted(TASMOTA, {
      radio: {
        openAccessPoint: ({ ssid }) => void opened.push(ssid),
        closeAccessPoint: ({ ssid }) => void opened.push(`-${ssid}`),
      },
    });
    const ap = await pageOf(device, 'ap');
    const name = opened.find((ssid) => ssid.startsWith('tasmota'));
    assert.match(name ?? '', /^tasmota-[0-9A-F]{6}-\d{4}$/);
    const { port } = new URL(ap);
    const elsewhere = await fetch(`http://localhost:${port}/generate_204`, { redirect: 'manual' });
    assert.equal(elsewhere.status, 302);
    const home = pageOf(device, 'home');
    await command(ap, joining);
    await home;
    assert.equal(opened.at(-1), `-${name}`);
  });

  it('answers a Backlog with nothing, works it off, and restarts once when all of it is done', async () => {
    const device = await booted(TASMOTA);
    const ap = await pageOf(device, 'ap');
    assert.deepEqual(await command(ap, 'Status 1').then(bootCount), 1);
    const home = pageOf(device, 'home');
    const line =
      'Backlog WifiConfig 2; SSID1 home; Password1 top secret; Module 8; Topic plug; FriendlyName1 Plug; DeviceName Desk';
    assert.deepEqual(await command(ap, line), {});
    const url = await home;
    const all = (await command(url, 'Status 0')) as Record<string, Json>;
    assert.deepEqual(
      [
        all['Status']?.['Module'],
        all['Status']?.['Topic'],
        all['Status']?.['FriendlyName'],
        all['Status']?.['DeviceName'],
      ],
      [8, 'plug', ['Plug'], 'Desk'],
    );
    assert.deepEqual(bootCount(all), 2);
    assert.equal(all['StatusNET']?.['IPAddress'], '127.0.0.1');
    assert.match(String(all['StatusNET']?.['Hostname']), /^plug-\d{4}$/);
    assert.equal(all['StatusNET']?.['WifiConfig'], 2);
    assert.match(String(all['StatusFWR']?.['Version']), /^8\.5\.0\(/);
    await assert.rejects(fetch(ap), 'its access point is closed');
  });

  it('gives no answer at all to a command without its own Referer, unless SetOption128 is on', async () => {
    const device = await booted(TASMOTA);
    const url = await atHome(device);
    await assert.rejects(fetch(`${url}/cm?cmnd=Status`));
    await assert.rejects(command(url, 'Status', { Referer: 'http://192.168.1.2/' }));
    assert.equal((await fetch(url)).status, 200);
    assert.deepEqual(await command(url, 'SetOption128 1'), { SetOption128: 'ON' });
    assert.equal((await fetch(`${url}/cm?cmnd=Status`)).status, 200);
  });

  it('wants its web password, in the query or as basic authorization', async () => {
    const device = await booted(TASMOTA);
    const url = await atHome(device);
    assert.deepEqual(await command(url, 'WebPassword 1234'), { WebPassword: '1234' });
    assert.deepEqual(await command(url, 'Status'), { WARNING: 'Need user=<username>&password=<password>' });
    const response = await fetch(`${url}/cm?user=admin&password=1234&cmnd=WebPassword`, { headers: { Referer: url } });
    assert.deepEqual(await response.json(), { WebPassword: '****' });
    const Authorization = `Basic ${Buffer.from('admin:1234').toString('base64')}`;
    assert.ok('Status' in (await command(url, 'Status', { Authorization })));
  });

  it('comes back to its access point with a wrong Wi-Fi only where WifiConfig asks for that', async () => {
    const device = await booted(TASMOTA, { homeNetwork: HOME });
    const ap = await pageOf(device, 'ap');
    const again = pageOf(device, 'ap');
    await command(ap, 'Backlog WifiConfig 2; SSID1 home; Password1 mistyped');
    const url = await again;
    assert.deepEqual(bootCount(await command(url, 'Status 1')), 2);
    await command(url, 'Backlog WifiConfig 4; SSID1 home; Password1 mistyped');
    await reaches(device, 'new-not-joined');
    await assert.rejects(fetch(url));
  });

  it('opens its access point immediately where WifiConfig 2 is said at home', async () => {
    const device = await booted(TASMOTA);
    const url = await atHome(device);
    const again = pageOf(device, 'ap');
    await command(url, 'WifiConfig 2');
    await again;
  });

  it('keeps its settings over a power cut, and a restart waits for a backlog that rests', async () => {
    const device = await booted(TASMOTA);
    const ap = await pageOf(device, 'ap');
    await command(ap, 'Backlog Delay 3600; Status');
    await command(ap, 'Topic lamp');
    await command(ap, 'MqttHost broker.lan');
    const again = pageOf(device, 'ap');
    device.powerCycle();
    const url = await again;
    assert.equal(((await command(url, 'Status')) as Record<string, Json>)['Status']?.['Topic'], 'lamp');
    assert.deepEqual(await command(url, 'MqttHost'), { MqttHost: 'broker.lan' });
  });

  it('counts its connections to a broker that lets it in', async () => {
    const seen: Buffer[] = [];
    const broker = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        seen.push(bytes);
        // Refused once (5: not authorized), then let in.
        socket.write(Uint8Array.of(0x20, 2, 0, seen.length === 1 ? 5 : 0));
      });
    });
    broker.listen(0, '127.0.0.1');
    await once(broker, 'listening');
    opened({ close: () => new Promise((resolve) => broker.close(() => resolve())) });
    const device = await booted(TASMOTA);
    const url = await atHome(device);
    const again = pageOf(device, 'home');
    const { port } = broker.address() as net.AddressInfo;
    await command(url, `Backlog MqttHost 127.0.0.1; MqttPort ${port}; MqttUser me; MqttPassword pass`);
    const restarted = await again;
    let count = 0;
    while (count === 0) {
      const { StatusMQT } = (await command(restarted, 'Status 6')) as Record<string, Json>;
      count = Number(StatusMQT?.['MqttCount']);
    }
    assert.equal(count, 1, 'a connection that is refused does not count');
    assert.ok(seen.length >= 2);
    assert.match(seen.at(-1)?.toString('latin1') ?? '', /MQTT.\xc2.*DVES_[0-9A-F]{6}.*me.*pass$/s);
  });

  it('does not know every command, and takes no value that is too short or too long', async () => {
    const device = await booted(TASMOTA);
    const ap = await pageOf(device, 'ap');
    // While a backlog rests, no change restarts it.
    await command(ap, 'Backlog Delay 3600; Status');
    const cases: [string, Json][] = [
      ['Nonsense 1', { Command: 'Unknown' }],
      ['Status 77', { Command: 'Error' }],
      ['Password1 abcd', { Password1: '****' }],
      ['Password1', { Password1: '****' }],
      ['SSID3 x', { Command: 'Error' }],
      ['Topic a b+c', { Topic: 'a_bc' }],
      ['FriendlyName1 1', { FriendlyName1: 'Tasmota' }],
      ['DeviceName "', { DeviceName: '' }],
      ['Module 99', { Module: { 1: 'Sonoff Basic' } }],
      [`DeviceName ${'x'.repeat(520)}`, { WARNING: 'Enter command cmnd=' }],
      ['Template {"NAME":"Mine"}', { Command: 'Error' }],
    ];
    for (const [line, answer] of cases) assert.deepEqual(await command(ap, line), answer, line);
  });

  it('cuts a backlog at its semicolons, but not within braces', () => {
    assert.deepEqual(partsOfBacklog('Topic a; backlog Module 8;;Template {"NAME":"a;b"}; Restart 1'), [
      'Topic a',
      'Module 8',
      'Template {"NAME":"a;b"}',
      'Restart 1',
    ]);
    assert.deepEqual(partsOfBacklog('Password1 a{b; Topic c; Module 8'), ['Password1 a{b; Topic c; Module 8']);
  });

  it('shows itself nowhere with the fault of that name', async () => {
    const device = await booted(TASMOTA, { fault: 'new-firmware-silent' });
    await reaches(device, 'new-silent');
  });

  const others: [string, string, RegExp][] = [
    ['ESPHome', '_esphomelib', /esp-app/],
    ['ESPurna', 'ESPURNA', /ESPurna/],
    ['firmware that nobody knows', 'my own', /It works/],
  ];
  for (const [what, mark, html] of others) {
    it(`shows a page of ${what}`, async () => {
      const device = await booted(imageWith(mark));
      const response = await fetch(await pageOf(device, 'ap'));
      assert.match(await response.text(), html);
    });
  }
});

function bootCount(answer: Json): unknown {
  return (answer['StatusPRM'] as Json | undefined)?.['BootCount'];
}
