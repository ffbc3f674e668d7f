/** A DIY device as a process of its own in a network namespace, whose address there is given: prints its log. */
import { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';

const address = process.argv[2] ?? '';
const device = new VirtualDiySonoff({
  ...{ apAddress: '127.0.0.1', apPort: 0, speed: 100, deviceid: '10000a1b2c', startsIn: 'diy', localAddress: address },
  radio: { joinHome: () => address },
});
device.on('log', (line) => console.log(line));
process.stdin.on('end', () => void device.stop()).resume();
void device.start();
