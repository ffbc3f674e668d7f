import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Reaction, StrictDiyServer } from '../../client/diy/strict-server';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { type Begun, closeBenches, openBench } from '../bench';
import { assertCode } from '../refusals';

const ID = '10000a1b2c';

describe('flash/stage/diy: identify by a click of the relay', () => {
  const servers: StrictDiyServer[] = [];
  afterEach(async () => {
    timeGoesOn();
    await Promise.all(servers.splice(0).map((one) => one.close()));
    await closeBenches();
  });

  interface Clicked {
    readonly stage: Begun;
    /** The commands of the relay, and the other commands between. */
    readonly commands: string[];
    readonly cancel: () => void;
  }

  /** A device that refuses to be unlocked, so that the stage ends there. */
  async function begin(
    relay: 'on' | 'off' | undefined,
    { clicks = true, clickMs = 0, onSwitch }: { clicks?: boolean; clickMs?: number; onSwitch?: () => Reaction } = {},
  ): Promise<Clicked> {
    const commands: string[] = [];
    const server = new StrictDiyServer((command, { data }) => {
      if (command !== 'switch') commands.push(command);
      if (command === 'info') return { error: 0, data: { switch: relay, otaUnlock: false, deviceid: ID } };
      if (command !== 'switch') return { error: 500 };
      commands.push((data as { switch: string }).switch);
      return onSwitch?.() ?? { error: 0 };
    });
    servers.push(server);
    const url = `http://127.0.0.1:${await server.listen()}`;
    const bench = await openBench({}, { clickMs });
    const stage = bench.begin('diy', { url, deviceid: ID, clicks });
    return { stage, commands, cancel: () => bench.host.runs.cancel('diy') };
  }

  for (const [relay, there] of [
    ['off', 'on'],
    ['on', 'off'],
  ] as const) {
    it(`clicks twice before the unlock, and leaves a relay that is ${relay} as it was`, async () => {
      const { stage, commands } = await begin(relay);
      await assertCode(stage.outcome, 'diy-unlock-refused');
      assert.deepEqual(commands, ['info', there, relay, there, relay, 'ota_unlock', 'info']);
      assert.ok(stage.said.some(({ name }) => name === 'diy-click'));
      const { evidence } = await stage.job();
      const noted = evidence.all.flatMap((one) => (one.kind === 'command' ? [one.command] : []));
      assert.deepEqual(noted, ['switch', 'switch', 'switch', 'switch', 'ota_unlock']);
    });
  }

  it('does not click unless a person wants that, nor a relay of which it does not know how it stands', async () => {
    for (const [relay, clicks] of [
      ['off', false],
      [undefined, true],
    ] as const) {
      const { stage, commands } = await begin(relay, { clicks });
      await assertCode(stage.outcome, 'diy-unlock-refused');
      assert.deepEqual(commands, ['info', 'ota_unlock', 'info']);
    }
  });

  it('keeps a click apart from the next, and then waits for as long as it has said', async () => {
    const { stage, commands } = await begin('off', { clickMs: 10_000 });
    timeStands(['setTimeout']);
    const { evidence } = await stage.job();
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) await nextTurn();
    };
    /** Lets the gap between two requests pass, until so many are answered. */
    const answered = async (count: number): Promise<void> => {
      while (evidence.all.filter(({ kind }) => kind === 'command').length < count) {
        if (commands.length <= count) timePasses(50);
        await nextTurn();
      }
      await turns();
    };
    /** Nothing is sent before this time is over. */
    const waits = async (ms: number): Promise<void> => {
      const sent = [...commands];
      timePasses(ms - 1);
      await turns();
      assert.deepEqual(commands, sent);
      timePasses(1);
    };
    await answered(1);
    assert.deepEqual(commands, ['info', 'on']);
    await waits(500);
    await answered(3);
    assert.deepEqual(commands, ['info', 'on', 'off', 'on']);
    await waits(500);
    await answered(4);
    await waits(10_000);
    await answered(5);
    assert.deepEqual(commands.slice(4), ['off', 'ota_unlock']);
    while (stage.recorder.outcomes.size === 0) {
      timePasses(50);
      await nextTurn();
    }
    await assertCode(stage.outcome, 'diy-unlock-refused');
  });

  it('waits for a person who cancels, and then leaves the device alone', async () => {
    const { stage, commands, cancel } = await begin('off', { clickMs: 600_000 });
    const { evidence } = await stage.job();
    await stage.recorder.reported(({ name }) => name === 'diy-click');
    assert.deepEqual(
      stage.said.find(({ name }) => name === 'diy-click'),
      { name: 'diy-click', values: { deviceid: ID, seconds: 600 }, fraction: 0.06 },
    );
    await new Promise<void>((resolve) => {
      evidence.on('changed', () => {
        if (evidence.all.filter(({ kind }) => kind === 'command').length === 4) resolve();
      });
    });
    cancel();
    await assertCode(stage.outcome, 'cancelled');
    assert.deepEqual(commands, ['info', 'on', 'off', 'on', 'off']);
  });

  it('switches the relay back where the flash is cancelled in the middle of a click', async () => {
    const clicked: { cancel?: () => void } = {};
    const { stage, commands, cancel } = await begin('off', {
      onSwitch: () => {
        setImmediate(() => clicked.cancel?.());
        return { error: 0 };
      },
    });
    clicked.cancel = cancel;
    await assertCode(stage.outcome, 'cancelled');
    assert.equal(commands.at(-1), 'off');
    assert.ok(!commands.includes('ota_unlock'));
  });

  it('says where the relay could not be switched back', async () => {
    let switched = 0;
    const { stage } = await begin('off', { onSwitch: () => ({ error: ++switched === 2 ? 422 : 0 }) });
    await assertCode(stage.outcome, 'diy-refused');
  });

  it('gives the relay ten seconds to be switched back', async () => {
    let switched = 0;
    const { stage, commands } = await begin('off', { onSwitch: () => (++switched === 1 ? { error: 0 } : 'hang') });
    timeStands(['setTimeout']);
    await stage.job();
    while (commands.length < 3) {
      timePasses(10);
      await nextTurn();
    }
    timePasses(9000);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.equal(stage.recorder.outcomes.size, 0);
    while (stage.recorder.outcomes.size === 0) {
      timePasses(100);
      await nextTurn();
    }
    const { values } = await assertCode(stage.outcome, 'diy-unreachable');
    assert.deepEqual([values['seconds'], commands], [10, ['info', 'on', 'off']]);
  });
});
