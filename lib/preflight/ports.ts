import { asFlashError, type FlashError } from '../errors';
import { PortListener } from '../server/port-listener';
import type { FlashHost } from '../flash/host/host';
import { failed, passed, warned, type SaidCheck } from './check';
import { phrase, type PhraseName } from './phrases';

/** The part of a host that the check opens and reads. */
type PortHost = Pick<FlashHost, 'open' | 'openFinalStagePort' | 'isListening' | 'bind' | 'ports' | 'finalStagePort'>;

interface Port {
  readonly port: number;
  /** The clients that dial it. */
  readonly users: PhraseName;
}

/**
 * Every port that a flash needs is open, or was free a moment ago; the program that holds another is named.
 *
 * @param withFinalStage whether FinalStage's port is one of them
 */
export async function checkPorts(host: PortHost, withFinalStage = true): Promise<SaidCheck[]> {
  const refusal = await (withFinalStage ? host.openFinalStagePort() : host.open()).then(
    () => undefined,
    (thrown: unknown) => asFlashError(thrown),
  );
  const plain = host.ports.legacy === 0 ? [warned('port', 'plain-port-off')] : [];
  if (refusal?.code === 'host-missing') return [failed('port', refusal)];
  const ports = portsOf(host).filter(
    ({ port }) => withFinalStage || port !== host.finalStagePort || port === host.ports.http,
  );
  const checks = await Promise.all(ports.map((port) => checkPort(host, port, refusal)));
  return [...checks, ...plain];
}

function portsOf({ ports, finalStagePort }: PortHost): Port[] {
  const { https, legacy, http } = ports;
  const isShared = finalStagePort === http;
  const all: Port[] = [
    { port: https, users: 'users-tls' },
    { port: legacy, users: 'users-plain' },
    { port: http, users: isShared ? 'users-images-finalstage' : 'users-images' },
    { port: isShared ? 0 : finalStagePort, users: 'users-finalstage' },
  ];
  return all.filter(({ port }) => port !== 0);
}

async function checkPort(host: PortHost, { port, users }: Port, refusal: FlashError | undefined): Promise<SaidCheck> {
  const { bind } = host;
  const values = { port, users: phrase(users) };
  if (refusal?.code.startsWith('port-') && refusal.values['port'] === port) return failed('port', refusal);
  if (host.isListening) return passed('port', 'port-in-use', phrase('port-open', values));
  // The host opens all of its ports or none: each of the others is tried separately.
  const listener = new PortListener({ handle: (socket) => socket.destroy() });
  try {
    await listener.listen(port, bind);
    return passed('port', 'port-in-use', phrase('port-free', values));
  } catch (thrown) {
    return failed('port', asFlashError(thrown));
  } finally {
    await listener.close();
  }
}
