import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeFinalImage } from '../../lib/image';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { closeBenches, FIRMWARE, openBench } from './bench';
import { assertCode } from './refusals';

const DEVICE = '1000a1b2c3';

describe('flash: how it is known that a device has its firmware', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);
  afterEach(closeBenches);

  for (const [how, waits, code] of [
    ['delivered', { goneMs: 0, unconfirmedMs: 3_600_000 }, undefined],
    ['acknowledged', { goneMs: 3_600_000, unconfirmedMs: 0 }, 'finalstage-unconfirmed'],
  ] as const) {
    it(`ends the stage with ${code ?? 'success'} where it is gone after its image was ${how}`, async () => {
      const bench = await openBench({}, waits);
      const url = `http://127.0.0.1:${await freePort()}`;
      const stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE, timeoutSeconds: 3600 });
      await stage.recorder.reported(({ state }) => state === 'waiting');
      const job = bench.host.jobs.openJob(DEVICE);
      const delivery = job?.finalStage?.requested('final', FIRMWARE.final.length);
      delivery?.sent(FIRMWARE.final.length);
      delivery?.ended(how);
      if (code === undefined) assert.equal((await stage.outcome).job.stage, 'done');
      else await assertCode(stage.outcome, code);
    });
  }

  describe('that has gone from FinalStage', () => {
    /** A flash on standing time whose device has just taken its image and gone. */
    async function gone(how: 'delivered' | 'acknowledged') {
      const bench = await openBench();
      const url = `http://127.0.0.1:${await freePort()}`;
      timeStands(['setTimeout', 'setInterval', 'Date'], 1_800_000_000_000);
      const stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE, timeoutSeconds: 3600 });
      const job = await stage.job();
      while (!job.evidence.all.some(({ kind }) => kind === 'finalstage-looked')) await once(job.evidence, 'changed');
      const delivery = job.finalStage?.requested('final', FIRMWARE.final.length);
      delivery?.sent(FIRMWARE.final.length);
      delivery?.ended(how);
      /** How much time passes until the stage is over, in ms. */
      const over = async (): Promise<number> => {
        let passedMs = 0;
        for (; stage.recorder.outcomes.size === 0; passedMs += 500) {
          timePasses(500);
          for (let turn = 0; turn < 30; turn++) await nextTurn();
        }
        return passedMs;
      };
      return { stage, over };
    }

    it('is done three seconds after the last that was seen of it', async () => {
      const { stage, over } = await gone('delivered');
      const ms = await over();
      assert.ok(ms >= 3000 && ms < 10_000, `${ms}`);
      assert.equal((await stage.outcome).job.stage, 'done');
    });

    it('is waited for a minute where it said no goodbye', async () => {
      const { stage, over } = await gone('acknowledged');
      const ms = await over();
      assert.ok(ms >= 60_000 && ms < 90_000, `${ms}`);
      await assertCode(stage.outcome, 'finalstage-unconfirmed');
    });
  });

  describe('whose stage is over', () => {
    const waits = { goneMs: 3_600_000, finalStageFlowsMs: 5000, finalStageLeavesMs: 8000 };

    for (const [what, state, ms] of [
      ['has moved nothing of its image for long', 'flowing', 5000],
      ['has its image, and had time to go', 'delivered', 8000],
    ] as const) {
      it(`at its time limit is waited for until it ${what}`, async () => {
        const bench = await openBench({}, waits);
        const url = `http://127.0.0.1:${await freePort()}`;
        timeStands(['setTimeout', 'setInterval', 'Date'], 1_800_000_000_000);
        const stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE, timeoutSeconds: 1 });
        const job = await stage.job();
        while (!job.evidence.all.some(({ kind }) => kind === 'finalstage-looked')) await once(job.evidence, 'changed');
        const delivery = job.finalStage?.requested('final', FIRMWARE.final.length);
        delivery?.sent(4096);
        if (state === 'delivered') delivery?.ended(state);
        let passedMs = 0;
        for (; stage.recorder.outcomes.size === 0; passedMs += 100) {
          timePasses(100);
          for (let turn = 0; turn < 5; turn++) await nextTurn();
        }
        assert.ok(passedMs >= ms && passedMs < ms + 2000, `${passedMs}`);
      });
    }

    it('by a cancel is left when it has moved nothing of its image for long', async () => {
      const bench = await openBench({}, waits);
      const url = `http://127.0.0.1:${await freePort()}`;
      timeStands(['setTimeout', 'setInterval', 'Date'], 1_800_000_000_000);
      const stage = bench.begin('finalstage', { deviceid: DEVICE, url, sources: FIRMWARE });
      const job = await stage.job();
      while (!job.evidence.all.some(({ kind }) => kind === 'finalstage-looked')) await once(job.evidence, 'changed');
      job.finalStage?.requested('final', FIRMWARE.final.length).sent(4096);
      bench.host.runs.cancel('finalstage');
      let passedMs = 0;
      for (; stage.recorder.outcomes.size === 0; passedMs += 100) {
        timePasses(100);
        for (let turn = 0; turn < 5; turn++) await nextTurn();
      }
      assert.ok(passedMs >= 5000 && passedMs < 7000, `${passedMs}`);
      await assertCode(stage.outcome, 'cancelled');
    });
  });

  it('does not take any page at the address of the device for its new firmware', async () => {
    const bench = await openBench();
    const final = makeFinalImage({ size: 24_576, redundancy: 0.7, text: 'Theo Arends' });
    const sources = { final, intermediate: 'one-hop' } as const;
    const device = await bench.device({ fault: 'silent-after-upgrade' });
    await device.start();
    await bench.begin('cloud', { deviceid: DEVICE }).outcome;
    let isTasmota = false;
    const looked = new EventEmitter();
    const newFirmwareUrl = await servers.serve((_, response) => {
      if (isTasmota) response.setHeader('Server', 'Tasmota/14.1.0 (ESP8266EX)');
      response.end(`<title>${isTasmota ? 'Tasmota - Main Menu' : 'Router'}</title>`);
      looked.emit('looked');
    });
    const stage = bench.begin('upgrade', { deviceid: DEVICE, sources, newFirmwareUrl });
    // It is looked at a second time when the first look is judged.
    for (let looks = 0; looks < 2; looks++) await once(looked, 'looked');
    assert.equal(stage.recorder.outcomes.has(stage.pending.id), false);
    isTasmota = true;
    assert.equal((await stage.outcome).found['intermediate'], 'one-hop');
  });
});
