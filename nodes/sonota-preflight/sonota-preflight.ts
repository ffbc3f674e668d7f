import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { preflight, type PreflightReport } from '../../lib/flash/preflight/preflight';
import type { Message } from '../../lib/flash/job/ticket';
import { chooseFirmware } from '../shared/firmware-choice';
import { hosts, type HostNode } from '../shared/hosts';
import { adoptEvent, takePassword } from '../shared/messages';
import { textOrNone } from '../shared/properties';
import { NodeStatus } from '../shared/status';
import { translateError, translatePreflight, translator } from '../shared/translate';

interface PreflightDef extends NodeDef {
  host: string;
  firmware: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaPreflight(this: Node, config: PreflightDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = (RED.nodes.getNode(config.host) as HostNode | null) ?? undefined;
    const untilClose = new AbortController();

    if (hostNode) hosts.addUser(config.host, this.id);
    else status.failed('host-missing');

    /** The table for a message, whose own Wi-Fi and firmware count too. */
    const check = async (message: Message, password: string | undefined): Promise<PreflightReport> => {
      if (!hostNode) throw new FlashError('host-missing');
      const { flashHost, wifi } = hostNode;
      const report = await preflight(flashHost, {
        wifi: {
          ssid: (wifi.ssid ?? textOrNone(message['ssid'])) !== undefined,
          password: (wifi.password ?? password) !== undefined,
        },
        sources: chooseFirmware(RED, config.firmware, message),
        signal: untilClose.signal,
      });
      return translatePreflight(RED, report);
    };

    const answer = async (message: Message): Promise<Message> => {
      adoptEvent(message);
      const password = takePassword(message);
      status.busy(translate('status.checking', 'checking'));
      const report = await check(message, password);
      show(status, report);
      return Object.assign(message, { payload: report });
    };

    this.on('input', (message, send, done) => {
      answer(message).then(
        (result) => {
          send(result);
          done();
        },
        (thrown: unknown) => {
          // Checks that a deploy cut short have nothing to say.
          if (untilClose.signal.aborted) return done();
          const error = asFlashError(thrown);
          status.failed(error.code);
          done(translateError(RED, error));
        },
      );
    });
    this.on('close', (removed: boolean, done: () => void) => {
      untilClose.abort();
      if (!hostNode) return done();
      hosts.removeUser(config.host, this.id, removed).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-preflight', SonotaPreflight);
}

/** Green, yellow or red, with the first code that is not in order. */
function show(status: NodeStatus, { checks, verdict }: PreflightReport): void {
  const first = checks.find(({ ok }) => ok === false) ?? checks.find(({ ok }) => ok === 'warn');
  if (!first) status.done();
  else if (verdict === 'not-ready') status.failed(first.code);
  else status.warned(first.code);
}
