/** A process of its own in a network namespace: announces a device as hardware does. */
import { MDNS_PORT } from '../../../lib/net/mdns/mdns-socket';
import { Announcer } from './announcer';

const [deviceid = '', address = ''] = process.argv.slice(2);
const announcer = new Announcer(MDNS_PORT, deviceid, { address, own: address });
void announcer.ready().then(() => console.log('up'));
process.stdin.resume().on('end', () => void announcer.close());
