/**
 * A process of its own in a network namespace where 10.10.7.1 is a host at home. To a sonota-provision node with its
 * default address it identifies itself as a device in its access point does. Ends well if it got the Wi-Fi by `force`
 * alone.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { AP_ADDRESS } from '../../lib/protocol/ap';
import { Bed, freePorts, road } from './bed';

const HOME = { ssid: 'home', password: 'top secret' };

async function main(): Promise<void> {
  const bed = await Bed.load(road(await freePorts(), { provision: { url: '' } }));
  const device = bed.device({ apAddress: AP_ADDRESS, apPort: 80, homeNetwork: HOME });
  await device.start();
  bed.send('provision', { ...HOME });
  while (device.log.filter((line) => line === 'access point: told who it is').length < 2) await once(device, 'log');
  assert.equal(device.state, 'access-point', 'it has not got the Wi-Fi');
  bed.send('provision', { cancel: true });
  assert.equal(((await bed.at('caught'))['error'] as { code?: string }).code, 'cancelled');
  assert.deepEqual(bed.messages('provision-out'), []);
  bed.send('provision', { ...HOME, force: true });
  assert.equal((await bed.at('provision-out'))['deviceid'], device.deviceid);
  await bed.unload();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
