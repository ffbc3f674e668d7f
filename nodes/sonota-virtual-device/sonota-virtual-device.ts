import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import { SerialQueue } from '../../lib/flash/waiting/serial-queue';
import { DIY_FAULTS } from '../../lib/virtual/diy/faults';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { DIY_VERSIONS } from '../../lib/virtual/diy/versions';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { VirtualSonoffOptions } from '../../lib/virtual/options';
import { replayOf } from '../../lib/virtual/replay';
import { FAULTS, VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
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
const DIY_FAULT_NAMES = DIY_FAULTS.map(({ name }) => name);

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
      const device = deviceOf(form, said);
      await switchOn(this.id, device.make, outletFor(taken)).catch((error: Error) => {
        throw whyNot(error, device.apAddress);
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
      deviceOf(form);
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
