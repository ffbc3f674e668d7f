import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FINAL, closeAll, postAp, RawClient, rawCloud, rawImages, reaches, sonoff, USER1, USER2 } from './lab';
import { sha256 } from './images';
import type { Transport } from '../../lib/virtual/virtual-sonoff';

describe('virtual Sonoff: a whole flash', () => {
  afterEach(closeAll);

  const cases: { transport: Transport; slot: 1 | 2 }[] = [
    { transport: 'range', slot: 1 },
    { transport: 'range', slot: 2 },
    { transport: 'no-range', slot: 1 },
    { transport: 'plain', slot: 2 },
  ];
  for (const { transport, slot } of cases) {
    it(`goes from its access point to the final image (${transport}, stock in user${slot})`, async () => {
      const cloud = await rawCloud({}, transport !== 'plain');
      const images = await rawImages();
      const device = sonoff({ transport, slot, legacyPort: cloud.port });
      const states: string[] = [];
      device.on('state', (state: string) => states.push(state));
      const { apPort } = await device.start();
      const phone = await RawClient.connect(apPort);
      phone.socket.write('GET /device HTTP/1.1\r\n\r\n');
      assert.match(await phone.answer(), /"deviceid":"10000a1b2c"/);
      phone.socket.write(postAp({ ssid: 'home', password: 'top secret', serverName: '127.0.0.1', port: cloud.port }));
      await once(cloud, 'ready');
      const image = slot === 1 ? USER2 : USER1;
      cloud.upgrade(images.url(slot === 1 ? '/user2' : '/user1'), image);
      const [acknowledgement] = (await once(cloud, 'acknowledged')) as [{ error: number; sequence: string }];
      assert.equal(acknowledgement.error, 0);
      assert.equal(acknowledgement.sequence, '1500000000000');
      const { result, flashSha256, log } = await device.ended;
      assert.equal(result, 'flashed', log.join('\n'));
      assert.equal(flashSha256, sha256(FINAL));
      assert.deepEqual(Buffer.from(device.flash.subarray(0, FINAL.length)), FINAL);
      assert.equal(states.filter((state) => state === 'finalstage').length, slot);
      assert.equal(device.state, 'ended');
      assert.ok(!log.join('\n').includes('top secret'));
      await reaches(device, 'ended');
    });
  }
});
