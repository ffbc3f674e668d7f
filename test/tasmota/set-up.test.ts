import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { mock } from 'node:test';
import { FlashError } from '../../lib/errors';
import { FlashHost } from '../../lib/flash/host/host';
import { setUpTasmota, type TasmotaSetUp } from '../../lib/tasmota/set-up';
import type { SetUpOptions } from '../../lib/tasmota/set-up-options';
import type { TasmotaSettings } from '../../lib/tasmota/settings';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { booted, imageWith, pageOf, TASMOTA } from '../virtual/booted';
import { closeAll, opened } from '../virtual/lab';
import { freePort } from '../shared/ports';
import { ON_LOOPBACK } from '../flash/bench';
import { wording } from '../../lib/wordings/wording';

const HOME = { ssid: 'home', password: 'top secret' };
/** A backlog would be cut at one of its signs, and swallow what follows at the other. */
const ODD = { ssid: 'home', password: 'top; {secret' };
const NOTHING: TasmotaSettings = {
  ...HOME,
  mqtt: undefined,
  topic: undefined,
  name: undefined,
  template: undefined,
  webPassword: undefined,
};

interface Bench {
  readonly device: VirtualSonoff;
  readonly apUrl: string;
  readonly homeUrl: string;
  readonly said: string[];
  readonly setUp: (
    wishes?: Partial<TasmotaSettings>,
    options?: Partial<SetUpOptions>,
    signal?: AbortSignal,
  ) => Promise<TasmotaSetUp>;
}

/** A Tasmota in its access point, fifty times as fast as a real one, and a host that sets it up. */
async function bench(more: Partial<VirtualSonoffOptions> = {}, image = TASMOTA): Promise<Bench> {
  const homePort = await freePort();
  const device = await booted(image, {
    speed: 50,
    ...more,
    newFirmware: { apAddress: '127.0.0.1', apPort: 0, homePort },
  });
  const apUrl =
    more.fault === 'new-firmware-silent' ? `http://127.0.0.1:${await freePort()}` : await pageOf(device, 'ap');
  const homeUrl = `http://127.0.0.1:${homePort}`;
  const host = new FlashHost({ ...ON_LOOPBACK, address: '' }, undefined);
  opened({ close: () => host.close() });
  const said: string[] = [];
  return {
    device,
    apUrl,
    homeUrl,
    said,
    setUp: (wishes = {}, options = {}, signal = new AbortController().signal) =>
      setUpTasmota(
        host,
        {
          device: { mac: undefined, model: 'PSC-B01-GL', ip: undefined },
          settings: { ...NOTHING, ...wishes },
          apUrl,
          homeUrl,
          // No test comes to it.
          timeoutSeconds: 600,
          lookPauseMs: 50,
          report: (name) => void (said.at(-1) === name || said.push(name)),
          ...options,
        },
        signal,
      ),
  };
}

async function refusal(work: Promise<unknown>): Promise<FlashError> {
  return await work.then(
    () => assert.fail('it was set up'),
    (error: FlashError) => error,
  );
}

/** The error of a set-up whose time is over as soon as it says this. */
async function overAt(
  said: string,
  begin: (options: Pick<SetUpOptions, 'timeoutSeconds' | 'mqttLimitMs' | 'report'>) => Promise<unknown>,
): Promise<FlashError> {
  const timeoutSeconds = 86_400;
  let endTime = (): void => assert.fail('no time limit was set');
  const { setTimeout: real } = globalThis;
  const timers = mock.method(globalThis, 'setTimeout', (act: () => void, ms?: number) => {
    if (ms === timeoutSeconds * 1000) endTime = act;
    return real(act, ms);
  });
  const report = (name: string): void => void (name === said && endTime());
  try {
    return await refusal(begin({ timeoutSeconds, mqttLimitMs: timeoutSeconds * 1000, report }));
  } finally {
    timers.mock.restore();
  }
}

/** An MQTT broker as far as a connection goes. */
async function broker(): Promise<number> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(Uint8Array.of(0x20, 2, 0, 0)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  opened({ close });
  return (server.address() as net.AddressInfo).port;
}

