import assert from 'node:assert/strict';
import { Crowd, held, heldAgain, livingBytes } from './many';

const HEALTHY = 40;
/** Of a crowd that is gone, nothing is to be left; what Node-RED and the engine learn by it is small. */
const GROWTH_LIMIT_BYTES = 8 * 1024 * 1024;

describe('many devices in one Node-RED', function () {
  this.timeout(15 * 60_000);
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  before(() => void process.on('warning', warned));
  after(() => void process.off('warning', warned));

  it('flashes 40 healthy ones, names what is wrong with each of 10, and leaves nothing behind', async () => {
    const few = await Crowd.open();
    await few.start(4, []);
    await few.whenOver();
    await few.close();
    const before = { held: held(), bytes: await livingBytes() };

    const crowd = await Crowd.open();
    const idle = held(crowd.host);
    await crowd.start(HEALTHY);
    const { entries, done, failed, percent } = await crowd.whenOver();

    const ended = Object.fromEntries(entries.map(({ deviceid, state, error }) => [deviceid, error ?? state]));
    const expected = Object.fromEntries([
      ...crowd.healthy.map(({ deviceid }) => [deviceid, 'done']),
      ...crowd.faulty.map(({ device, code }) => [device.deviceid, code]),
    ]);
    assert.deepEqual(ended, expected);
    assert.deepEqual([done, failed, percent], [HEALTHY, crowd.faulty.length, 100]);
    for (const device of crowd.healthy) {
      const { result } = await device.ended;
      assert.equal(result, 'flashed', device.log.join('\n'));
    }
    await Promise.all(crowd.faulty.map(({ device }) => device.stop()));
    await heldAgain(idle, crowd.host);

    await crowd.close();
    await heldAgain(before.held);
    const grown = (await livingBytes()) - before.bytes;
    console.log(`      ${entries.length} devices; ${Math.round(grown / 1024)} kB more than before them`);
    assert.ok(grown < GROWTH_LIMIT_BYTES, `${grown} bytes are still referred to`);
    assert.deepEqual(warnings, []);
  });
});
