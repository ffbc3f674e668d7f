import { asFlashError, type FlashError } from '../../errors';
import { PortListener } from '../../server/port-listener';
import type { FlashHost } from '../host/host';
import { failed, passed, warned, type Check } from './check';

interface Port {
  readonly port: number;
  /** What dials it, after "for". */
  readonly users: string;
}

/**
 * Every port that a flash needs is open, or was free a moment ago; the program that holds another is named.
 *
 * @param withFinalStage whether FinalStage's port is one of them
 */
export async function checkPorts(host: FlashHost, withFinalStage = true): Promise<Check[]> {
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

function portsOf({ ports, finalStagePort }: FlashHost): Port[] {
  const { https, legacy, http } = ports;
  return [
    { port: https, users: 'devices that speak TLS' },
    ...(legacy === 0 ? [] : [{ port: legacy, users: 'old devices without TLS' }]),
    { port: http, users: finalStagePort === http ? 'the images and FinalStage' : 'the images' },
    ...(finalStagePort === http ? [] : [{ port: finalStagePort, users: 'FinalStage' }]),
  ];
}

async function checkPort(host: FlashHost, { port, users }: Port, refusal: FlashError | undefined): Promise<Check> {
  const { bind } = host;
  if (refusal?.code === 'port-in-use' && refusal.values['port'] === port) return failed('port', refusal);
  if (host.isListening) return passed('port', 'port-in-use', `Port ${port} is open for ${users}.`);
  // The host opens all of its ports or none: each of the others is tried by itself.
  const listener = new PortListener({ handle: (socket) => socket.destroy() });
  try {
    await listener.listen(port, bind);
    return passed('port', 'port-in-use', `Port ${port} is free for ${users}.`);
  } catch (thrown) {
    return failed('port', asFlashError(thrown));
  } finally {
    await listener.close();
  }
}
