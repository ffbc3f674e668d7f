import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FlashHost } from '../../lib/flash/host/host';
import { checkClock } from '../../lib/preflight/clock';
import { checkFirmware, checkFirmwareForAny, checkFirmwareForDiy } from '../../lib/preflight/firmware';
import { DIY_LIMIT, makeFinalImage } from '../../lib/image';
import { checkRadio } from '../../lib/preflight/radio';
import { checkSelf } from '../../lib/preflight/self';
import { checkTls } from '../../lib/preflight/tls';
import { checkUnlockPorts } from '../../lib/preflight/unlock-ports';
import { checkWifi } from '../../lib/preflight/wifi';
import { FlashError } from '../../lib/errors';
import type { WifiChoice } from '../../lib/net/wifi/choose';
import { freePort, occupy } from '../shared/ports';
import { closeBenches, FIRMWARE, openBench } from '../flash/bench';
import { quoted, wording } from '../../lib/wordings/wording';

const never = new AbortController().signal;
/** Made up, for a virtual Sonoff. */
const REHEARSAL = { user1: 'rehearsal:user1', user2: 'rehearsal:user2', final: 'rehearsal:final' };
const NOWHERE = { addresses: [], contained: false, now: new Date() };

describe('preflight: what single checks say', () => {
  afterEach(closeBenches);

  /** A host as a check sees it. */
  const host = (more: object): FlashHost => more as FlashHost;

  it('does not dial an address at which this machine is not just now', async () => {
    const away = host({
      ...{ address: '192.168.1.5', isListening: true, isAddressRemembered: true },
      jobs: { awaitingFinalStage: () => [] },
    });
    const [only, ...others] = await checkSelf(away, NOWHERE, never);
    assert.deepEqual(others, []);
    assert.deepEqual([only?.ok, only?.code], ['warn', 'self-unreachable']);
    assert.match(only?.text ?? '', /not at 192\.168\.1\.5 at the moment/);
    assert.match(only?.remedy ?? '', /back on the home network/);
  });

  it('dials nothing while it does not listen, or knows no address', async () => {
    assert.deepEqual(await checkSelf(host({ address: undefined, isListening: true }), NOWHERE, never), []);
    assert.deepEqual(await checkSelf(host({ address: '127.0.0.1', isListening: false }), NOWHERE, never), []);
  });

  it('finds that something else answers under its address', async () => {
    const { host: real } = await openBench();
    const offer = real.probes.offer.bind(real.probes);
    real.probes.offer = () => ({ ...offer(), sha256: '0'.repeat(64) });
    const [fetched] = await checkSelf(real, NOWHERE, never);
    assert.deepEqual([fetched?.ok, fetched?.code], [false, 'self-unreachable']);
    assert.match(fetched?.text ?? '', /what came is not what was sent/);
  });

  it('says of both ports at which it unlocks devices whether they can be opened, and by whom they are held', async () => {
    const unlockPorts = { http: await freePort(), dns: await freePort() };
    const at = host({ address: '127.0.0.1', bind: '0.0.0.0', unlockPorts });
    const free = await checkUnlockPorts(at);
    assert.deepEqual(
      free.map(({ check, ok, text }) => [check, ok, text]),
      [
        ['port', true, `Port ${unlockPorts.http} is free for unlocking devices.`],
        ['port', true, `Port ${unlockPorts.dns} is free for leading devices here to be unlocked.`],
      ],
    );
    const holder = await occupy(unlockPorts.http);
    const socket = createSocket('udp4').bind({ port: unlockPorts.dns, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    const held = await checkUnlockPorts(at);
    socket.close();
    await holder.release();
    assert.deepEqual(
      held.map(({ ok, code }) => [ok, code]),
      [
        ['warn', 'diy-unlock-port'],
        ['warn', 'diy-unlock-port'],
      ],
    );
    for (const { text } of held) assert.match(text, /on 127\.0\.0\.1,.*Node-RED itself holds it/);
    assert.match(held[0]?.remedy ?? '', /CAP_NET_BIND_SERVICE/);
    assert.match(held[1]?.remedy ?? '', /Have the router answer/);
  });

  it('warns of a final image that a device in DIY mode would not be given, and says why', async () => {
    const { host: real } = await openBench();
    const large = makeFinalImage({ size: DIY_LIMIT + 16 });
    const warned = await checkFirmware(real, { ...FIRMWARE, final: large }, never);
    assert.deepEqual([warned.ok, warned.code], ['warn', 'image-too-large']);
    assert.match(warned.text, /DIY mode.*at most 520192 fit/);
    const fits = await checkFirmware(real, { ...FIRMWARE, final: makeFinalImage({ size: DIY_LIMIT }) }, never);
    assert.equal(fits.ok, true, fits.text);
  });

  it('examines for a flash in DIY mode the final image alone, with what fits there', async () => {
    const { host: real } = await openBench();
    const of = (size: number): ReturnType<typeof checkFirmwareForDiy> =>
      checkFirmwareForDiy(real, { final: makeFinalImage({ size }) }, never);
    const results = [
      await of(24_576),
      await of(508_000),
      await of(508_016),
      await of(DIY_LIMIT),
      await of(DIY_LIMIT + 16),
    ];
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, 'warn', 'warn', false],
    );
    assert.match(results[0]?.text ?? '', /DIY mode: final with 24576 bytes/);
    const dio = { final: makeFinalImage({ size: 24_576, flashMode: 'DIO' as const }) };
    assert.equal((await checkFirmwareForDiy(real, dio, never)).code, 'image-wrong-flash-mode');
  });

  it('warns of a pair that cannot be fetched where the device may be flashed in DIY mode', async () => {
    const { host: real } = await openBench();
    const away = `http://127.0.0.1:${await freePort()}/image.bin`;
    for (const pair of [{ user1: away }, { user2: away }]) {
      const warned = await checkFirmwareForAny(real, { ...FIRMWARE, ...pair }, never);
      assert.deepEqual([warned.ok, warned.code], ['warn', 'fetch-failed']);
      assert.match(
        warned.text,
        /^A device with firmware 1\.x or 2\.0 .*could not be fetched from http:\/\/127\.0\.0\.1/,
      );
      assert.match(warned.remedy, /^A device in DIY mode does not need this image\./);
      assert.equal((await checkFirmware(real, { ...FIRMWARE, ...pair }, never)).ok, false);
    }
    assert.equal((await checkFirmwareForAny(real, FIRMWARE, never)).ok, true);
  });

  it('refuses a firmware without which no method is left', async () => {
    const { host: real } = await openBench();
    const away = `http://127.0.0.1:${await freePort()}/image.bin`;
    const large = makeFinalImage({ size: DIY_LIMIT + 16 });
    for (const [what, firmware, code] of [
      ['a final image that cannot be fetched', { final: away }, 'fetch-failed'],
      ['none', { final: '' }, 'firmware-missing'],
      ['one too large for DIY mode, without a pair', { user1: away, final: large }, 'fetch-failed'],
      ['a pair that is wrong', { user1: FIRMWARE.final }, 'image-invalid'],
    ] as const) {
      const refused = await checkFirmwareForAny(real, { ...FIRMWARE, ...firmware }, never);
      assert.deepEqual([refused.ok, refused.code], [false, code], what);
    }
  });

  it('asks no second time for a final image that does not come', async () => {
    const { host: real } = await openBench();
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.writeHead(500).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const final = `http://127.0.0.1:${(server.address() as AddressInfo).port}/final.bin`;
    const requestsOf = async (check: typeof checkFirmware): Promise<number> => {
      requests = 0;
      assert.equal((await check(real, { ...FIRMWARE, final }, never)).code, 'fetch-failed');
      return requests;
    };
    try {
      const usual = await requestsOf(checkFirmware);
      assert.ok(usual > 0);
      assert.equal(await requestsOf(checkFirmwareForAny), usual);
    } finally {
      server.close();
    }
  });

  it('warns of a firmware that no real device is given', async () => {
    const { host: real } = await openBench();
    const at = (address: string | undefined): FlashHost => host({ address, library: real.library });
    const warned = await checkFirmware(at('192.168.1.5'), REHEARSAL, never);
    assert.deepEqual([warned.ok, warned.code], ['warn', 'rehearsal-only']);
    assert.match(warned.remedy, /Choose a real final image/);
    for (const address of ['127.0.0.1', undefined]) {
      assert.equal((await checkFirmware(at(address), REHEARSAL, never)).ok, true, address);
    }
  });

  it('throws only where it is cancelled', async () => {
    const { host: real } = await openBench();
    const missing = { ...FIRMWARE, final: '/no/such/file.bin' };
    assert.equal((await checkFirmware(real, missing, never)).code, 'image-unreadable');
    await assert.rejects(checkFirmware(real, missing, AbortSignal.abort()));
  });

  it('shows what joins the networks of a device, and why the better options were ruled out', async () => {
    const joining = async (choice: () => Promise<WifiChoice>): Promise<[unknown, string]> => {
      const { ok, text } = await checkRadio(host({ bind: '0.0.0.0', radio: { choice } }), NOWHERE, never);
      return [ok, text];
    };
    const error = new FlashError('wifi-service-away', { reason: wording('networkmanager-stopped') });
    const refusals = [{ driver: 'networkmanager', error }] as const;
    const byHand = await joining(async () => ({ driver: 'manual', interfaceName: '', refusals }));
    assert.equal(byHand[0], true);
    assert.match(byHand[1], /^A person joins .*NetworkManager does not run/);
    const [, text] = await joining(async () => ({ driver: 'networkmanager', interfaceName: 'wlan0', refusals: [] }));
    assert.match(text, /^NetworkManager joins .* with wlan0\.$/);
    const failed = await joining(() => Promise.reject(error));
    assert.equal(failed[0], false);
  });

  it('finds a Node.js that does not speak as the devices do, a clock that was never set, a Wi-Fi that is not known', async () => {
    const refusal = new FlashError('tls-refused', { peer: 'this machine itself', reason: quoted('x') });
    assert.equal((await checkTls({ testTls: () => Promise.resolve(refusal) })).ok, false);
    assert.equal((await checkTls({ testTls: () => Promise.resolve(undefined) })).ok, true);
    assert.deepEqual(
      ['2023-12-31', '2024-01-01'].map((day) => checkClock(new Date(`${day}T12:00:00Z`)).ok),
      ['warn', true],
    );
    assert.match(checkClock(new Date('1970-01-02T00:00:00Z')).text, /1970-01-02/);
    const wifi = (ssid: boolean, password: boolean): string => checkWifi({ ssid, password }).text;
    assert.match(wifi(false, false), /name and password/i);
    assert.match(wifi(true, false), /^The password/);
    assert.match(wifi(false, true), /^The name/);
    assert.equal(checkWifi({ ssid: true, password: true }).ok, true);
  });
});
