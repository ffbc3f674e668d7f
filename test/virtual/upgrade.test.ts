import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { closeAll, logs, onCloud, rawCloud, rawImages, reaches, USER1, USER2 } from './lab';
import { userImage } from './images';
import type { DeviceMessage, RawCloud } from './raw-cloud';
import { PACED_HEAD, type RawImages, sendPaced, sendRange } from './raw-images';
import type { ImageScript } from './raw-images';
import { sha256 } from './images';

interface Bench {
  cloud: RawCloud;
  images: RawImages;
  device: VirtualSonoff;
}

/** A device that is ready on its cloud, and an image server. */
async function bench(options: Partial<VirtualSonoffOptions> = {}, script: ImageScript = {}): Promise<Bench> {
  const cloud = await rawCloud();
  const images = await rawImages(script);
  const device = await onCloud(cloud, options);
  await reaches(device, 'ready');
  return { cloud, images, device };
}

async function acknowledgement(cloud: RawCloud): Promise<number | undefined> {
  const [message] = (await once(cloud, 'acknowledged')) as [DeviceMessage];
  return message.error;
}

/** Has the device upgrade itself with user2 and resolves to its acknowledgement's code. */
async function upgrade({ cloud, images }: Bench, changes: Record<string, unknown> = {}): Promise<number | undefined> {
  const code = acknowledgement(cloud);
  cloud.upgrade(images.url('/user2'), USER2, changes);
  return await code;
}

describe('virtual Sonoff: upgrade command', () => {
  afterEach(closeAll);

  const digest = sha256(USER2);
  const entry = (changes: object): Record<string, unknown> => ({
    binList: [{ downloadUrl: 'http://127.0.0.1:1/user2', digest, name: 'user2.bin', ...changes }],
  });
  const refused: [string, Record<string, unknown>, number][] = [
    ['no binList', { binList: undefined }, 400],
    ['only the entry of its own half', entry({ name: 'user1.bin' }), 400],
    ['an entry without a name', entry({ name: undefined }), 400],
    ['https', entry({ downloadUrl: 'https://127.0.0.1/user2' }), 400],
    ['a URL without a path', entry({ downloadUrl: 'http://127.0.0.1' }), 400],
    ['a URL of 150 characters', entry({ downloadUrl: `http://${'h'.repeat(48)}/${'p'.repeat(94)}` }), 400],
    ['a host of 50 characters', entry({ downloadUrl: `http://${'h'.repeat(50)}/user2` }), 400],
    ['a path of 100 characters', entry({ downloadUrl: `http://h/${'p'.repeat(99)}` }), 400],
    ['a digest of 63 characters', entry({ digest: digest.slice(1) }), 400],
    ['a wrong URL and another model', { ...entry({ downloadUrl: 'ftp://x/' }), model: 'PSA-B01-GL' }, 400],
    ['another model', { model: 'PSA-B01-GL' }, 406],
    ['no model', { model: undefined }, 406],
  ];
  for (const [what, changes, code] of refused) {
    it(`answers ${code} to ${what}, before any download`, async () => {
      const here = await bench();
      assert.equal(await upgrade(here, changes), code);
      assert.equal(here.images.connections, 0);
      assert.equal(here.device.state, 'refused');
    });
  }

  it('takes the entry of the half that it does not run from', async () => {
    const here = await bench({ slot: 2 });
    const code = acknowledgement(here.cloud);
    here.cloud.upgrade('', USER1, {
      binList: [
        { downloadUrl: here.images.url('/user1'), digest: sha256(USER1), name: 'user1.bin' },
        { downloadUrl: here.images.url('/user2'), digest: sha256(USER2), name: 'user2.bin' },
      ],
    });
    assert.equal(await code, 0);
    assert.match(here.images.requests[0]!, /^GET \/user1\?/);
    assert.deepEqual(Buffer.from(here.device.flash.subarray(0x1000, 0x1000 + USER1.length)), USER1);
  });

  it('compares versions as text of at most 5 characters where a fault wants it', async () => {
    const here = await bench({ fault: 'refuse-410' });
    assert.equal(await upgrade(here), 410);
    assert.equal(await upgrade(here, { version: '1.5.5' }), 410);
    assert.equal(await upgrade(here, { version: '9.9.9' }), 0);
  });

  for (const code of [400, 404, 405, 406, 409]) {
    it(`refuses with ${code} where a fault wants it`, async () => {
      assert.equal(await upgrade(await bench({ fault: `refuse-${code}` })), code);
    });
  }

  it('answers 409 where the digest is another one, in upper case too', async () => {
    const here = await bench();
    assert.equal(await upgrade(here, entryAt(here, { digest: sha256(USER1) })), 409);
    assert.equal(await upgrade(here, entryAt(here, { digest: digest.toUpperCase() })), 409);
    assert.equal(await upgrade(here), 0, 'and goes on in the same session');
  });

  function entryAt(here: Bench, changes: object): Record<string, unknown> {
    return { binList: [{ downloadUrl: here.images.url('/user2'), digest, name: 'user2.bin', ...changes }] };
  }

  it('ignores a second command while it downloads, and sends no ping', async () => {
    const here = await bench({ timings: { heartbeatUnit: 1 }, behaviours: { blockPauseMs: 50 } });
    here.cloud.upgrade(here.images.url('/user2'), USER2, {}, 'first');
    await reaches(here.device, 'upgrading');
    const frames: Buffer[] = [];
    here.cloud.on('frame', (frame: Buffer) => frames.push(frame));
    here.cloud.upgrade(here.images.url('/user2'), USER2, {}, 'second');
    const [message] = (await once(here.cloud, 'acknowledged')) as [DeviceMessage];
    assert.equal(message.sequence, 'first');
    await logs(here.device, /already upgrading: ignored/);
    assert.equal(frames.filter((frame) => frame[0] === 0x89).length, 0);
  });

  it('falls silent after the download where a fault wants it', async () => {
    const here = await bench({ fault: 'silent-after-upgrade', lingerMs: 20 });
    here.cloud.upgrade(here.images.url('/user2'), USER2);
    assert.equal((await here.device.ended).result, 'silent-after-upgrade');
    assert.equal(here.cloud.messages.filter(({ action }) => action === undefined).length, 0);
  });

  it('reboots into the other slot, and falls back where that holds no user image', async () => {
    const wrong = Buffer.alloc(4096, 0xe9);
    const here = await bench({}, { answer: (_head, socket) => (sendRange(socket, wrong, 0, 4095), true) });
    here.cloud.upgrade(here.images.url('/user2'), wrong);
    await logs(here.device, /wrong magic/);
    await once(here.cloud, 'dispatch');
  });

  it('ends in a boot loop with an image whose checksum is wrong', async () => {
    const broken = userImage(4096);
    broken[4095]! ^= 1;
    const here = await bench({}, { answer: (_head, socket) => (sendRange(socket, broken, 0, 4095), true) });
    here.cloud.upgrade(here.images.url('/user2'), broken);
    assert.equal((await here.device.ended).result, 'boot-loop');
  });
});

