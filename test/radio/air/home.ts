import { AccessPoint } from './access-point';
import { run } from './program';

/** The home's network: a router with an access point and a wire, whose other end is this machine's eth0. */
export const HOME = { ssid: 'Under the stairs', password: 'correct horse 42' };
export const HOME_NET = '192.168.77.';

const BRIDGE = 'br-home';

export async function openHome(): Promise<AccessPoint> {
  run('home', 'ip', 'link', 'add', BRIDGE, 'type', 'bridge');
  run('home', 'ip', 'link', 'set', BRIDGE, 'up');
  run('home', 'ip', 'link', 'set', 'lan', 'master', BRIDGE, 'up');
  return await AccessPoint.open('home', 'wlan1', {
    ...HOME,
    channel: 1,
    bridge: BRIDGE,
    address: `${HOME_NET}1`,
    leases: [`${HOME_NET}50`, `${HOME_NET}99`],
  });
}
