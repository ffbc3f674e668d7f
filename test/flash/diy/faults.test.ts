import assert from 'node:assert/strict';
import { once } from 'node:events';
import { sentencesOf, type ErrorCode } from '../../../lib/errors';
import type { ProgressTextName } from '../../../lib/progress-texts';
import { setUpTasmota, type TasmotaSetUp } from '../../../lib/tasmota/set-up';
import { PATIENCE, type Patience } from '../../../lib/flash/verdict/patience';
import type { Waits } from '../../../lib/flash/stage/waits';
import { makeFinalImage } from '../../../lib/image';
import { DIY_FAULTS } from '../../../lib/virtual/diy/faults';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import type { NewFirmwarePage } from '../../../lib/virtual/device/virtual-device';
import { LOOPBACK } from '../../net/mdns/announcer';
import { freePort } from '../../shared/ports';
import { closeBenches, HOME, openBench, type Begun, type StageOptions } from '../bench';
import { assertCode } from '../refusals';

const ID = '10000a1b2c';
/** Faults that show by an absence alone: there the wait is short, and nowhere else, so that a busy machine misses none. */
const STALLED = { lanStalledMs: 500 };
const WAITS_OF: Readonly<Record<string, Partial<Waits>>> = {
  'no-diy-mode': { apPageMs: 300 },
  'unlock-hangs': { lanUnlockMs: 300 },
  'connection-lost-always': STALLED,
  'wifi-lost': STALLED,
  'reboot-mid-way': STALLED,
  'dead-mid-way': STALLED,
  'stall-mid-way': STALLED,
};
const PATIENCE_OF: Readonly<Record<string, Partial<Patience>>> = {
  'access-point-refuses': { apSilentMs: 300 },
  'download-blocked': { noRequestMs: 300 },
};
const FIRMWARE = { final: makeFinalImage({ size: 24_576, text: 'Theo Arends' }) };

/** Where a fault shows, and as what; or with which proof the device is flashed all the same, and the verdict. */
type End =
  | { readonly in: 'provision' | 'diy' | 'newfirmware' | 'tasmota'; readonly code: ErrorCode }
  | { readonly proof: 'reported' | 'gone'; readonly says?: ProgressTextName };

const inDiy = (code: ErrorCode): End => ({ in: 'diy', code });

const ENDS: Readonly<Record<string, End>> = {
  'no-access-point': { in: 'provision', code: 'ap-unreachable' },
  'access-point-refuses': { in: 'provision', code: 'ap-silent' },
  'no-diy-mode': { in: 'provision', code: 'diy-mode-missing' },
  'wrong-wifi-password': inDiy('diy-not-found'),
  'ewelink-mode': inDiy('diy-encrypted'),
  'mdns-silent': inDiy('diy-not-found'),
  'weak-signal': { proof: 'reported', says: 'diy-weak-signal' },
  'unlock-hangs': inDiy('diy-unlock-silent'),
  'unlock-500': inDiy('diy-unlock-refused'),
  'unlock-503': inDiy('diy-unlock-offline'),
  'unlock-local': inDiy('diy-unlock-offline'),
  'unlock-lies': inDiy('diy-locked'),
  'flash-400': inDiy('diy-refused'),
  'flash-403': inDiy('diy-locked'),
  'flash-404': inDiy('diy-other-device'),
  'flash-408': inDiy('diy-download-timeout'),
  'flash-413': inDiy('diy-image-refused'),
  'flash-422': inDiy('diy-refused'),
  'flash-424': inDiy('diy-download-impossible'),
  'flash-500': inDiy('diy-refused'),
  'flash-503': inDiy('diy-refused'),
  'flash-471': inDiy('diy-digest-differs'),
  'reply-before-range': { proof: 'reported' },
  'reply-after-last-range': { proof: 'reported' },
  'reply-never': { proof: 'reported' },
  'result-never': { proof: 'gone' },
  'result-404': inDiy('download-failed'),
  'result-406': inDiy('diy-message-refused'),
  'result-409': inDiy('diy-digest-differs'),
  'result-410': inDiy('diy-device-fault'),
  'request-line-broken': { proof: 'reported' },
  'download-blocked': inDiy('download-blocked'),
  'connection-lost': { proof: 'reported' },
  'connection-lost-always': inDiy('download-failed'),
  'wifi-lost': inDiy('diy-download-broken'),
  'reboot-mid-way': { proof: 'reported', says: 'diy-again' },
  'dead-mid-way': inDiy('diy-download-broken'),
  'stall-mid-way': inDiy('diy-download-broken'),
  'new-firmware-silent': { in: 'newfirmware', code: 'new-firmware-silent' },
  'tasmota-wifi-wrong': { in: 'tasmota', code: 'tasmota-wifi-failed' },
  'tasmota-mqtt-down': { in: 'tasmota', code: 'tasmota-mqtt-failed' },
};
/** These show only to a flash that starts at the access point. */
const FROM_ACCESS_POINT = ['no-access-point', 'access-point-refuses', 'no-diy-mode', 'wrong-wifi-password'];