describe('tasmota: setting up a Tasmota', () => {
  afterEach(closeAll);

  it('gives it the Wi-Fi in its access point and all the rest at home, and reads it back', async () => {
    const { setUp, homeUrl, said, device } = await bench({ homeNetwork: ODD, speed: 10 });
    const port = await broker();
    const done = await setUp({
      ...ODD,
      topic: 'washer',
      name: 'Washing machine',
      mqtt: { host: '127.0.0.1', port, user: 'me', password: 'p;{w' },
    });
    assert.deepEqual(
      { ...done, mac: null },
      {
        url: homeUrl,
        address: '127.0.0.1',
        hostname: done.hostname,
        mac: null,
        version: '8.5.0',
        module: { number: 6, name: 'Sonoff Pow' },
        topic: 'washer',
        name: 'Washing machine',
        mqtt: { broker: `127.0.0.1:${port}`, state: 'connected', connects: 1 },
        warnings: [],
      },
    );
    assert.match(done.hostname ?? '', /^washer-\d{4}$/);
    assert.match(done.mac ?? '', /^5C:CF:7F:/);
    const stations = ['tasmota-wifi-sent', 'tasmota-at-home', 'tasmota-settings-sent', 'tasmota-done'];
    assert.deepEqual(
      said.filter((name) => stations.includes(name)),
      stations,
    );
    const headers = { Referer: homeUrl };
    const status = await fetch(`${homeUrl}/cm?cmnd=Status%205`, { headers });
    const { StatusNET } = (await status.json()) as { StatusNET: Record<string, unknown> };
    assert.equal(StatusNET['WifiConfig'], 4, 'its door is closed again');
    assert.ok(!device.log.join('\n').includes('secret'));
  });

  it('sets up a Tasmota that is at home already, and leaves its Wi-Fi alone', async () => {
    const { setUp, device } = await bench();
    await setUp();
    const before = device.log.filter((line) => line.includes('restart: ')).length;
    const done = await setUp({ ssid: undefined, password: undefined, name: 'Lamp', template: 'keep' });
    assert.deepEqual([done.name, done.module.number, done.warnings], ['Lamp', 6, []]);
    assert.equal(device.log.filter((line) => line.includes('restart: ')).length, before + 1);
  });

  it('closes the door that a set-up before it has left open', async () => {
    const { setUp, homeUrl, apUrl } = await bench({ speed: 10 });
    const told = { 'Backlog SSID1': HOME.ssid, Password1: HOME.password, WifiConfig: '2' };
    const line = Object.entries(told).map(([name, value]) => `${name} ${value}`);
    await fetch(`${apUrl}/cm?cmnd=${encodeURIComponent(line.join(';'))}`);
    await setUp({ template: 'keep' }, { isResumed: true });
    const status = await fetch(`${homeUrl}/cm?cmnd=Status%205`, { headers: { Referer: homeUrl } });
    assert.equal(((await status.json()) as { StatusNET: Record<string, unknown> }).StatusNET['WifiConfig'], 4);
  });

  it('sets a web password, and asks with it from then on', async () => {
    const { setUp, homeUrl } = await bench();
    await setUp({ webPassword: 'sesame' });
    const done = await setUp({ webPassword: 'sesame', name: 'Door' });
    assert.equal(done.name, 'Door');
    const error = await refusal(setUp({ webPassword: 'open' }));
    assert.deepEqual([error.code, error.values['url']], ['tasmota-password-wrong', homeUrl]);
  });

  it('knows when the Wi-Fi was wrong: the device is in its access point again', async () => {
    const { setUp } = await bench({ homeNetwork: HOME });
    const error = await refusal(setUp({ password: 'mistyped' }));
    assert.equal(error.code, 'tasmota-wifi-failed');
    assert.match(error.message, /, tasmota-/);
  });

  it('says that the broker was not reached', async () => {
    const { setUp, homeUrl } = await bench({ fault: 'tasmota-mqtt-down' });
    const port = await broker();
    const late = setUp({ mqtt: { host: '127.0.0.1', port } }, { timeoutSeconds: 300, mqttLimitMs: 300 });
    const error = await refusal(late);
    assert.deepEqual([error.code, error.values['url']], ['tasmota-mqtt-failed', homeUrl]);
    assert.equal(error.values['broker'], `127.0.0.1:${port}`);
  });

  it('reports that too where its own time is over first', async () => {
    const { setUp } = await bench({ fault: 'tasmota-mqtt-down' });
    const port = await broker();
    const wishes = { mqtt: { host: '127.0.0.1', port } };
    const error = await overAt('tasmota-mqtt', (options) => setUp(wishes, options));
    assert.deepEqual([error.code, error.values['broker']], ['tasmota-mqtt-failed', `127.0.0.1:${port}`]);
  });

  it('refuses a broker that is the device itself, unless it rehearses on this machine', async () => {
    const { setUp } = await bench();
    const real = { apUrl: 'http://192.168.4.1', homeUrl: 'http://192.168.1.20' };
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.1', '::1', '0.0.0.0']) {
      const error = await refusal(setUp({ mqtt: { host, port: 1883 } }, real));
      assert.equal(error.code, 'tasmota-setting-unusable', host);
      assert.match(error.values.reason?.text ?? '', /is the device itself/);
    }
  });

  it('says that nothing answered, with its time limit', async () => {
    const { setUp, homeUrl } = await bench({ fault: 'new-firmware-silent' });
    const error = await refusal(setUp({}, { timeoutSeconds: 0.5 }));
    assert.deepEqual([error.code, error.values], ['tasmota-unreachable', { url: homeUrl, seconds: 0.5 }]);
  });

  it('says that it took everything and was not found at home', async () => {
    const { setUp } = await bench();
    const elsewhere = `http://127.0.0.1:${await freePort()}`;
    const error = await overAt('tasmota-wifi-sent', (options) => setUp({}, { ...options, homeUrl: elsewhere }));
    assert.deepEqual([error.code, error.values['where']], ['tasmota-lost', elsewhere]);
  });

  it('leaves the Tasmota of another device alone', async () => {
    const { setUp, device } = await bench();
    const other = { mac: '5C:CF:7F:00:00:01', model: undefined, ip: undefined };
    const cancel = new AbortController();
    let strangers = 0;
    const report = (name: string): void => {
      // It is looked past, and looked for again.
      if (name === 'tasmota-stranger' && ++strangers === 3) cancel.abort(new FlashError('cancelled'));
    };
    assert.equal((await refusal(setUp({}, { device: other, report }, cancel.signal))).code, 'cancelled');
    assert.ok(!device.log.some((line) => /Tasmota: (Backlog|SSID)/.test(line)));
  });

  it('ends as cancelled, and not as refused, where it is cancelled at a command', async () => {
    const { setUp, device } = await bench();
    const cancel = new AbortController();
    const report = (name: string): void => {
      if (name === 'tasmota-at-home') cancel.abort(new FlashError('cancelled'));
    };
    assert.equal((await refusal(setUp({ topic: 'never' }, { report }, cancel.signal))).code, 'cancelled');
    assert.ok(!device.log.some((line) => line.includes('never')));
  });

  it('says what it is that is no Tasmota', async () => {
    const { setUp } = await bench({}, imageWith('_esphomelib'));
    const error = await refusal(setUp());
    assert.deepEqual([error.code, error.values['firmware']], ['tasmota-other-firmware', wording('firmware-esphome')]);
  });

  it('keeps the module where the model does not show it, and reports that', async () => {
    const { setUp } = await bench();
    const device = { mac: undefined, model: 'PSF-B04-GL', ip: undefined };
    const done = await setUp({}, { device });
    assert.equal(done.module.number, 1);
    assert.equal(done.warnings[0]?.code, 'template-unknown');
    assert.match(done.warnings[0].text, /7 \(Sonoff 4CH\).* or 44 \(Sonoff iFan02\)/);
    assert.equal((await setUp({ template: '29' }, { device })).module.number, 29);
    const own = '{"NAME":"Mine","GPIO":[1,1,1,1,1,1,1,1,1,1,1,1,1,1],"FLAG":0,"BASE":18}';
    assert.equal((await setUp({ template: own }, { device })).module.number, 0);
  });

  it('says what the device did not keep', async () => {
    const { setUp } = await bench();
    const error = await refusal(setUp({ template: '99' }));
    assert.equal(error.code, 'tasmota-refused');
    assert.match(error.message, /its module is 1, not 99/);
  });

  const unusable: [string, Partial<TasmotaSettings>, string][] = [
    ['a password of 4 characters', { password: 'abcd' }, 'tasmota-setting-unusable'],
    ['a topic with a space', { topic: 'my lamp' }, 'tasmota-setting-unusable'],
    ['a name that means something else', { name: '1' }, 'tasmota-setting-unusable'],
    ['a name with a space at its end', { name: 'lamp ' }, 'tasmota-setting-unusable'],
    ['a template that is none', { template: 'Basic' }, 'tasmota-setting-unusable'],
    ['no Wi-Fi where one is needed', { ssid: undefined }, 'wifi-credentials-missing'],
  ];
  for (const [what, wishes, code] of unusable) {
    it(`refuses ${what} before it sends anything`, async () => {
      const { setUp, device } = await bench();
      assert.equal((await refusal(setUp(wishes))).code, code);
      assert.ok(!device.log.some((line) => /Tasmota: (Backlog|SSID)/.test(line)));
    });
  }
});
