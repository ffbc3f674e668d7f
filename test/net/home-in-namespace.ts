/** A process of its own in a network namespace: prints what it takes for the home network each time it is asked. */
import { createInterface } from 'node:readline';
import { localIPv4 } from '../../lib/net/addresses';
import { HomeNetwork } from '../../lib/net/home-network';

let isFlashing = false;
const home = new HomeNetwork();

createInterface({ input: process.stdin }).on('line', (line) => {
  isFlashing = line === 'look while it flashes';
  home.join({ isFlashing: () => isFlashing, wifiName: () => undefined });
  void home.update().then((address) => {
    const { choice } = home;
    const candidates = choice.home ? [] : choice.candidates.map((one) => one.address);
    const kinds = Object.fromEntries(localIPv4().map(({ name, kind }) => [name, kind]));
    console.log(JSON.stringify({ address, reason: choice.home && choice.reason, candidates, kinds }));
  });
});