describe('flash/stage/diy: each fault of the virtual device', () => {
  const devices: VirtualDiySonoff[] = [];
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.stop()));
    await closeBenches();
  });

  /** A device with a fault, and a host with the stages of its flash. */
  async function setUp(fault: string, options: Partial<VirtualDiyOptions>) {
    const bench = await openBench({}, { lanLookMs: 20, ...WAITS_OF[fault] });
    bench.around.patience = { ...PATIENCE, ...PATIENCE_OF[fault] };
    const [mdnsPort, apPort, newPort, homePort] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
    assert.ok(mdnsPort && apPort && newPort && homePort);
    const device = new VirtualDiySonoff({
      ...{ apAddress: '127.0.0.1', apPort, lanPort: 0, mdns: { port: mdnsPort }, speed: 100, deviceid: ID, fault },
      ...{ homeNetwork: HOME, newFirmware: { apAddress: '127.0.0.1', apPort: newPort, homePort }, ...options },
    });
    devices.push(device);
    const { lanPort } = await device.start();
    const discovery = { interfaces: () => [LOOPBACK], mdnsPort };
    const at = {
      ap: `http://127.0.0.1:${apPort}`,
      new: `http://127.0.0.1:${newPort}`,
      lan: `http://127.0.0.1:${lanPort}`,
    };
    const home = `http://127.0.0.1:${homePort}`;
    // Where it refuses connections, this machine is in its network.
    if (fault === 'access-point-refuses') bench.around.ownAddresses = () => [{ name: 'wlan0', address: '10.10.7.2' }];
    return {
      ...{ bench, device },
      provision: () => bench.begin('provision', { ...HOME, url: at.ap }),
      diy: (how: StageOptions) => bench.begin('diy', { deviceid: ID, sources: FIRMWARE, discovery, ...how }),
      newFirmware: () => bench.begin('newfirmware', { deviceid: ID, url: at.new }),
      tasmota: async (): Promise<TasmotaSetUp> => {
        const page =
          device.state === 'new-access-point' ? undefined : (once(device, 'page') as Promise<[NewFirmwarePage]>);
        await page;
        const mqtt = { host: '127.0.0.1', port: await freePort(), user: undefined, password: undefined };
        const settings = {
          ...HOME,
          mqtt,
          topic: undefined,
          name: undefined,
          template: undefined,
          webPassword: undefined,
        };
        const known = { mac: undefined, model: undefined, ip: undefined };
        const limits = { timeoutSeconds: 600, mqttLimitMs: 300, lookPauseMs: 50, backAfterMs: 100 };
        return await setUpTasmota(
          bench.host,
          { device: known, settings, apUrl: at.new, homeUrl: home, ...limits, report: () => undefined },
          new AbortController().signal,
        );
      },
      /** Where a device in DIY mode is looked for; without an address by its announcement. */
      address: fault === 'mdns-silent' ? {} : { url: at.lan },
    };
  }

  /** A stage that a fault ends, sooner or later. */
  async function endsWith(stage: Begun, code: ErrorCode): Promise<void> {
    await stage.overAs(code);
    const { values } = await assertCode(stage.outcome, code);
    assert.match(sentencesOf(code, values).remedy, /^[A-Z].+\.$/s, 'what to do');
    const job = await stage.job();
    assert.deepEqual([job.error, job.snapshot().verdict?.code], [code, code]);
  }

  it('is in the table', () => {
    assert.deepEqual(Object.keys(ENDS).sort(), DIY_FAULTS.map(({ name }) => name).sort());
  });

  for (const [fault, end] of Object.entries(ENDS)) {
    const isBegun = FROM_ACCESS_POINT.includes(fault);
    it(`${fault}: ${'code' in end ? `ends with ${end.code}` : `is flashed, ${end.proof}`}`, async () => {
      const flash = await setUp(fault, { startsIn: isBegun ? 'access-point' : 'diy' });
      if (isBegun) {
        const stage = flash.provision();
        if ('code' in end && end.in === 'provision') return await endsWith(stage, end.code);
        await stage.outcome;
      }
      const diy = flash.diy(isBegun ? {} : flash.address);
      if ('code' in end && end.in === 'diy') return await endsWith(diy, end.code);
      const { found } = await diy.outcome;
      if (!('code' in end)) {
        assert.equal(found['proof'], end.proof);
        if (end.says) assert.ok(diy.said.some(({ name }) => name === end.says));
        return;
      }
      if (end.in === 'newfirmware') return await endsWith(flash.newFirmware(), end.code);
      await assertCode(flash.tasmota(), end.code);
    });
  }
});
