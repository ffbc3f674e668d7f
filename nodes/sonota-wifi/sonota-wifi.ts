import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { WifiSession } from '../../lib/flash/radio/wifi-session';
import type { Message } from '../../lib/flash/job/ticket';
import { kindOf } from '../../lib/protocol/access-points';
import { hosts, type HostNode } from '../shared/hosts';
import { takePassword } from '../shared/messages';
import { numberOr, textOrNone } from '../shared/properties';
import { NodeStatus } from '../shared/status';
import { translator } from '../shared/translate';
import { networkOf } from './network';

interface WifiDef extends NodeDef {
  host: string;
  action: string;
  ssid: string;
  address: string;
  timeout: number | string;
  stay: number | string;
}

const ACTIONS = ['scan', 'join', 'leave'] as const;

type Action = (typeof ACTIONS)[number];

export default function register(RED: NodeAPI): void {
  function SonotaWifi(this: Node<{ password: unknown }>, config: WifiDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = (RED.nodes.getNode(config.host) as HostNode | null) ?? undefined;
    const session = hostNode?.flashHost.wifiSession;
    const untilClose = new AbortController();
    let cancel = new AbortController();
    let lastTurn: Promise<unknown> = Promise.resolve();

    if (hostNode) hosts.addUser(config.host, this.id);
    else status.failed('host-missing');

    const onEnded = (error: FlashError): void => {
      status.failed(error.code);
      this.warn(error.message);
    };
    // The node that joins tells what became of it.
    if (config.action === 'join') session?.on('ended', onEnded);

    const act = async (message: Message, password: string | undefined): Promise<unknown> => {
      if (!session) throw new FlashError('host-missing');
      const signal = AbortSignal.any([untilClose.signal, cancel.signal]);
      if (signal.aborted) throw new FlashError('cancelled');
      const options = { signal, seconds: numberOr(config.timeout, 60) };
      const action = actionOf(config, message);
      status.busy(translate(`status.${action}`, action));
      if (action === 'scan') return scan(session, options);
      if (action === 'leave') return (await session.leave()) ?? null;
      const own = { ssid: textOrNone(config.ssid), address: textOrNone(config.address) };
      const secret = textOrNone(this.credentials.password) ?? password;
      return session.join(networkOf(own, message, secret), { ...options, stay: numberOr(config.stay, 300) });
    };

    this.on('input', (message: Message, send, done) => {
      const password = takePassword(message);
      if (message['cancel'] === true) {
        cancel.abort();
        cancel = new AbortController();
        return done();
      }
      const turn = lastTurn.then(() => act(message, password));
      lastTurn = turn.catch(() => undefined);
      turn.then(
        (payload) => {
          status.done();
          send(Object.assign(message, { payload }));
          done();
        },
        (thrown: unknown) => {
          // What a deploy cut short has nothing to say.
          if (untilClose.signal.aborted) return done();
          const error = asFlashError(thrown);
          status.failed(error.code);
          done(error);
        },
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

/** The form's, else what the message says. @throws FlashError `wifi-action-unknown` */
function actionOf({ action }: WifiDef, message: Message): Action {
  const wanted = textOrNone(action) ?? message['action'];
  const known = ACTIONS.find((one) => one === wanted);
  if (known) return known;
  throw new FlashError('wifi-action-unknown', {
    action: typeof wanted === 'string' ? wanted.slice(0, 40) : typeof wanted,
  });
}

/** The strongest first, each with what it is. */
async function scan(session: WifiSession, options: { signal: AbortSignal; seconds: number }): Promise<unknown> {
  const found = await session.scan(options);
  return [...found].sort((a, b) => b.signal - a.signal).map((one) => ({ ...one, ...kindOf(one.ssid) }));
}
