import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { closeAll, FINAL, logs, rawImages, reaches, sonoff, USER2 } from './lab';
import { sha256 } from './images';
import { type ImageScript, type RawImages, sendWhole } from './raw-images';
import { RawServer, eachRequest } from './raw-server';

interface Bench {
  images: RawImages;
  device: VirtualSonoff;
}

/** A device that starts in the intermediate firmware; slot 1 = stock ran from user1, so this runs from user2. */
async function bench(options: Partial<VirtualSonoffOptions> = {}, script: ImageScript = {}): Promise<Bench> {
  const images = await rawImages(script);
  const finalStageHost = { address: '127.0.0.1', port: images.port };
  const device = sonoff({ startAt: 'finalstage', finalStageHost, ...options });
  await device.start();
  return { images, device };
}

const fetches = (images: RawImages): string[] => images.requests.map((head) => head.split('\r\n', 1)[0]!);

describe('virtual Sonoff: FinalStage', () => {
  afterEach(closeAll);

  it('connects without a word first, then asks as the ESP8266 core does', async () => {
    const { images, device } = await bench();
    assert.equal((await device.ended).result, 'flashed');
    assert.deepEqual(images.requests, [
      `GET /ota/image_arduino.bin HTTP/1.0\r\nHost: 127.0.0.1:${images.port}\r\n` +
        'User-Agent: ESP8266HTTPClient\r\nConnection: close\r\n\r\n',
    ]);
    assert.equal(images.connections, 2);
  });

  it('takes two rounds from user1, and holds exactly the final image', async () => {
    const { images, device } = await bench({ slot: 2 });
    const { result, flashSha256 } = await device.ended;
    assert.equal(result, 'flashed');
    assert.deepEqual(fetches(images), [
      'GET /ota/image_user2-0x81000.bin HTTP/1.0',
      'GET /ota/image_arduino.bin HTTP/1.0',
    ]);
    assert.equal(flashSha256, sha256(FINAL));
    assert.deepEqual(Buffer.from(device.flash.subarray(0, FINAL.length)), FINAL);
    assert.ok(device.flash.subarray(FINAL.length, 0x80000).every((byte) => byte === 0xff));
    assert.deepEqual(Buffer.from(device.flash.subarray(0x81000, 0x81000 + USER2.length)), USER2);
  });

  it('connects again and again until it is answered', async () => {
    const spare = await new RawServer(() => undefined).listen();
    const { port } = spare;
    await spare.close();
    const device = sonoff({ startAt: 'finalstage', finalStageHost: { address: '127.0.0.1', port } });
    await device.start();
    await reaches(device, 'finalstage');
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      eachRequest(socket, () => sendWhole(socket, FINAL));
    });
    server.listen(port, '127.0.0.1');
    assert.equal((await device.ended).result, 'flashed');
    await new Promise((resolve) => server.close(resolve));
  });

  it('answers a connect to its own address while it is there, and no longer', async () => {
    const images = await rawImages({ answer: () => true });
    const device = sonoff({ startAt: 'finalstage', finalStageHost: { address: '127.0.0.1', port: images.port } });
    const listening = once(device, 'finalstage');
    await device.start();
    const [port] = (await listening) as [number];
    const probe = net.connect(port, '127.0.0.1');
    await once(probe, 'connect');
    await once(probe.resume(), 'close');
    await device.stop();
    const late = net.connect(port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  const taken: [string, string][] = [
    ['header names in lower case', `HTTP/1.1 200 OK\r\ncontent-length: ${FINAL.length}\r\n\r\n`],
    ['an empty Transfer-Encoding', `HTTP/1.0 200 OK\r\nTransfer-Encoding: \r\nContent-Length: ${FINAL.length}\r\n\r\n`],
  ];
  for (const [what, head] of taken) {
    it(`takes ${what}`, async () => {
      const { device } = await bench({}, { answer: (_head, socket) => (socket.write(head), socket.end(FINAL), true) });
      assert.equal((await device.ended).result, 'flashed');
    });
  }

  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${FINAL.length}\r\n\r\n`;
  const refused: [string, (socket: net.Socket) => void][] = [
    ['a 404', (socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')],
    ['a 206', (socket) => socket.end(Buffer.concat([Buffer.from(head.replace('200 OK', '206 Partial')), FINAL]))],
    ['a redirect', (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5000\r\n\r\n')],
    ['no Content-Length', (socket) => socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), FINAL]))],
    [
      'chunks',
      (socket) =>
        socket.end(
          Buffer.concat([Buffer.from(head.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n')), FINAL]),
        ),
    ],
    ['an image below 4096 bytes', (socket) => sendWhole(socket, FINAL.subarray(0, 4095))],
    ['an image over 512 KiB', (socket) => sendWhole(socket, FINAL, 0x80001)],
    ['a user image', (socket) => sendWhole(socket, USER2)],
    ['a connection that ends in the header', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
  ];
  for (const [what, answer] of refused) {
    it(`tries three times with ${what}, then restarts and appears again`, async () => {
      const { images, device } = await bench(
        {},
        { answer: (_head, socket, count) => (count <= 3 ? (answer(socket), true) : false) },
      );
      const states: string[] = [];
      device.on('state', (state: string) => states.push(state));
      assert.equal((await device.ended).result, 'flashed');
      assert.equal(images.requests.length, 4);
      const appearances = states.filter((state) => state === 'finalstage').length;
      assert.equal(appearances, 2);
    });
  }

  it('waits 5 s for a header and no longer', async () => {
    const { images, device } = await bench(
      { timings: { finalStageHeader: 30 } },
      { answer: (_head, _socket, count) => count <= 1 },
    );
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(images.requests.length, 2);
  });

  it('hangs when the stream stalls behind the erase, and is half-erased after a power-cycle', async () => {
    const { images, device } = await bench(
      { lingerMs: 300 },
      {
        answer(_head, socket) {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${FINAL.length}\r\n\r\n`);
          socket.write(FINAL.subarray(0, 9000));
          return true;
        },
      },
    );
    await reaches(device, 'erased');
    // The last whole block before the stall is in the flash.
    while (device.flash[8191] === 0xff && device.flash[8190] === 0xff) await new Promise(setImmediate);
    assert.deepEqual(Buffer.from(device.flash.subarray(4096, 8192)), FINAL.subarray(4096, 8192));
    assert.equal(device.flash[0], 0xe9);
    assert.notDeepEqual(Buffer.from(device.flash.subarray(0, 4096)), FINAL.subarray(0, 4096), 'sector 0 is the last');
    device.powerCycle();
    await reaches(device, 'half-erased');
    const before = images.connections;
    assert.equal((await device.ended).result, 'half-erased');
    assert.ok(images.connections > before + 3, 'it goes on connecting');
    assert.equal(images.requests.length, 1, 'and asks for nothing');
  });

  it('hangs when the stream ends too soon', async () => {
    const { images, device } = await bench(
      { lingerMs: 20 },
      { answer: (_head, socket) => (sendWhole(socket, FINAL.subarray(0, 10_000), FINAL.length), true) },
    );
    await reaches(device, 'hanging');
    assert.equal((await device.ended).result, 'stream-broken');
    assert.equal(images.requests.length, 1);
  });

  it('loses its power while it writes where a fault wants it', async () => {
    const { images, device } = await bench({ fault: 'stream-cut', lingerMs: 100 });
    await reaches(device, 'half-erased');
    assert.equal((await device.ended).result, 'half-erased');
    assert.equal(images.requests.length, 1);
    assert.equal(device.flash[0x1000], FINAL[0x1000], 'the first blocks were written');
  });

  it('can connect once only where it is half-erased', async () => {
    const { images, device } = await bench({
      fault: 'stream-cut',
      behaviours: { halfErasedDials: 'once' },
      lingerMs: 150,
    });
    await device.ended;
    assert.equal(images.connections, 3, 'a connect, the request, a connect');
  });

  it('recovers from a stream of user2 that broke off: the boot flags are erased, so user1 starts again', async () => {
    const { images, device } = await bench(
      { slot: 2 },
      {
        answer(_head, socket, count) {
          if (count > 1) return false;
          sendWhole(socket, USER2.subarray(0, 6000), USER2.length);
          return true;
        },
      },
    );
    await reaches(device, 'hanging');
    device.powerCycle();
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(images.requests.length, 3);
  });

  for (const fault of ['finalstage-stolen', 'finalstage-blocked']) {
    it(`dials no host with ${fault}, and continues when that is over`, async () => {
      const told: boolean[] = [];
      const { images, device } = await bench({
        fault,
        radio: { openAccessPoint: ({ stolen }) => void told.push(stolen === true) },
      });
      await reaches(device, 'finalstage');
      assert.deepEqual(told, [fault === 'finalstage-stolen']);
      assert.equal(images.connections, 0);
      device.behave({ finalStageDials: true });
      assert.equal((await device.ended).result, 'flashed');
    });
  }

  it('takes everything slowly where a fault wants it', async () => {
    const { device } = await bench({ fault: 'slow-drip', behaviours: { blockPauseMs: 10 } });
    const start = performance.now();
    assert.equal((await device.ended).result, 'flashed');
    assert.ok(performance.now() - start > 150);
  });

  it('waits for its radio before it dials, and after it is done', async () => {
    const calls: string[] = [];
    const { images, device } = await bench({
      radio: {
        openAccessPoint: async ({ ssid }) => {
          await new Promise(setImmediate);
          calls.push(`${ssid} ${images.connections}`);
        },
        closeAccessPoint: () => void calls.push('down'),
      },
    });
    await device.ended;
    assert.deepEqual(calls, ['FinalStage 0', 'down']);
    await logs(device, /state: new-firmware/);
  });
});
