import { asFlashError, type FlashError } from '../errors';
import { narrowestBind } from '../net/addresses';
import { UNLOCK_HOST } from '../protocol/diy/unlock-service';
import { NameServer } from '../server/name-server';
import { PortListener } from '../server/port-listener';
import type { FlashHost } from '../flash/host/host';
import { noted, passed, warned, type SaidCheck } from './check';
import { phrase, type PhraseName } from './phrases';

/**
 * The ports at which this machine would unlock devices can be opened. Neither is certain to be needed: the maker's
 * service comes first, and a router can lead a device here without the one of DNS.
 */
export async function checkUnlockPorts(
  host: Pick<FlashHost, 'address' | 'bind' | 'unlockPorts'>,
): Promise<SaidCheck[]> {
  const { http, dns } = host.unlockPorts;
  const bind = narrowestBind(host.address, host.bind);
  const responder = new PortListener({ handle: (socket) => socket.destroy() });
  const names = new NameServer({ name: UNLOCK_HOST, address: bind, isLocal: () => false });
  const forService = await whyClosed(responder, http, bind);
  const forNames = await whyClosed(names, dns, bind);
  return [
    forService ? warned('port', 'diy-unlock-port', forService.values) : free(http, 'users-unlock'),
    forNames
      ? noted('port', 'diy-unlock-port', phrase('unlock-names-closed', forNames.values), 'unlock-by-router')
      : free(dns, 'users-unlock-names'),
  ];
}

async function whyClosed(
  server: Pick<PortListener, 'listen' | 'close'>,
  port: number,
  bind: string,
): Promise<FlashError | undefined> {
  try {
    await server.listen(port, bind);
    return undefined;
  } catch (thrown) {
    return asFlashError(thrown);
  } finally {
    await server.close();
  }
}

function free(port: number, users: PhraseName): SaidCheck {
  return passed('port', 'diy-unlock-port', phrase('port-free', { port, users: phrase(users) }));
}
