import assert from 'node:assert/strict';
import { Crowd, FAULTY, held, heldAgain, livingBytes, type Faulty } from './many';

const HEALTHY = 40;
/** It ends what hangs. FinalStage takes one device at a time, so a busy machine needs its time fifty times. */
const LIMIT_MS = 40 * 60_000;
/** Of a crowd that is gone, nothing is to be left; what Node-RED and the engine learn by it is small. */
const GROWTH_LIMIT_BYTES = 4 * 1024 * 1024;

describe('many devices in one Node-RED', function () {
  this.timeout(LIMIT_MS);
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  before(() => void process.on('warning', warned));
  after(() => void process.off('warning', warned));

  it('flashes 40 healthy ones, names what is wrong with each of 10, and leaves nothing behind', async () => {
    // The first ones pay for what is loaded and compiled once.
    await flash(4, []);
    const before = { held: held(), bytes: await livingBytes() };

    const count = await flash(HEALTHY, FAULTY);
    await heldAgain(before.held);
    const grown = (await livingBytes()) - before.bytes;
    assert.equal(left.filter((one) => one.deref() !== undefined).length, 0, 'hosts and devices are still referred to');
    console.log(`      ${count} devices; ${Math.round(grown / 1024)} kB more than before them`);
    assert.ok(grown < GROWTH_LIMIT_BYTES, `${grown} bytes are still referred to`);
    assert.deepEqual(warnings, []);
  });
});

/** What is to be gone in the end. */
const left: WeakRef<object>[] = [];

/** Flashes a crowd and forgets it. @returns how many devices it had */
async function flash(healthy: number, faulty: readonly Faulty[]): Promise<number> {
  const crowd = await Crowd.open();
  try {
    const idle = held(crowd.host);
    await crowd.start(healthy, faulty);
    left.push(new WeakRef(crowd.host), ...crowd.bed.devices.map((device) => new WeakRef(device)));
    const { entries, done, failed, percent } = await crowd.whenOver();

    const ended = entries.map(({ deviceid, state, error }) => [String(deviceid), String(error ?? state)] as const);
    const expected = new Map<string, string>([
      ...crowd.healthy.map(({ deviceid }) => [deviceid, 'done'] as const),
      ...crowd.faulty.map(({ device, code }) => [device.deviceid, code] as const),
    ]);
    const unexpected = ended.filter(([deviceid, how]) => expected.get(deviceid) !== how);
    assert.deepEqual(unexpected, [], unexpected.map(([deviceid, how]) => crowd.account(deviceid, how)).join('\n\n'));
    assert.equal(ended.length, expected.size);
    assert.deepEqual([done, failed, percent], [healthy, faulty.length, 100]);
    for (const device of crowd.healthy) {
      const { result } = await device.ended;
      assert.equal(result, 'flashed', device.log.join('\n'));
    }
    await Promise.all(crowd.faulty.map(({ device }) => device.stop()));
    await heldAgain(idle, crowd.host);
    return entries.length;
  } finally {
    await crowd.close();
  }
}
