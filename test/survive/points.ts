import assert from 'node:assert/strict';
import type { Scene, SceneOptions } from './scene';

/** A moment of a flash at which Node-RED is killed. */
export interface Point {
  readonly name: string;
  readonly options?: SceneOptions;
  /** Sees to it that `scene.kill` is called at that moment; the device is switched on afterwards. */
  arm(scene: Scene): void;
  /** After the restart, what a person does or must see; by default nothing. */
  then?(scene: Scene): Promise<void>;
  /**
   * - `done` (the default): the device has the right bytes, and the flow ends as if nothing had been
   * - `lost`: the device cannot survive; `then` has seen that it is said
   */
  readonly end?: 'done' | 'lost';
  /** How often the device gets the upgrade, in both lives of Node-RED; default 1. */
  readonly upgrades?: number;
}

/** Larger than what the kernel takes off a sender whose receiver does not read. */
const LARGE = { userBytes: 262_144, finalBytes: 393_216 };
/** In the middle of a download that is slow in any case. */
const isHalfWay = (text: string): boolean => Number(/^upgrade (\d+) %$/.exec(text)?.[1]) >= 30;

const hang = /the stream broke off; it waits for ever/;

export const POINTS: readonly Point[] = [
  {
    name: 'provision: waiting for the access point',
    arm: (scene) => scene.killAtStatus('provision', (text) => text.includes('ITEAD')),
  },
  {
    name: 'provision: the device has told who it is',
    arm: (scene) => scene.killAtLog(/told who it is/),
  },
  {
    name: 'provision: the device has taken the set-up, its answer is lost',
    options: { slot: 2 },
    arm: (scene) => scene.killAtLog(/took settings/),
  },
  {
    name: 'between provision and cloud: the device joins the home network',
    arm: (scene) => scene.killAtState('joining'),
  },
  {
    name: 'cloud: the device dispatches',
    options: { slot: 2, transport: 'no-range' },
    arm: (scene) => scene.killAtState('dispatching'),
  },
  {
    name: 'cloud: the device registers',
    arm: (scene) => scene.killAtState('registering'),
  },
  {
    name: 'between cloud and upgrade: the device is ready',
    arm: (scene) => scene.killAtState('ready'),
  },
  {
    name: 'upgrade: the device has the command',
    options: { transport: 'no-range' },
    arm: (scene) => scene.killAtState('upgrading'),
    upgrades: 2,
  },
  {
    name: 'upgrade: in the middle of a download by ranges; the device gives up and dials again',
    options: { behaviours: { blockPauseMs: 400 } },
    arm: (scene) => scene.killAtStatus('upgrade', isHalfWay),
    upgrades: 2,
  },
  {
    name: 'upgrade: in the middle of a download by ranges; the device goes on with it, and acknowledges to nobody',
    options: { slot: 2, behaviours: { blockPauseMs: 400 }, timings: { reconnectUnit: 3000 } },
    arm: (scene) => scene.killAtStatus('upgrade', isHalfWay),
  },
  {
    name: 'upgrade: in the middle of a paced download',
    options: { slot: 2, transport: 'no-range' },
    arm: (scene) => scene.killAtStatus('upgrade', isHalfWay),
    upgrades: 2,
  },
  {
    name: 'upgrade: everything is written, the acknowledgement is on its way',
    options: { slot: 2 },
    arm: (scene) => scene.killAtState('rebooting'),
  },
  {
    name: 'between upgrade and FinalStage: the device restarts',
    arm: (scene) => scene.killAtState('blinking'),
  },
  {
    name: 'FinalStage: it is there',
    options: { transport: 'no-range' },
    arm: (scene) => scene.killAtState('finalstage'),
  },
  {
    name: 'FinalStage: in the middle of user2; a power-cycle brings it back',
    options: { slot: 2, ...LARGE },
    arm: (scene) => {
      scene.air.holdAfter = 60_000;
      scene.air.once('held', () => scene.kill());
    },
    then: async (scene) => {
      await scene.shows('finalstage', /^red ring user2-stalled/);
      assert.ok(scene.device.log.some((line) => hang.test(line)));
      scene.device.powerCycle();
    },
  },
  {
    name: 'FinalStage: it has user2 and restarts into it',
    options: { slot: 2 },
    arm: (scene) => scene.killAtState('blinking', 2),
  },
  {
    name: 'FinalStage: the final image has begun, nothing is erased; a power-cycle brings it back',
    options: LARGE,
    arm: (scene) => {
      scene.air.holdAfter = 3000;
      scene.air.once('held', () => scene.kill());
    },
    then: async (scene) => {
      await scene.shows('finalstage', /^red ring finalstage-interrupted/);
      assert.ok(!scene.device.log.includes('state: erased'));
      scene.device.powerCycle();
    },
  },
  {
    name: 'FinalStage: the final image is cut behind the erase',
    options: LARGE,
    arm: (scene) => {
      scene.air.holdAfter = 60_000;
      scene.air.once('held', () => scene.kill());
    },
    then: async (scene) => {
      await scene.shows('finalstage', /^red ring finalstage-interrupted/);
      assert.ok(scene.device.log.includes('state: erased'));
      assert.equal(scene.device.state, 'hanging');
    },
    end: 'lost',
  },
  {
    name: 'FinalStage: the final image is on its way, and the system sends the rest',
    options: { finalBytes: 32_768 },
    arm: (scene) => {
      // The last of its two parts, without the end of that.
      scene.air.holdAfter = 32_768;
      scene.air.once('held', () => scene.kill({ systemSends: true }));
    },
  },
  {
    name: 'FinalStage: the last byte is written, its end is not seen',
    arm: (scene) => scene.killAtLog(/^FinalStage: installed/),
  },
  {
    name: 'FinalStage: the final image is out, nobody has seen it go',
    arm: (scene) => scene.killAtStatus('finalstage', (text) => text.startsWith('last sector')),
  },
  {
    name: 'one hop: in the middle of a paced download',
    options: { oneHop: true, slot: 2, transport: 'no-range' },
    arm: (scene) => scene.killAtStatus('upgrade', isHalfWay),
    upgrades: 2,
  },
  {
    name: 'one hop: everything is written, the acknowledgement is on its way',
    options: { oneHop: true, slot: 2 },
    arm: (scene) => scene.killAtState('rebooting'),
  },
  {
    name: 'one hop: the device is dark',
    options: { oneHop: true, slot: 2, timings: { moves: 500, relocates: 500 } },
    arm: (scene) => scene.killAtStatus('finalstage', (text) => text.startsWith('dark')),
  },
  {
    name: 'one hop: the new firmware is there, and nobody has seen it',
    options: { oneHop: true },
    arm: (scene) => scene.killAtState('new-access-point'),
  },
];
