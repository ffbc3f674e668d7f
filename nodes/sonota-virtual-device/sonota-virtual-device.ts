import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { SerialQueue } from '../../lib/timing/serial-queue';
import { DIY_FAULTS } from '../../lib/virtual/diy/faults';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { DIY_VERSIONS } from '../../lib/virtual/diy/versions';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { VirtualResult, VirtualSonoffOptions } from '../../lib/virtual/device/options';
import { replayOf } from '../../lib/virtual/device/replay';
import { FAULTS, VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { onDeployOver } from '../shared/deploys';
import type { MessageValues } from '../shared/messages';
import { TaskNode, type TaskNodeDef } from '../shared/task-node';
import { Values } from '../shared/values';
import { letGo, switchOff, switchOffAbandoned, switchOn, takeOver, type RehearsalOutlet } from './rehearsals';

/** A rehearsal that nobody goes on with ends by itself after this long. */
const LINGER_MS = 15 * 60_000;

const FAULT_NAMES = FAULTS.map(({ name }) => name);
const DIY_FAULT_NAMES = DIY_FAULTS.map(({ name }) => name);

export default function register(RED: NodeAPI): void {
  function SonotaVirtualDevice(this: Node, config: TaskNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);
    const switching = new SerialQueue();

    /** @param deliver puts out what became of the device */
    const outletFor = (deliver: (result: VirtualResult) => void): RehearsalOutlet => ({
      state: (name) => tasks.status.busy(tasks.translate(`status.${name}`, name)),
      ended: (result) => {
        const text = tasks.translate(`status.${result.result}`, result.result);
        if (result.result === 'flashed') tasks.status.done(text);
        else tasks.status.endedBadly(text);
        deliver(result);
      },
      off: () => tasks.status.idle(),
    });
    /** Resolves when the device has ended. */
    const rehearse = (said: MessageValues): Promise<VirtualResult> =>
      new Promise((resolve, reject) => {
        const turnOn = async (): Promise<void> => {
          const device = deviceOf(form, said);
          await switchOn(this.id, device.make, outletFor(resolve)).catch((error: Error) => {
            throw whyNot(error, device.apAddress);
          });
        };
        switching.run(turnOn).catch(reject);
      });

    const tasks = new TaskNode(RED, this, config, {
      run: async ({ said }) => {
        // One after another: a device that is being switched on must be found by the message that switches it off.
        if (said.flag('cancel')) return void (await switching.run(() => switchOff(this.id)));
        return Object.assign(said.message, { payload: await rehearse(said) });
      },
      closed: (removed) => letGo(this.id, removed),
    });
    tasks.start(() => deviceOf(form));
    takeOver(
      this.id,
      outletFor((result) => this.send({ payload: result })),
    );
  }

  onDeployOver(RED, () => void switchOffAbandoned());
  RED.nodes.registerType('sonota-virtual-device', SonotaVirtualDevice);
}

/**
 * The device of an evidence bundle, where the message brings one as `msg.evidence`: a text or a Buffer.
 * @throws FlashError `value-invalid` where it is no bundle
 */
function replayFor(said: MessageValues): Partial<VirtualSonoffOptions> {
  const evidence = said.raw('evidence');
  if (evidence === undefined || evidence === null || evidence === '') return {};
  delete said.message['evidence'];
  try {
    return replayOf(
      Buffer.isBuffer(evidence) ? evidence.toString('utf8') : typeof evidence === 'string' ? evidence : '',
    );
  } catch (thrown) {
    throw said.invalid('evidence', asFlashError(thrown).values['reason'] as string);
  }
}

const KINDS = ['cloud', 'diy'] as const;
const TRANSPORTS = ['range', 'no-range', 'plain', 'verifying'] as const;
const DIY_STARTS = ['access-point', 'diy', 'ewelink', 'jumper'] as const;

interface Chosen {
  readonly apAddress: string;
  make(this: void): VirtualSonoff | VirtualDiySonoff;
}

/**
 * The device of the form. An evidence bundle is always of one that the cloud's method flashes.
 * @throws FlashError `value-invalid`, `variable-unset`
 */
function deviceOf(form: Values, said?: MessageValues): Chosen {
  const replay = said ? replayFor(said) : {};
  // Both are read, so that a wrong value is found whichever kind is chosen.
  const [cloud, diy] = [{ ...cloudOptionsOf(form), ...replay }, diyOptionsOf(form)];
  const isDiy = form.choice('kind', KINDS) === 'diy' && Object.keys(replay).length === 0;
  return { apAddress: cloud.apAddress, make: () => (isDiy ? new VirtualDiySonoff(diy) : new VirtualSonoff(cloud)) };
}

/** What devices of both kinds have. */
function commonOptionsOf(
  form: Values,
): Pick<VirtualSonoffOptions, 'apAddress' | 'apPort' | 'newFirmware' | 'deviceid' | 'model' | 'speed' | 'lingerMs'> {
  const ap = { apAddress: form.text('apAddress') ?? '127.0.0.1', apPort: form.port('apPort') ?? 10080 };
  const livesOn = form.flag('livesOn');
  const newApPort = form.port('newApPort') ?? ap.apPort;
  const homePort = form.port('homePort') ?? 10081;
  const model = form.text('model');
  return {
    ...ap,
    ...(livesOn ? { newFirmware: { ...ap, apPort: newApPort, homePort } } : {}),
    ...(model === undefined ? {} : { model }),
    deviceid: form.deviceId() ?? '1000f1a5b0',
    speed: form.factor('speed') ?? 1,
    lingerMs: LINGER_MS,
  };
}

function cloudOptionsOf(form: Values): VirtualSonoffOptions {
  return {
    ...commonOptionsOf(form),
    romVersion: form.text('romVersion') ?? '1.5.5',
    transport: form.choice('transport', TRANSPORTS) ?? 'range',
    slot: form.choice('slot', ['1', '2']) === '2' ? 2 : 1,
    fault: form.choice('fault', FAULT_NAMES) ?? '',
  };
}

function diyOptionsOf(form: Values): VirtualDiyOptions {
  const startsIn = form.choice('diyStart', DIY_STARTS);
  const dns = form.text('dns');
  return {
    ...commonOptionsOf(form),
    version: form.choice('diyVersion', DIY_VERSIONS) ?? '3.7.6',
    fault: form.choice('diyFault', DIY_FAULT_NAMES) ?? '',
    lanPort: form.port('lanPort') ?? 10082,
    vendorPort: form.port('vendorPort') ?? 80,
    ...(startsIn ? { startsIn } : {}),
    ...(dns === undefined ? {} : { dns }),
  };
}

/** Why it could not be switched on: mostly one of its ports. */
function whyNot(error: NodeJS.ErrnoException & { port?: number }, bind: string): FlashError {
  if (error.syscall !== 'listen') return asFlashError(error);
  return new FlashError('port-in-use', { port: error.port ?? 0, bind, reason: error.message }, { cause: error });
}
