import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { SerialQueue } from '../../lib/timing/serial-queue';
import type { VirtualResult } from '../../lib/virtual/device/options';
import { onDeployOver } from '../shared/deploys';
import type { MessageValues } from '../shared/messages';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode } from '../shared/task-node';
import { Values } from '../shared/values';
import { deviceOf, makeDevice } from './chosen-device';
import { detach, switchOff, switchOffAbandoned, switchOn, takeOver, type RehearsalOutlet } from './rehearsals';
import { quoted } from '../../lib/wordings/wording';

export default function register(RED: NodeAPI): void {
  function SonotaVirtualDevice(this: Node, config: WiredNodeDef): void {
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
          await switchOn(this.id, () => makeDevice(device), outletFor(resolve)).catch((error: Error) => {
            throw whyNot(error, device.options.apAddress);
          });
        };
        switching.run(turnOn).catch(reject);
      });

    const tasks = new TaskNode(RED, this, config, {
      run: async ({ said }) => {
        // One after another: a device that is being switched on must be found by the message that switches it off.
        if (said.flag('cancel')) return void (await switching.run(() => switchOff(this.id)));
        return { payload: await rehearse(said) };
      },
      closed: (removed) => detach(this.id, removed),
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

/** Why it could not be switched on: mostly one of its ports. */
function whyNot(error: NodeJS.ErrnoException & { port?: number }, bind: string): FlashError {
  if (error.syscall !== 'listen') return asFlashError(error);
  return new FlashError(
    'port-in-use',
    { port: error.port ?? 0, bind, reason: quoted(error.message) },
    { cause: error },
  );
}
