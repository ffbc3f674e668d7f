import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import { announce, type AnnouncementName, type AnnouncementValues } from '../../lib/flash/run/announcements';
import { setUpTasmota } from '../../lib/flash/tasmota/set-up';
import type { SetUpOptions } from '../../lib/flash/tasmota/set-up-options';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../lib/protocol/new-firmware';
import { whenFlowsRun } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { deviceOf, takePassword } from '../shared/messages';
import { numberOr } from '../shared/properties';
import { NodeStatus } from '../shared/status';
import { translateReport, translator } from '../shared/translate';
import { deviceIn, homeUrlIn, wishesOf, type TasmotaCredentials, type TasmotaSetupDef } from './message';

type Send = (messages: (Message | null)[]) => void;
type Done = (error?: Error) => void;

/** A message that the node took. */
interface Taken {
  readonly id: string;
  /** By an earlier instance of this node. */
  readonly isResumed: boolean;
  readonly message: Message;
  readonly password: string | undefined;
  readonly send: Send;
  readonly done: Done;
  readonly controller: AbortController;
}

export default function register(RED: NodeAPI): void {
  function SonotaTasmotaSetup(this: Node<TasmotaCredentials>, config: TasmotaSetupDef & NodeDef): void {
    RED.nodes.createNode(this, config);
    const status = new NodeStatus(this, translator(RED, config.type));
    const hostNode = (RED.nodes.getNode(config.host) as HostNode | null) ?? undefined;
    /** The first one runs; an access point is at one address, so one at a time. */
    const queue: Taken[] = [];
    let isClosed = false;

    if (hostNode) hosts.addUser(config.host, this.id);
    else status.failed('host-missing');

    const take = (message: Message, how: Omit<Taken, 'message' | 'controller'>): void => {
      queue.push({ message, controller: new AbortController(), ...how });
      if (queue.length === 1) runNext();
      else status.queue(queue.length - 1);
    };

    /** Goes on with the messages that this node held when it was deployed anew, or when Node-RED ended. */
    const resume = (): void => {
      for (const { id, message, password } of hostNode?.flashHost.setUps.left(this.id) ?? []) {
        if (queue.some((taken) => taken.id === id)) continue;
        const done: Done = (error) => error && this.error(error, message);
        take(message, { id, isResumed: true, password, send: (messages) => this.send(messages), done });
      }
    };
    whenFlowsRun(RED, this, resume);

    const isOver = ({ id }: Taken): void => hostNode?.flashHost.setUps.ended(this.id, id);

    /** Tells where the set-up is, the same thing only once. */
    const reporter = ({ message, send }: Taken): SetUpOptions['say'] => {
      let last = '';
      let percent = 0;
      return (name: AnnouncementName, values: AnnouncementValues, fraction: number) => {
        percent = Math.max(percent, Math.floor(fraction * 100));
        const report = translateReport(RED, { ...announce(name, values), name, values, percent });
        if (report.text === last) return;
        last = report.text;
        status.running(report);
        const deviceid = deviceOf(message);
        const topic = `${deviceid ?? 'unknown'}/tasmota`;
        const { _msgid, sonota } = message;
        const waiting = report.state === 'waiting';
        const progress: Message = { topic, payload: percent, text: report.text, waiting, deviceid, sonota };
        send([null, _msgid === undefined ? progress : { ...progress, _msgid }]);
      };
    };

    const setUp = async (taken: Taken): Promise<Message> => {
      const { message, password, isResumed, controller } = taken;
      if (!hostNode) throw new FlashError('host-missing');
      const { flashHost, wifi } = hostNode;
      const found = await setUpTasmota(
        flashHost,
        {
          device: deviceIn(message),
          wishes: wishesOf({ config, credentials: this.credentials, wifi, message, password }),
          apUrl: config.url?.trim() || `http://${NEW_FIRMWARE_AP_ADDRESS}`,
          homeUrl: homeUrlIn(config, message),
          timeoutSeconds: numberOr(config.timeout, 300),
          isResumed,
          say: reporter(taken),
        },
        controller.signal,
      );
      return Object.assign(message, { payload: found });
    };

    const runNext = (): void => {
      status.queue(Math.max(0, queue.length - 1));
      const taken = queue[0];
      if (!taken) return;
      setUp(taken)
        .then((result) => {
          isOver(taken);
          const warning = (result['payload'] as { warnings: { code: 'template-unknown' }[] }).warnings[0];
          if (warning) status.warned(warning.code);
          else status.done();
          taken.send([result, null]);
          taken.done();
        })
        .catch((thrown: unknown) => {
          // What a deploy cuts short has nothing to say: the new instance begins it again.
          if (isClosed) return taken.done();
          isOver(taken);
          const error = asFlashError(thrown);
          status.failed(error.code);
          taken.done(error);
        })
        .finally(() => {
          queue.shift();
          if (!isClosed) runNext();
        });
    };

    const cancel = (deviceid: string | undefined): void => {
      const meant = queue.filter(({ message }) => deviceid === undefined || deviceOf(message) === deviceid);
      for (const taken of meant) {
        taken.controller.abort(new FlashError('cancelled'));
        if (taken === queue[0]) continue;
        queue.splice(queue.indexOf(taken), 1);
        isOver(taken);
        taken.done(new FlashError('cancelled'));
      }
      status.queue(Math.max(0, queue.length - 1));
    };

    this.on('input', (message: Message, send: Send, done) => {
      const password = takePassword(message);
      if (message['cancel'] === true) {
        cancel(deviceOf(message));
        return done();
      }
      const id = randomUUID();
      hostNode?.flashHost.setUps.began(this.id, { id, message, password });
      take(message, { id, isResumed: false, password, send, done });
    });
    this.on('close', (removed: boolean, done: () => void) => {
      isClosed = true;
      for (const taken of queue) {
        taken.controller.abort(new FlashError('cancelled'));
        if (taken !== queue[0]) taken.done();
      }
      if (!hostNode) return done();
      if (removed) hostNode.flashHost.setUps.forget(this.id);
      hosts.removeUser(config.host, this.id, removed).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-tasmota-setup', SonotaTasmotaSetup, {
    credentials: { mqttUser: { type: 'text' }, mqttPassword: { type: 'password' }, webPassword: { type: 'password' } },
  });
}
