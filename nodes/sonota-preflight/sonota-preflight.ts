import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError } from '../../lib/errors';
import { preflight, type PreflightReport } from '../../lib/flash/preflight/preflight';
import type { Message } from '../../lib/flash/job/ticket';
import { chooseFirmware } from '../shared/firmware-choice';
import { hostNodeOf, hosts, requireHost, wifiPresence } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import { NodeStatus } from '../shared/status';
import { translateError, translatePreflight, translator } from '../shared/translate';
import { Values } from '../shared/values';

interface PreflightDef extends NodeDef {
  host: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaPreflight(this: Node, config: PreflightDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = hostNodeOf(RED, config);
    const form = Values.ofForm(config);
    const untilClose = new AbortController();

    if (hostNode) hosts.addUser(config.host, this.id);
    try {
      requireHost(hostNode);
    } catch (thrown) {
      status.failed(asFlashError(thrown).code);
    }

    /** The table for a message, whose own Wi-Fi and firmware count too. */
    const check = async (said: MessageValues): Promise<PreflightReport> => {
      const host = requireHost(hostNode);
      said.adoptEvent();
      const sources = chooseFirmware(RED, form.text('firmware'), said);
      status.busy(translate('status.checking', 'checking'));
      const wifi = wifiPresence(host, said);
      const options = { wifi, sources, signal: untilClose.signal };
      const report = await hosts.whileListening(config.host, () => preflight(host.flashHost, options));
      return translatePreflight(RED, report);
    };

    const answer = async (said: MessageValues): Promise<Message> => {
      const report = await check(said);
      show(status, report);
      return Object.assign(said.message, { payload: report });
    };

    this.on('input', (message, send, done) => {
      answer(new MessageValues(message as Message)).then(
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
