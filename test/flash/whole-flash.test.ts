import assert from 'node:assert/strict';
import type { Transport } from '../../lib/virtual/virtual-sonoff';
import { closeBenches, FIRMWARE, HOME, openBench, type Bench, type Begun } from './bench';

const SECTOR = 4096;

/** Every stage's reports together: the job's percent over the whole flash. */
function percents(bench: Bench): number[] {
  return [...bench.recorders.values()].flatMap(({ reports }) => reports.map(({ report }) => report.percent));
}

describe('flash: a device from its access point to the final image', () => {
  afterEach(closeBenches);

  const cases: { transport: Transport; slot: 1 | 2; queries: boolean }[] = [
    { transport: 'range', slot: 1, queries: true },
    { transport: 'range', slot: 2, queries: false },
    { transport: 'no-range', slot: 1, queries: true },
    { transport: 'plain', slot: 2, queries: true },
  ];
  for (const { transport, slot, queries } of cases) {
    const title = `${transport}, stock in user${slot}${queries ? '' : ', never asks for its timers'}`;
    it(`flashes it (${title})`, async () => {
      const bench = await openBench();
      const behaviours = { sendsQuery: queries };
      const device = await bench.factoryDevice({ transport, slot, behaviours, homeNetwork: HOME });
      const { apPort } = await device.start();
      const apUrl = `http://127.0.0.1:${apPort}`;

      const provisioned = await bench.begin('provision', { ...HOME, url: apUrl }).outcome;
      const { deviceid } = device;
      assert.equal(provisioned.job.deviceid, deviceid);
      assert.equal(provisioned.job.percent, 10);
      assert.equal(provisioned.found['answer'], 'accepted');

      const ready = await bench.begin('cloud', { deviceid }).outcome;
      assert.equal(ready.found['via'], transport === 'plain' ? 'plain' : 'tls');
      assert.equal(ready.job.percent, 20);
      assert.equal(ready.job.ip, '127.0.0.1');

      const upgraded = await bench.begin('upgrade', { deviceid }).outcome;
      const image = slot === 1 ? 'user2' : 'user1';
      assert.equal(upgraded.found['image'], image);
      assert.equal(upgraded.found['sessions'], 1);
      assert.equal(upgraded.job.percent, 60);
      const isRanged = transport === 'range';
      assert.equal(upgraded.found['requests'], isRanged ? Math.ceil(FIRMWARE[image].length / SECTOR) : 1);
      assert.ok(
        device.log.some((line) => / on 1 connection/.test(line)),
        device.log.join('\n'),
      );

      let isOver = false;
      const watch = bench.begin('finalstage', { deviceid, url: device.finalStageUrl });
      void watch.outcome.then(() => (isOver = true));
      const flashed = await device.ended;
      assert.equal(isOver, false, 'the result came before FinalStage was gone');
      assert.equal(flashed.result, 'flashed', flashed.log.join('\n'));
      assert.ok(Buffer.from(device.flash.subarray(0, FIRMWARE.final.length)).equals(FIRMWARE.final));
      const { found, job } = await watch.outcome;
      assert.equal(found['cycles'], slot);
      assert.equal(job.stage, 'done');
      assert.equal(job.percent, 100);

      const said = percents(bench);
      assert.deepEqual(
        said,
        [...said].sort((a, b) => a - b),
        'the percent fell',
      );
      assert.equal(said.filter((percent) => percent === 100).length, 1);
      const text = JSON.stringify([flashed.log, [...bench.recorders.values()].map(({ reports }) => reports)]);
      assert.ok(!text.includes(HOME.password));
    });
  }

  it('upgrades a second device only when the first is through FinalStage', async () => {
    const bench = await openBench();
    const one = await bench.device({ deviceid: '1000000001' });
    const other = await bench.device({ deviceid: '1000000002', transport: 'no-range' });
    const { job, found } = await bench.upgraded(one);
    assert.deepEqual([job.deviceid, found['transport']], ['1000000001', 'range']);
    const second = bench.upgraded(other);
    const { text } = await bench.recorder('upgrade').reported(({ name }) => name === 'wait-for-turn');
    assert.match(text, /1000000002 waits until 1000000001/);
    const first = bench.begin('finalstage', { deviceid: one.deviceid, url: one.finalStageUrl });
    await first.outcome;
    assert.equal((await one.ended).result, 'flashed');
    assert.equal((await second).found['transport'], 'no-range');
    await bench.begin('finalstage', { deviceid: other.deviceid, url: other.finalStageUrl }).outcome;
    assert.equal((await other.ended).result, 'flashed');
  });

  it('lets the next device have its upgrade when the one before fails or is cancelled in FinalStage', async () => {
    const bench = await openBench();
    const one = await bench.device({ deviceid: '1000000001', fault: 'finalstage-blocked' });
    const other = await bench.device({ deviceid: '1000000002' });
    await bench.upgraded(one);
    const second = bench.upgraded(other);
    await bench.recorder('upgrade').reported(({ name }) => name === 'wait-for-turn');
    const first = bench.begin('finalstage', { deviceid: one.deviceid, url: one.finalStageUrl });
    await first.recorder.reported(({ state }) => state === 'waiting');
    bench.host.runs.cancel('finalstage', one.deviceid);
    await assert.rejects(first.outcome, { code: 'cancelled' });
    assert.equal((await second).job.deviceid, '1000000002');
  });

  it('serves, of two devices that were resumed in FinalStage, the one that has waited longer', async () => {
    const bench = await openBench();
    const [first, second] = ['1000000001', '1000000002'].map((deviceid) =>
      bench.begin('finalstage', { deviceid, url: 'http://127.0.0.1:1', sources: FIRMWARE }),
    ) as [Begun, Begun];
    await first.recorder.reported(({ state }) => state === 'waiting');
    assert.equal(first.recorder.queue.at(-1), 1);
    bench.host.runs.cancel('finalstage', '1000000001');
    await assert.rejects(first.outcome, { code: 'cancelled' });
    await second.recorder.reported(() => bench.host.jobs.awaitingFinalStage()[0]?.deviceid === '1000000002');
    bench.host.runs.cancel('finalstage');
    await assert.rejects(second.outcome, { code: 'cancelled' });
  });
});