describe('virtual Sonoff: download by ranges', () => {
  afterEach(closeAll);

  it('asks for 4096 bytes at a time on one connection, signed, with the sequence from element 3 on', async () => {
    const apikey = 'a1b2c3d4-0000-0000-0000-000000000000';
    const here = await bench({ apikey });
    assert.equal(await upgrade(here), 0);
    const sign = (ts: number): string => sha256(Buffer.from(`10000a1b2c${ts}${apikey}`));
    const request = (ts: number, range: string): string =>
      `GET /user2?deviceid=10000a1b2c&ts=${ts}&sign=${sign(ts)} HTTP/1.1\r\nHost: dl.itead.cn\r\n` +
      `Range: bytes=${range}\r\nUser-Agent: itead-device\r\n\r\n`;
    assert.deepEqual(here.images.requests, [
      request(1270216262, '0-4095'),
      request(1191391529, '4096-8191'),
      request(812669700, `8192-${USER2.length - 1}`),
    ]);
    assert.equal(here.images.askedOn.size, 1);
  });

  it('pads the last sector with FF and leaves the next as it is', async () => {
    const here = await bench();
    const before = Buffer.from(here.device.flash.subarray(0x84000, 0x85000));
    assert.equal(await upgrade(here), 0);
    const { flash } = here.device;
    assert.deepEqual(Buffer.from(flash.subarray(0x81000, 0x81000 + USER2.length)), USER2);
    assert.ok(flash.subarray(0x81000 + USER2.length, 0x84000).every((byte) => byte === 0xff));
    assert.deepEqual(Buffer.from(flash.subarray(0x84000, 0x85000)), before);
  });

  const total = USER2.length;
  const reply = (text: string, body = USER2.subarray(0, 4096)): Buffer => Buffer.concat([Buffer.from(text), body]);
  const refused: [string, Buffer, RegExp][] = [
    ['a 200', reply(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`), /not "HTTP\/1.1 206 Partial Content"/],
    [
      'a 206 of HTTP/1.0',
      reply(`HTTP/1.0 206 Partial Content\r\nContent-Length: 4096\r\nContent-Range: bytes 0-4095/${total}\r\n\r\n`),
      /not "HTTP\/1.1 206/,
    ],
    [
      'a lower-case content-length',
      reply(`HTTP/1.1 206 Partial Content\r\ncontent-length: 4096\r\nContent-Range: bytes 0-4095/${total}\r\n\r\n`),
      /no "Content-Length: "/,
    ],
    [
      'a lower-case content-range',
      reply(`HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\ncontent-range: bytes 0-4095/${total}\r\n\r\n`),
      /no total/,
    ],
    [
      'more than it asked for',
      reply(
        `HTTP/1.1 206 Partial Content\r\nContent-Length: 4097\r\nContent-Range: bytes 0-4096/${total}\r\n\r\n`,
        USER2.subarray(0, 4097),
      ),
      /body over 4096 bytes/,
    ],
    [
      'less than it asked for',
      reply(
        `HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/${total}\r\n\r\n`,
        USER2.subarray(0, 100),
      ),
      /100 bytes instead of 4096/,
    ],
    [
      'a header over 1023 bytes',
      reply(
        `HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\nContent-Range: bytes 0-4095/${total}\r\n` +
          `X: ${'x'.repeat(940)}\r\n\r\n`,
      ),
      /header over 1023 bytes/,
    ],
    [
      'more than 5120 bytes together',
      Buffer.concat([
        reply(
          `HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\nContent-Range: bytes 0-4095/${total}\r\n` +
            `X: ${'x'.repeat(900)}\r\n\r\n`,
        ),
        Buffer.alloc(100),
      ]),
      /reply over 5120 bytes/,
    ],
    [
      'an image over 460 KiB',
      reply('HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\nContent-Range: bytes 0-4095/471041\r\n\r\n'),
      /image over 471040 bytes/,
    ],
    [
      'chunks',
      reply(
        `HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-4095/${total}\r\n\r\n1000\r\n`,
      ),
      /no "Content-Length: "/,
    ],
  ];
  for (const [what, bytes, why] of refused) {
    it(`answers 404 to ${what}`, async () => {
      const here = await bench({}, { answer: (_head, socket) => socket.write(bytes) || true });
      assert.equal(await upgrade(here), 404);
      await logs(here.device, why);
      assert.equal(here.images.requests.length, 1, 'and does not try again');
    });
  }

  it('takes a header of 1023 bytes with 4096 bytes of body', async () => {
    const here = await bench(
      {},
      {
        answer(head, socket) {
          const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!;
          const plain = `HTTP/1.1 206 Partial Content\r\nContent-Length: 4096\r\nContent-Range: bytes ${first}-${last}/${total}\r\n\r\n`;
          sendRange(socket, USER2, Number(first), Number(last), `X: ${'x'.repeat(1023 - plain.length - 5)}\r\n`);
          return true;
        },
      },
    );
    assert.equal(await upgrade(here), 0);
  });

  it('connects again where the server is silent, three times in all', async () => {
    const here = await bench({ timings: { downloadReply: 40 } }, { answer: (_head, _socket, count) => count < 4 });
    assert.equal(await upgrade(here), 0);
    assert.equal(here.images.connections, 4);
    assert.match(here.images.requests[4]!, /bytes=4096-8191/);
  });

  it('gives up when the connection is lost a fourth time', async () => {
    const here = await bench({ fault: 'connection-lost-always' });
    assert.equal(await upgrade(here), 404);
    assert.equal(here.images.connections, 4);
  });

  it('cannot work with a server that closes after each reply', async () => {
    const big = userImage(5 * 4096);
    const here = await bench(
      {},
      {
        answer(head, socket) {
          const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!;
          sendRange(socket, big, Number(first), Number(last), 'Connection: close\r\n');
          socket.end();
          return true;
        },
      },
    );
    const code = acknowledgement(here.cloud);
    here.cloud.upgrade(here.images.url('/big'), big);
    assert.equal(await code, 404);
    const written = Buffer.from(here.device.flash.subarray(0x81000, 0x81000 + big.length));
    assert.deepEqual(written.subarray(0, 4 * 4096), big.subarray(0, 4 * 4096));
    assert.notDeepEqual(written.subarray(4 * 4096), big.subarray(4 * 4096));
  });

  it('continues where it was when the connection is lost once', async () => {
    const here = await bench({ fault: 'connection-lost' });
    assert.equal(await upgrade(here), 0);
    assert.equal(here.images.requests.length, 3);
    assert.equal(here.images.connections, 2);
  });

  it('has 180 s for the whole download', async () => {
    const here = await bench({ timings: { upgrade: 60 } }, { answer: () => true });
    assert.equal(await upgrade(here), 404);
    await logs(here.device, /upgrade time is over/);
  });

  it('crashes once in the middle where a fault wants it, and takes the upgrade afterwards', async () => {
    const here = await bench({ fault: 'crash-during-upgrade' });
    here.cloud.upgrade(here.images.url('/user2'), USER2);
    const [request] = (await once(here.cloud, 'dispatch')) as [string];
    assert.match(request, /"ts":933,/);
    await once(here.cloud, 'ready');
    assert.equal(await upgrade(here), 0);
    const firsts = here.images.requests.filter((head) => head.includes('bytes=0-4095'));
    assert.equal(firsts.length, 2);
    assert.ok(firsts.every((head) => head.includes('ts=1270216262&')));
  });

  it('answers 404 where nothing listens', async () => {
    const here = await bench({ speed: 1000 });
    await here.images.close();
    assert.equal(await upgrade(here), 404);
  });
});

describe('virtual Sonoff: download without ranges', () => {
  // The pace is real time.
  afterEach(closeAll);

  it('asks once, without a range, and takes the proven pace', async () => {
    const here = await bench({ transport: 'no-range' });
    assert.equal(await upgrade(here), 0);
    assert.equal(here.images.requests.length, 1);
    assert.match(
      here.images.requests[0]!,
      /^GET \/user2\?deviceid=10000a1b2c&ts=1270216262&sign=[0-9a-f]{64} HTTP\/1\.1\r\nHost: dl\.itead\.cn\r\nUser-Agent: itead-device\r\n\r\n$/,
    );
    assert.deepEqual(Buffer.from(here.device.flash.subarray(0x81000, 0x81000 + USER2.length)), USER2);
  });

  const head = PACED_HEAD(USER2.length);
  const refused: [string, ImageScript['answer'], RegExp][] = [
    [
      'everything at once',
      (_head, socket) => socket.write(Buffer.concat([Buffer.from(head), USER2])) || true,
      /fed too fast: .* with the header/,
    ],
    [
      '11 bytes of body with the header',
      (_head, socket) => socket.write(Buffer.concat([Buffer.from(head), USER2.subarray(0, 11)])) || true,
      /fed too fast: 11 bytes/,
    ],
    [
      'a body that follows too soon',
      (_head, socket) => (sendPaced(socket, USER2, 250), true),
      /no pause after the header/,
    ],
    [
      'a pace three times the proven one',
      (_head, socket) => (sendPaced(socket, USER2, 1000, 1400, 100), true),
      /fed too fast: \d+ bytes within/,
    ],
    [
      'packets three times the proven ones',
      (_head, socket) => (sendPaced(socket, USER2, 1000, 4200, 300), true),
      /fed too fast: 4200 bytes within/,
    ],
    [
      'a header in two segments',
      (_head, socket) => (
        socket.write(head.slice(0, 20), () => setTimeout(() => socket.write(head.slice(20)), 50)),
        true
      ),
      /not whole in the first segment/,
    ],
    ['a 206', (_head, socket) => (sendRange(socket, USER2, 0, 4095), true), /not "HTTP\/1.1 200 OK"/],
    [
      'a lower-case content-length',
      (_head, socket) => socket.write(head.replace('Content-L', 'content-l')) || true,
      /no "Content-Length: "/,
    ],
    ['an image over 460 KiB', (_head, socket) => socket.write(PACED_HEAD(471_041)) || true, /body over 471040 bytes/],
    ['a connection that ends too soon', (_head, socket) => (socket.end(head), true), /closed after 0 of/],
  ];
  for (const [what, answer, why] of refused) {
    it(`answers 404 to ${what}`, async () => {
      const here = await bench({ transport: 'no-range' }, { answer: answer! });
      assert.equal(await upgrade(here), 404);
      await logs(here.device, why);
      assert.equal(here.images.requests.length, 1);
    });
  }

  it('takes the header alone, and a sender that is slower than it must be', async () => {
    const here = await bench(
      { transport: 'no-range' },
      {
        answer(_head, socket) {
          socket.write(head);
          setTimeout(() => socket.write(USER2.subarray(0, 1400)), 700);
          setTimeout(() => socket.write(USER2.subarray(1400, 2800)), 1500);
          setTimeout(() => sendRest(2800), 1900);
          const sendRest = (position: number): void => {
            socket.write(USER2.subarray(position, position + 1400));
            if (position < USER2.length) setTimeout(() => sendRest(position + 1400), 300);
          };
          return true;
        },
      },
    );
    assert.equal(await upgrade(here), 0);
  });

  it('does not connect again when the connection is lost', async () => {
    const here = await bench({ transport: 'no-range', behaviours: { losesConnectionAtByte: 4096 } });
    assert.equal(await upgrade(here), 404);
    assert.equal(here.images.connections, 1);
  });
});
