import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { WifiSession } from '../../lib/flash/radio/wifi-session';
import type { Message } from '../../lib/flash/job/ticket';
import { SerialQueue } from '../../lib/flash/waiting/serial-queue';
import { kindOf } from '../../lib/protocol/access-points';
import { hostNodeOf, hosts, requireHost } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import { NodeStatus } from '../shared/status';
import { translateError, translator } from '../shared/translate';
import { Values } from '../shared/values';
import { networkOf } from './network';

interface WifiDef extends NodeDef {
  host: string;
}

const ACTIONS = ['scan', 'join', 'leave'] as const;

type Action = (typeof ACTIONS)[number];

export default function register(RED: NodeAPI): void {
  function SonotaWifi(this: Node<{ password: unknown }>, config: WifiDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = hostNodeOf(RED, config);
    const form = Values.ofForm(config, this.credentials);
    const session = hostNode?.flashHost.wifiSession;
    const untilClose = new AbortController();
    let cancel = new AbortController();
    const turns = new SerialQueue();

    const showProblem = (thrown: unknown): FlashError => {
      const error = asFlashError(thrown);
      status.failed(error.code);
      return translateError(RED, error);
    };
    const onEnded = (error: FlashError): void => this.warn(showProblem(error).message);

    if (hostNode) hosts.addUser(config.host, this.id);
    try {
      requireHost(hostNode);
      const { action } = readForm(form);
      // The node that joins tells what became of it.
      if (action === 'join') session?.on('ended', onEnded);
    } catch (thrown) {
      showProblem(thrown);
    }

    const act = async (said: MessageValues): Promise<unknown> => {
      const { wifiSession } = requireHost(hostNode).flashHost;
      const signal = AbortSignal.any([untilClose.signal, cancel.signal]);
      if (signal.aborted) throw new FlashError('cancelled');
      const { seconds, stay, action = actionIn(said) } = readForm(form);
      if (action === undefined) throw unknownAction('');
      const options = { signal, seconds };
      status.busy(translate(`status.${action}`, action));
      if (action === 'scan') return scan(wifiSession, options);
      if (action === 'leave') return (await wifiSession.leave()) ?? null;
      return wifiSession.join(networkOf(form, said), { ...options, stay });
    };

    /** @returns whether the message only cancels */
    const isCancel = (said: MessageValues): boolean => {
      said.adoptEvent();
      if (!said.flag('cancel')) return false;
      cancel.abort();
      cancel = new AbortController();
      return true;
    };

    this.on('input', (message: Message, send, done) => {
      const said = new MessageValues(message);
      try {
        if (isCancel(said)) return done();
      } catch (thrown) {
        return done(showProblem(thrown));
      }
      turns
        .run(() => act(said))
        .then(
          (payload) => {
            status.done();
            send(Object.assign(message, { payload }));
            done();
          },
          // What a deploy cut short has nothing to say.
          (thrown: unknown) => (untilClose.signal.aborted ? done() : done(showProblem(thrown))),
        );
    });
    this.on('close', (removed: boolean, done: () => void) => {
      untilClose.abort();
      session?.off('ended', onEnded);
      if (!hostNode) return done();
      hosts.removeUser(config.host, this.id, removed).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-wifi', SonotaWifi, { credentials: { password: { type: 'password' } } });
}

interface WifiForm {
  readonly action: Action | undefined;
  readonly seconds: number;
  readonly stay: number;
}

function readForm(form: Values): WifiForm {
  return { action: actionIn(form), seconds: form.seconds('timeout') ?? 60, stay: form.seconds('stay') ?? 300 };
}

/** @throws FlashError `wifi-action-unknown` */
function actionIn(values: Values): Action | undefined {
  return values.choice('action', ACTIONS, unknownAction);
}

function unknownAction(action: string): FlashError {
  return new FlashError('wifi-action-unknown', { action: action || 'nothing' });
}

/** The strongest first, each with what it is. */
async function scan(session: WifiSession, options: { signal: AbortSignal; seconds: number }): Promise<unknown> {
  const found = await session.scan(options);
  return [...found].sort((a, b) => b.signal - a.signal).map((one) => ({ ...one, ...kindOf(one.ssid) }));
}
