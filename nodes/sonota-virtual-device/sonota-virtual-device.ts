import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import { SerialQueue } from '../../lib/flash/waiting/serial-queue';
import type { VirtualSonoffOptions } from '../../lib/virtual/options';
import { replayOf } from '../../lib/virtual/replay';
import { FAULTS } from '../../lib/virtual/virtual-sonoff';
import { onDeployOver } from '../shared/deploys';
import { MessageValues } from '../shared/messages';
import { translateError, translator } from '../shared/translate';
import { Values } from '../shared/values';
import { letGo, switchOff, switchOffAbandoned, switchOn, takeOver, type RehearsalOutlet } from './rehearsals';

type Send = (message: NodeMessage) => void;
type Done = (error?: Error) => void;

/** A message that the node took. */
interface Taken {
  message: NodeMessage;
  send: Send;
  done: Done;
}

/** A rehearsal that nobody goes on with ends by itself after this long. */
const LINGER_MS = 15 * 60_000;

const FAULT_NAMES = FAULTS.map(({ name }) => name);

export default function register(RED: NodeAPI): void {
  function SonotaVirtualDevice(this: Node, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const form = Values.ofForm(config);
    const pending = new Set<Taken>();
    const turns = new SerialQueue();

    /** @param taken the message that switched it on; undefined where that was another instance's */
    const outletFor = (taken?: Taken): RehearsalOutlet => ({
      state: (name) => {
        this.status({ fill: 'blue', shape: 'dot', text: translate(`status.${name}`, name) });
      },
      ended: (result) => {
        const isFlashed = result.result === 'flashed';
        const text = translate(`status.${result.result}`, result.result);
        this.status(isFlashed ? { fill: 'green', shape: 'dot', text } : { fill: 'red', shape: 'ring', text });
        const { message = {}, send = (one: NodeMessage) => this.send(one), done } = taken ?? {};
        if (taken) pending.delete(taken);
        send(Object.assign(message, { payload: result }));
        done?.();
      },
      off: () => this.status({ fill: 'grey', shape: 'ring', text: translate('status.idle', 'idle') }),
    });
    const showProblem = (error: FlashError): FlashError => {
      this.status({ fill: 'red', shape: 'ring', text: error.code });
      return translateError(RED, error);
    };
    /** Switches the device on, or off. @returns whether it is on */
    const obey = async (said: MessageValues, taken: Taken): Promise<boolean> => {
      said.adoptEvent();
      if (said.flag('cancel')) {
        await switchOff(this.id);
        return false;
      }
      const options = optionsOf(form);
      // What it is handed may be no bundle: that is told in the same way as any other refusal.
      await switchOn(this.id, { ...options, ...replayFor(said) }, outletFor(taken)).catch((error: Error) => {
        throw whyNot(error, options);
      });
      return true;
    };
    this.on('input', (message: Message, send, done) => {
      const taken = { message, send, done };
      pending.add(taken);
      const said = new MessageValues(message);
      // One after another: a device that is being switched on must be found by the message that switches it off.
      turns
        .run(() => obey(said, taken))
        .then((isOn) => {
          if (isOn || !pending.delete(taken)) return;
          done();
        })
        .catch((thrown: unknown) => {
          pending.delete(taken);
          done(showProblem(asFlashError(thrown)));
        });
    });
    this.on('close', (removed: boolean, done: () => void) => {
      for (const { done: taken } of pending) taken();
      pending.clear();
      letGo(this.id, removed).then(done, done);
    });
    try {
      optionsOf(form);
      this.status({ fill: 'grey', shape: 'ring', text: translate('status.idle', 'idle') });
    } catch (thrown) {
      showProblem(asFlashError(thrown));
    }
    takeOver(this.id, outletFor());
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

const TRANSPORTS = ['range', 'no-range', 'plain', 'verifying'] as const;

/** @throws FlashError `value-invalid`, `variable-unset` */
function optionsOf(form: Values): VirtualSonoffOptions {
  const ap = { apAddress: form.text('apAddress') ?? '127.0.0.1', apPort: form.port('apPort') ?? 10080 };
  const livesOn = form.flag('livesOn');
  const newApPort = form.port('newApPort') ?? ap.apPort;
  const homePort = form.port('homePort') ?? 10081;
  return {
    ...ap,
    ...(livesOn ? { newFirmware: { ...ap, apPort: newApPort, homePort } } : {}),
    deviceid: form.deviceId() ?? '1000f1a5b0',
    model: form.text('model') ?? 'ITA-GZ1-GL',
    romVersion: form.text('romVersion') ?? '1.5.5',
    transport: form.choice('transport', TRANSPORTS) ?? 'range',
    slot: form.choice('slot', ['1', '2']) === '2' ? 2 : 1,
    fault: form.choice('fault', FAULT_NAMES) ?? '',
    speed: form.factor('speed') ?? 1,
    lingerMs: LINGER_MS,
  };
}

/** Why it could not be switched on: mostly its port. */
function whyNot(error: NodeJS.ErrnoException, { apAddress, apPort }: VirtualSonoffOptions): FlashError {
  if (error.syscall !== 'listen') return asFlashError(error);
  return new FlashError('port-in-use', { port: apPort, bind: apAddress, reason: error.message }, { cause: error });
}
