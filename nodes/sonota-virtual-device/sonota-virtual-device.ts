import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { VirtualSonoffOptions } from '../../lib/virtual/options';
import { replayOf } from '../../lib/virtual/replay';
import { onDeployOver } from '../shared/deploys';
import { isTicked, numberOr, textOr } from '../shared/properties';
import { translator } from '../shared/translate';
import { letGo, switchOffAbandoned, switchOn, takeOver, type RehearsalOutlet } from './rehearsals';

interface VirtualDeviceDef extends NodeDef {
  apAddress: string;
  apPort: number | string;
  deviceid: string;
  model: string;
  romVersion: string;
  transport: string;
  slot: number | string;
  fault: string;
  speed: number | string;
  livesOn?: boolean | string;
  homePort?: number | string;
  newApPort?: number | string;
}

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

export default function register(RED: NodeAPI): void {
  function SonotaVirtualDevice(this: Node, config: VirtualDeviceDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const options = optionsOf(config);
    const pending = new Set<Taken>();

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
    this.on('input', (message, send, done) => {
      const taken = { message, send, done };
      pending.add(taken);
      // What it is handed may be no bundle: that is told in the same way as any other refusal.
      Promise.resolve()
        .then(() => switchOn(this.id, { ...options, ...replayFor(message) }, outletFor(taken)))
        .catch((error: Error) => {
          pending.delete(taken);
          const problem = asFlashError(error, options);
          this.status({ fill: 'red', shape: 'ring', text: problem.code });
          done(problem);
        });
    });
    this.on('close', (removed: boolean, done: () => void) => {
      for (const { done: taken } of pending) taken();
      pending.clear();
      letGo(this.id, removed).then(done, done);
    });
    this.status({ fill: 'grey', shape: 'ring', text: translate('status.idle', 'idle') });
    takeOver(this.id, outletFor());
  }

  onDeployOver(RED, () => void switchOffAbandoned());
  RED.nodes.registerType('sonota-virtual-device', SonotaVirtualDevice);
}

/**
 * The device of an evidence bundle, where the message brings one as `msg.evidence`: a text or a Buffer.
 * @throws RangeError where it is no bundle
 */
function replayFor(message: NodeMessage): Partial<VirtualSonoffOptions> {
  const { evidence } = message as { evidence?: unknown };
  if (evidence === undefined) return {};
  delete (message as { evidence?: unknown }).evidence;
  return replayOf(Buffer.isBuffer(evidence) ? evidence.toString('utf8') : typeof evidence === 'string' ? evidence : '');
}

function optionsOf(config: VirtualDeviceDef): VirtualSonoffOptions {
  const ap = { apAddress: textOr(config.apAddress, '127.0.0.1'), apPort: numberOr(config.apPort, 10080) };
  return {
    ...ap,
    ...(isTicked(config.livesOn)
      ? {
          newFirmware: {
            ...ap,
            apPort: numberOr(config.newApPort, ap.apPort),
            homePort: numberOr(config.homePort, 10081),
          },
        }
      : {}),
    deviceid: textOr(config.deviceid, '1000f1a5b0'),
    model: textOr(config.model, 'ITA-GZ1-GL'),
    romVersion: textOr(config.romVersion, '1.5.5'),
    transport: textOr(config.transport, 'range') as NonNullable<VirtualSonoffOptions['transport']>,
    slot: numberOr(config.slot, 1) === 2 ? 2 : 1,
    fault: textOr(config.fault, ''),
    speed: numberOr(config.speed, 1),
    lingerMs: LINGER_MS,
  };
}

/** Why it could not be switched on: its port, or an option that no device has. */
function asFlashError(error: NodeJS.ErrnoException, { apAddress, apPort }: VirtualSonoffOptions): FlashError {
  if (error instanceof FlashError) return error;
  if (error.syscall === 'listen') {
    return new FlashError('port-in-use', { port: apPort, bind: apAddress, reason: error.message }, { cause: error });
  }
  return new FlashError('unexplained', { reason: error.message }, { cause: error });
}
