import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import { announce, type AnnouncementName, type AnnouncementValues } from '../../lib/flash/run/announcements';
import { setUpTasmota } from '../../lib/flash/tasmota/set-up';
import type { SetUpOptions } from '../../lib/flash/tasmota/set-up-options';
import { whenFlowsRun } from '../shared/deploys';
import { hostNodeOf, hosts, requireHost } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import { NodeStatus } from '../shared/status';
import { translateError, translateReport, translator } from '../shared/translate';
import { Values } from '../shared/values';
import { planOf, readForm, type TasmotaForm } from './message';

type Send = (messages: (Message | null)[]) => void;
type Done = (error?: Error) => void;

/** A message that the node took. */
interface Taken {
  readonly id: string;
  /** By an earlier instance of this node. */
  readonly isResumed: boolean;
  readonly said: MessageValues;
  readonly send: Send;
  readonly done: Done;
  readonly controller: AbortController;
}

interface TasmotaSetupDef extends NodeDef {
  host: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaTasmotaSetup(this: Node<object>, config: TasmotaSetupDef): void {
    RED.nodes.createNode(this, config);
    const status = new NodeStatus(this, translator(RED, config.type));
    const hostNode = hostNodeOf(RED, config);
    const form = (): TasmotaForm => readForm(Values.ofForm(config, this.credentials));
    /** The first one runs; an access point is at one address, so one at a time. */
    const queue: Taken[] = [];
    let isClosed = false;

    const showProblem = (thrown: unknown): FlashError => {
      const error = asFlashError(thrown);
      status.failed(error.code);
      return translateError(RED, error);
    };

    if (hostNode) hosts.addUser(config.host, this.id);
    try {
      requireHost(hostNode);
      form();
    } catch (thrown) {
      showProblem(thrown);
    }

    const take = (how: Omit<Taken, 'controller'>): void => {
      queue.push({ controller: new AbortController(), ...how });
      if (queue.length === 1) runNext();
      else status.queue(queue.length - 1);
    };

    /** Goes on with the messages that this node held when it was deployed anew, or when Node-RED ended. */
    const resume = (): void => {
      for (const { id, message, password } of hostNode?.flashHost.setUps.left(this.id) ?? []) {
        if (queue.some((taken) => taken.id === id)) continue;
        const done: Done = (error) => error && this.error(error, message);
        const said = new MessageValues(message, password);
        take({ id, isResumed: true, said, send: (messages) => this.send(messages), done });
      }
    };
    whenFlowsRun(RED, this, resume);

    const isOver = ({ id }: Taken): void => hostNode?.flashHost.setUps.ended(this.id, id);

    /** Tells where the set-up is, the same thing only once. */
    const reporter = ({ said, send }: Taken): SetUpOptions['say'] => {
      let last = '';
      let percent = 0;
      return (name: AnnouncementName, values: AnnouncementValues, fraction: number) => {
        percent = Math.max(percent, Math.floor(fraction * 100));
        const report = translateReport(RED, { ...announce(name, values), name, values, percent });
        const shown = `${report.text}\n${report.details ?? ''}`;
        if (shown === last) return;
        last = shown;
        status.running(report);
        const deviceid = said.deviceId();
        const topic = `${deviceid ?? 'unknown'}/tasmota`;
        const [_msgid, sonota] = [said.raw('_msgid'), said.raw('sonota')];
        const waiting = report.state === 'waiting';
        const { text, details } = report;
        const words = details === undefined ? { text } : { text, details };
        const progress: Message = { topic, payload: percent, ...words, waiting, deviceid, sonota };
        send([null, _msgid === undefined ? progress : { ...progress, _msgid }]);
      };
    };

    const setUp = async (taken: Taken): Promise<Message> => {
      const { said, isResumed, controller } = taken;
      const host = requireHost(hostNode);
      const options = { ...planOf(host, form(), said), isResumed, say: reporter(taken) };
      const found = await setUpTasmota(host.flashHost, options, controller.signal);
      return Object.assign(said.message, { payload: found });
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
          taken.done(showProblem(thrown));
        })
        .finally(() => {
          queue.shift();
          if (!isClosed) runNext();
        });
    };

    const cancel = (deviceid: string | undefined): void => {
      const meant = queue.filter(({ said }) => deviceid === undefined || said.deviceId() === deviceid);
      for (const taken of meant) {
        taken.controller.abort(new FlashError('cancelled'));
        if (taken === queue[0]) continue;
        queue.splice(queue.indexOf(taken), 1);
        isOver(taken);
        taken.done(translateError(RED, new FlashError('cancelled')));
      }
      status.queue(Math.max(0, queue.length - 1));
    };

    this.on('input', (message: Message, send: Send, done) => {
      const said = new MessageValues(message);
      try {
        const host = requireHost(hostNode);
        said.adoptEvent();
        if (said.flag('cancel')) {
          cancel(said.deviceId());
          return done();
        }
        // What cannot do is refused now, not when its turn has come.
        planOf(host, form(), said);
        const id = randomUUID();
        host.flashHost.setUps.began(this.id, { id, message, password: said.password() });
        take({ id, isResumed: false, said, send, done });
      } catch (thrown) {
        done(showProblem(thrown));
      }
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
