import type { AccessPoint } from '../air/access-point';
import { HOME_NET, openHome } from '../air/home';
import { connections, nmcli, startNetworkManager, stopNetworkManager } from './network-manager';

let home: AccessPoint;

before('a home with Wi-Fi and a wire, and this machine on the wire', async () => {
  home = await openHome();
  await startNetworkManager();
  nmcli('--wait', '30', 'connection', 'up', 'Wire');
  const address = nmcli('-g', 'IP4.ADDRESS', 'device', 'show', 'eth0').trim();
  if (!address.startsWith(HOME_NET)) throw new Error(`eth0 has ${address || 'no address'}\n${connections()}`);
});

after(async () => {
  await stopNetworkManager();
  await home?.vanish();
});
