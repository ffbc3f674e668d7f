import { asFlashError } from '../../../lib/errors';
import { Radio } from '../../../lib/flash/radio/radio';
import type { WifiNetwork } from '../../../lib/net/wifi/wifi';

/**
 * Looks for a network and joins it as a host node does, from a process of its own; `none` instead of a network only asks
 * whether it may. Says the address that it got there, `permitted`, or the code of an error.
 */
const network = process.argv[2] === 'none' ? undefined : (JSON.parse(process.argv[2]!) as WifiNetwork);
const signal = AbortSignal.timeout(120_000);

async function work(radio: Radio): Promise<string> {
  const { driver } = await radio.choice(signal);
  if (!network) return driver === 'networkmanager' ? 'permitted' : driver;
  await radio.lookFor(({ ssid }) => ssid === network.ssid, { purpose: 'flow', signal });
  return await radio.withNetwork(network, { purpose: 'flow', signal }, async ({ address }) => address);
}

const radio = new Radio();
radio.use({ driver: 'networkmanager', interfaceName: 'wlan0', allowUplink: '', editorPort: 1880 });
void work(radio)
  .catch((error: unknown) => asFlashError(error).code)
  .then(async (said) => {
    await radio.close();
    console.log(said);
  });
