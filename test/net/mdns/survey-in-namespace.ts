/** A process of its own in a network namespace: a host that prints each change in the list of all Sonoffs. */
import { FlashHost } from '../../../lib/flash/host/host';

const PORTS = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };

const host = new FlashHost({ bind: '127.0.0.1', address: '', ...PORTS }, undefined);
host.survey.watch('this test', (changes) => {
  for (const { event, device } of changes) {
    const { deviceid, address, recommendation } = device;
    console.log(JSON.stringify({ event, deviceid, address, method: recommendation.method }));
  }
});
process.stdin.resume().on('end', () => void host.close());
