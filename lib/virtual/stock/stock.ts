import type { Slot } from '../device/boot';
import { refuseCertificate } from './certificate-check';
import { CloudSession, type SessionEnd } from './cloud-session';
import type { DeviceContext } from '../device/context';
import { dispatch, type ServerAddress } from './dispatch-client';
import { ReplyError } from '../wire/http-reply';
import type { Upgrade } from './upgrade-command';
import { hang, pause } from '../device/timers';
import { openWebSocket } from './websocket-handshake';
import { WireError } from '../wire/wire';

export interface HomeSettings {
  serverName: string;
  port: number;
}

/**
 * The stock firmware on the home network: dispatch, session, again and again, until an upgrade was written. Rejects
 * with a Restart, or with the signal's reason.
 */
export async function runStock(
  device: DeviceContext,
  running: Slot,
  settings: HomeSettings,
  signal: AbortSignal,
): Promise<Upgrade> {
  const port = (given: number): number => (device.transport === 'plain' ? device.legacyPort : given);
  const provisioned = { host: settings.serverName, port: port(settings.port) };
  let redirected: ServerAddress | undefined;
  for (let failures = 0; ; failures++) {
    if (failures > 0) await pause(backOff(failures - 1) * device.timings.backoffUnit, signal);
    try {
      if (device.transport === 'verifying') {
        await refuse(device, provisioned, signal);
        continue;
      }
      device.enter('dispatching');
      const server = redirected ?? (await dispatch(device, provisioned, settings.serverName, signal));
      redirected = undefined;
      const end = await session(device, { host: server.host, port: port(server.port) }, running, signal);
      if (end.type === 'upgraded') return end.image;
      if (end.type === 'redirected') redirected = end.to;
      failures = 0;
      device.log('session ended');
    } catch (error) {
      if (!(error instanceof WireError || error instanceof ReplyError)) throw error;
      device.log(`cloud: ${error.message}`);
    }
  }
}

/** A device that has no home network dials no host. */
export async function neverJoins(device: DeviceContext, signal: AbortSignal): Promise<never> {
  device.enter('not-joined');
  device.failed('not-joined');
  return await hang(signal);
}

async function session(
  device: DeviceContext,
  server: ServerAddress,
  running: Slot,
  signal: AbortSignal,
): Promise<SessionEnd> {
  const wire = await openWebSocket(device, server, signal);
  return await new CloudSession(device, wire, running, signal).run();
}

async function refuse(device: DeviceContext, server: ServerAddress, signal: AbortSignal): Promise<void> {
  device.enter('dispatching');
  await refuseCertificate({ ...server, localAddress: device.localAddress, limitMs: device.timings.connect, signal });
  device.log('the certificate is not one of its vendor: hung up');
  device.enter('certificate-refused');
  device.failed('certificate-refused');
}

/** Back-off after the n-th failure, in units: at random from 2^n to 2^(n+1), and 60 to 120 in the end. */
function backOff(n: number): number {
  const least = n <= 5 ? 2 ** n : 60;
  return least * (1 + Math.random());
}
