/** A process of its own in a network namespace: prints each Sonoff that it finds, and each that goes. */
import { SonoffDiscovery } from '../../../lib/client/diy/discovery';

const discovery = new SonoffDiscovery();
discovery.on('found', (sonoff) => console.log(JSON.stringify(sonoff)));
discovery.on('gone', (deviceid) => console.log(JSON.stringify({ gone: deviceid })));
discovery.on('trouble', (reason, address) => console.error(`${address}: ${reason}`));
discovery.start();
process.stdin.resume().on('end', () => void discovery.close());
