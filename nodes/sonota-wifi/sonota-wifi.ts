import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { WifiSession } from '../../lib/flash/radio/wifi-session';
import type { WifiNetwork } from '../../lib/net/wifi/wifi';
import { kindOf } from '../../lib/protocol/access-points';
import type { MessageValues } from '../shared/messages';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode, type Task } from '../shared/task-node';
import { Values } from '../shared/values';
import { networkOf } from './network';
import { wording, type WordingValue } from '../../lib/wordings/wording';

const ACTIONS = ['scan', 'join', 'leave'] as const;

type Action = (typeof ACTIONS)[number];

export default function register(RED: NodeAPI): void {
  function SonotaWifi(this: Node<{ password: unknown }>, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config, this.credentials);
    const act = async ({ said, signal }: Task): Promise<unknown> => {
      const { host, status, translate } = tasks;
      const { wifiSession } = host.flashHost;
      const { action, seconds, stay, network } = planOf(form, said);
      const options = { signal, seconds };
      status.busy(translate(`status.${action}`, action));
      if (action === 'scan') return scan(wifiSession, options);
      if (!network) return (await wifiSession.leave()) ?? null;
      return wifiSession.join(network, { ...options, stay });
    };

    const tasks = new TaskNode(RED, this, config, {
      oneAtATime: true,
      cancels: true,
      refuse: (said) => void [tasks.host, planOf(form, said)],
      run: async (task) => {
        const payload = await act(task);
        tasks.status.done();
        return { payload };
      },
      closed: () => void session?.off('ended', onEnded),
    });

    let session: WifiSession | undefined;
    const onEnded = (error: FlashError): void => this.warn(tasks.problem(error).message);
    tasks.start(() => {
      const { flashHost } = tasks.host;
      // The node that joins reports what became of it.
      if (readForm(form).action === 'join') session = flashHost.wifiSession.on('ended', onEnded);
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

interface WifiPlan extends WifiForm {
  readonly action: Action;
  /** The one to join. */
  readonly network?: WifiNetwork;
}

/** @throws FlashError `wifi-action-unknown`, what in the form or the message cannot be read */
function planOf(form: Values, said: MessageValues): WifiPlan {
  const { action = actionIn(said), ...limits } = readForm(form);
  if (action === undefined) throw unknownAction('');
  return { action, ...limits, ...(action === 'join' ? { network: networkOf(form, said) } : {}) };
}

/** @throws FlashError `wifi-action-unknown` */
function actionIn(values: Values): Action | undefined {
  return values.choice('action', ACTIONS, unknownAction);
}

function unknownAction(action: WordingValue): FlashError {
  return new FlashError('wifi-action-unknown', { action: action || wording('nothing') });
}

/** The strongest first, each with what it is. */
async function scan(session: WifiSession, options: { signal: AbortSignal; seconds: number }): Promise<unknown> {
  const found = await session.scan(options);
  return [...found].sort((a, b) => b.signal - a.signal).map((one) => ({ ...one, ...kindOf(one.ssid) }));
}
