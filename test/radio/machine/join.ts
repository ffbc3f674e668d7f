import { asFlashError } from '../../../lib/errors';
import { NetworkManagerDriver } from '../../../lib/net/wifi/networkmanager/driver';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';

/** Joins a network from a process of its own, says `joined` or the error's code, and stays in it. */
const network = JSON.parse(process.argv[2]!) as WifiNetwork;
const driver = new NetworkManagerDriver('wlan0');
driver.join(network, { signal: AbortSignal.timeout(100_000) }).then(
  () => console.log('joined'),
  (error: unknown) => {
    console.log(asFlashError(error).code);
    driver.close();
  },
);
