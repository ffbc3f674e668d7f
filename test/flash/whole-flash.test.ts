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
    it(`flashes it (${title})`, async function () {
      this.timeout(30_000);
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

  it('upgrades two devices at once, then takes them one after another through FinalStage', async function () {
    this.timeout(30_000);
    const bench = await openBench();
    const one = await bench.device({ deviceid: '1000000001', fault: 'finalstage-blocked' });
    const other = await bench.device({ deviceid: '1000000002', transport: 'no-range', fault: 'finalstage-blocked' });
    const jobs = await Promise.all([bench.upgraded(one), bench.upgraded(other)]);
    assert.deepEqual(
      jobs.map(({ job, found }) => [job.deviceid, found['transport']]),
      [
        ['1000000001', 'range'],
        ['1000000002', 'no-range'],
      ],
    );
    const [first, second] = [one, other].map(({ deviceid, finalStageUrl }) =>
      bench.begin('finalstage', { deviceid, url: finalStageUrl }),
    ) as [Begun, Begun];
    assert.equal(first.recorder.queue.at(-1), 1);
    assert.match((await first.recorder.reported(({ state }) => state === 'waiting')).text, /2 devices wait/);
    one.behave({ finalStageDials: true });
    one.behave({ finalStageDials: true });
    assert.equal((await first.outcome).job.deviceid, '1000000001');
    other.behave({ finalStageDials: true });
    assert.equal((await second.outcome).job.deviceid, '1000000002');
    for (const { result } of await Promise.all([one.ended, other.ended])) assert.equal(result, 'flashed');
  });
});
