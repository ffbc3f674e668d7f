import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import { sha256 } from '../images';
import { closeAll, logs, reaches } from '../lab';
import { sendRange } from '../raw-images';
import { appImage } from './image';
import { type Script, serving, type ServedRequest } from './image-server';
import { command, flash, ID, IMAGE, inDiyMode } from './lab';

const unlocked = (options: Partial<VirtualDiyOptions> = {}): Promise<Awaited<ReturnType<typeof inDiyMode>>> =>
  inDiyMode({ otaUnlock: true, ...options });

/** Answers the n-th request with these bytes, whatever it is. */
const answering =
  (index: number, bytes: string | Buffer): Script =>
  (request) => {
    if (request.index !== index) return false;
    request.socket.write(bytes);
    return true;
  };

describe('virtual DIY device: flash', () => {
  afterEach(closeAll);

  it('asks for ranges of 4096 bytes, one after the other, and boots what it was given', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked({ version: '3.5.0', apikey: 'a1b2c3d4-0000-0000-0000-000000000000' });
    assert.deepEqual((await flash(port, images)).error, 0);
    assert.equal(await images.result(), 0);
    const { result, flashSha256 } = await device.ended;
    assert.equal(result, 'flashed');
    assert.equal(flashSha256, sha256(IMAGE));
    const ranges = images.requests.map((head) => /Range: bytes=(\S+)/.exec(head)?.[1]);
    assert.deepEqual(ranges, ['0-4095', '4096-8191', '8192-12287', '12288-16383', '16384-20003']);
    assert.equal(
      images.requests[0],
      'GET /t.bin?deviceid=10000a1b2c&ts=1481765933&sign=' +
        `${sha256(Buffer.from('10000a1b2c1481765933a1b2c3d4-0000-0000-0000-000000000000'))} HTTP/1.1\r\n` +
        'Range: bytes=0-4095\r\nHost: dl.itead.cn\r\nUser-Agent: itead-device\r\n\r\n',
    );
    assert.deepEqual(images.counters, [1481765933, 1085377743, 1270216262, 1191391529, 812669700]);
    assert.equal(images.connections, 2, 'one for the image, one for the result');
  });

  it('leaves the upper half of its flash alone, where its stock firmware is', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked();
    const before = Buffer.from(device.flash.slice(0x80000));
    await flash(port, images);
    await device.ended;
    assert.ok(before.equals(device.flash.subarray(0x80000)));
  });

  it('takes an image of 520192 bytes', async () => {
    const images = await serving(appImage(520_192));
    const { device, port } = await unlocked();
    assert.equal((await flash(port, images)).error, 0);
    assert.equal((await device.ended).flashSha256, sha256(images.image));
  });

  it('refuses an image of a byte more with 413, after one request', async () => {
    const images = await serving(Buffer.alloc(520_193, 1));
    const { device, port } = await unlocked();
    assert.equal((await flash(port, images)).error, 413);
    await reaches(device, 'refused');
    assert.equal(images.requests.length, 1);
    assert.deepEqual(images.results, []);
  });

  it('refuses with 403 where it is locked', async () => {
    const { port } = await inDiyMode();
    const images = await serving(IMAGE);
    assert.equal((await flash(port, images)).error, 403);
    assert.equal(images.connections, 0);
  });

  const orders: [string, object, number][] = [
    ['no downloadUrl', { downloadURL: 'http://127.0.0.1:1/t.bin', sha256sum: 'a'.repeat(64) }, 422],
    ['no sha256sum', { downloadUrl: 'http://127.0.0.1:1/t.bin' }, 422],
    ['a short sha256sum', { downloadUrl: 'http://127.0.0.1:1/t.bin', sha256sum: 'a'.repeat(63) }, 422],
    ['https', { downloadUrl: 'https://127.0.0.1:1/t.bin', sha256sum: 'a'.repeat(64) }, 422],
    ['no path', { downloadUrl: 'http://127.0.0.1:1', sha256sum: 'a'.repeat(64) }, 422],
    ['a URL without a port', { downloadUrl: 'http://127.0.0.1/t.bin', sha256sum: 'a'.repeat(64) }, 424],
    ['a host name', { downloadUrl: 'http://localhost:1/t.bin', sha256sum: 'a'.repeat(64) }, 424],
    ['a port where nothing listens', { downloadUrl: 'http://127.0.0.1:1/t.bin', sha256sum: 'a'.repeat(64) }, 424],
    [
      'a path that does not fit its buffer',
      { downloadUrl: `http://127.0.0.1:%/${'x'.repeat(400)}`, sha256sum: 'a'.repeat(64) },
      424,
    ],
  ];
  for (const [what, data, error] of orders) {
    it(`refuses ${what} with ${error}`, async () => {
      const images = await serving(IMAGE);
      const { port } = await unlocked();
      const order = JSON.parse(JSON.stringify(data).replace('%', String(images.port))) as object;
      assert.equal((await command(port, 'ota_flash', order)).error, error);
      assert.deepEqual(images.requests, []);
    });
  }

  const piece = IMAGE.subarray(0, 4096).toString('latin1');
  const total = `Content-Range: bytes 0-4095/${IMAGE.length}\r\n`;
  const partial = 'HTTP/1.1 206 Partial Content\r\n';
  const replies: [string, string, number][] = [
    ['404', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 424],
    ['400', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', 408],
    ['the whole file', `HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n${piece}`, 424],
    ['another reason phrase', `HTTP/1.1 206 OK\r\nContent-Length: 4096\r\n${total}\r\n${piece}`, 408],
    ['a lower-case content-length', `${partial}content-length: 4096\r\n${total}\r\n${piece}`, 424],
    ['a lower-case content-range', `${partial}Content-Length: 4096\r\n${total.toLowerCase()}\r\n${piece}`, 424],
    ['a total that is unknown', `${partial}Content-Length: 4096\r\nContent-Range: bytes 0-4095/*\r\n\r\n${piece}`, 424],
    ['a piece of 4097 bytes', `${partial}Content-Length: 4097\r\n${total}\r\n${piece}x`, 424],
    ['a piece that is too short', `${partial}Content-Length: 4095\r\n${total}\r\n${piece.slice(1)}`, 424],
    ['more bytes than announced', `${partial}Content-Length: 4096\r\n${total}\r\n${piece}x`, 424],
    ['a long header', `${partial}X: ${'x'.repeat(1024)}\r\nContent-Length: 4096\r\n${total}\r\n${piece}`, 424],
    ['half of a header', `${partial}Content-Length: 4096\r\n`, 424],
  ];
  for (const [what, bytes, error] of replies) {
    it(`ends with ${error} at ${what}`, async () => {
      const images = await serving(IMAGE, answering(0, Buffer.from(bytes, 'latin1')));
      const { device, port } = await unlocked();
      assert.equal((await flash(port, images)).error, error);
      await reaches(device, 'refused');
      assert.deepEqual(images.results, [], 'its reply has told it already');
      assert.equal((await command(port, 'info')).error, 0);
    });
  }

  it('takes the wrong form of Content-Range that its vendor sends', async () => {
    const images = await serving(IMAGE, ({ head, socket }) => {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!.map(Number) as [number, number, number];
      const body = IMAGE.subarray(first, last + 1);
      const lines = `${partial}Content-Length: ${body.length}\r\nContent-Range: bytes=${first}-${last}/${IMAGE.length}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(lines), body]));
      return true;
    });
    const { device, port } = await unlocked();
    await flash(port, images);
    assert.equal((await device.ended).result, 'flashed');
  });

  it('times out with 408 where no reply comes, and where it cannot connect', async () => {
    const images = await serving(IMAGE, () => true);
    const silent = await unlocked({ timings: { downloadReply: 20 } });
    assert.equal((await flash(silent.port, images)).error, 408);
    const blocked = await unlocked({ fault: 'download-blocked', timings: { connect: 20 } });
    assert.equal((await flash(blocked.port, images)).error, 408);
  });

  it('reports 404 where a later piece is wrong', async () => {
    const images = await serving(IMAGE, answering(2, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    const { device, port } = await unlocked();
    assert.equal((await flash(port, images)).error, 0);
    assert.equal(await images.result(), 404);
    await reaches(device, 'refused');
  });

  it('reports 409 for an upper-case digest, and can be asked again', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked();
    assert.equal((await flash(port, images, sha256(IMAGE).toUpperCase())).error, 0);
    assert.equal(await images.result(), 409);
    await reaches(device, 'refused');
    assert.equal((await flash(port, images)).error, 0);
    assert.equal((await device.ended).result, 'flashed');
    assert.deepEqual(images.results, [409, 0]);
  });

  it('connects again where the server closes between two pieces', async () => {
    const images = await serving(IMAGE, ({ index, socket, head }) => {
      if (index !== 2) return false;
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!.map(Number) as [number, number, number];
      sendRange(socket, IMAGE, first, last);
      socket.end();
      return true;
    });
    const { device, port } = await unlocked();
    await flash(port, images);
    assert.equal((await device.ended).result, 'flashed');
    assert.equal(images.connections, 3);
  });

  const hosts: [Partial<VirtualDiyOptions>, RegExp | undefined][] = [
    [{ version: '3.3.0' }, /\r\nHost: dl\.itead\.cn\r\n/],
    [{ version: '3.6.0' }, /\r\nHost: dl\.itead\.cn\r\n/],
    [{ version: '3.7.6' }, /\r\nHost: 127\.0\.0\.1\r\n/],
    [{ version: '3.8.1' }, /\r\nHost: 127\.0\.0\.1:%\r\n/],
    [{ behaviours: { downloadHost: 'none' } }, undefined],
  ];
  for (const [options, host] of hosts) {
    it(`asks ${host?.source ?? 'without a Host'} with ${JSON.stringify(options)}`, async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked(options);
      await flash(port, images);
      await device.ended;
      for (const head of images.requests) {
        if (host) assert.match(head, new RegExp(host.source.replace('%', String(images.port))));
        else assert.doesNotMatch(head, /Host/);
      }
    });
  }

  it('asks as the bulb does with that fault: no slash, no query, no Host, no User-Agent', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked({ fault: 'request-line-broken' });
    await flash(port, images);
    await device.ended;
    assert.equal(images.requests[1], 'GET t.bin HTTP/1.1\r\nRange: bytes=4096-8191\r\n\r\n');
  });

  describe('when it answers', () => {
    /** How many ranges were asked for when the reply came, and the reply. */
    async function replyWith(fault: string): Promise<{ before: number; error: number; result: unknown }> {
      let release!: () => void;
      const held = new Promise<void>((resolve) => (release = resolve));
      const images = await serving(IMAGE, (request) => {
        const isHeld = fault === 'reply-before-range' || request.index === 1;
        if (!isHeld || fault === 'reply-after-last-range') return false;
        void held.then(() => answer(request));
        return true;
      });
      const { device, port } = await unlocked({ fault });
      const { error } = await flash(port, images);
      const before = images.requests.length;
      release();
      const { result } = await device.ended;
      return { before, error, result };
    }

    function answer({ head, socket }: ServedRequest): void {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!.map(Number) as [number, number, number];
      sendRange(socket, IMAGE, first, last);
    }

    it('before the first range', async () => {
      const { before, error, result } = await replyWith('reply-before-range');
      assert.ok(before <= 1);
      assert.deepEqual([error, result], [0, 'flashed']);
    });

    it('after the first range, as it comes', async () => {
      const { before, error, result } = await replyWith('');
      assert.ok(before >= 1 && before <= 2);
      assert.deepEqual([error, result], [0, 'flashed']);
    });

    it('after the last range', async () => {
      assert.deepEqual(await replyWith('reply-after-last-range'), { before: 5, error: 0, result: 'flashed' });
    });
  });

  it('never answers with that fault, and is flashed', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked({ fault: 'reply-never' });
    const order = { downloadUrl: images.url, sha256sum: sha256(IMAGE) };
    await assert.rejects(command(port, 'ota_flash', order), SyntaxError, 'an empty reply');
    assert.equal((await device.ended).result, 'flashed');
  });

  it('takes no second flash while one runs', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked({ fault: 'stall-mid-way' });
    await flash(port, images);
    await logs(device, /held at byte/);
    assert.equal((await command(port, 'info')).error, 0);
    const second = flash(port, images).catch((error: unknown) => error);
    await logs(device, /ota_flash: silence/);
    device.behave({ holdsAtByte: undefined });
    assert.equal((await device.ended).result, 'flashed');
    await second;
  });

  describe('result', () => {
    it('is no condition for the start of the new firmware', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'result-never' });
      await flash(port, images);
      assert.equal((await device.ended).result, 'flashed');
      assert.deepEqual(images.results, []);
    });

    it('comes in the exact words, without a User-Agent, to the server of the image', async () => {
      const images = await serving(IMAGE);
      const { port } = await unlocked();
      const report = once(images, 'report') as Promise<[ServedRequest]>;
      await flash(port, images);
      const [{ head, body }] = await report;
      assert.equal(body, '{"error":0}');
      assert.match(
        head,
        new RegExp(
          `^POST /api/device/otaFlash HTTP/1\\.1\\r\\nHost: 127\\.0\\.0\\.1:${images.port}\\r\\nAuthorization: Sign [0-9a-f]{64}\\r\\n` +
            'Content-Type: application/json\\r\\nConnection: close\\r\\nContent-Length: 11\\r\\n\\r\\n$',
        ),
      );
    });

    it('may lack its Content-Length', async () => {
      const images = await serving(IMAGE);
      const { port } = await unlocked({ behaviours: { resultHasLength: false } });
      const report = once(images, 'report') as Promise<[ServedRequest]>;
      await flash(port, images);
      const [{ head, body }] = await report;
      assert.doesNotMatch(head, /Content-Length/i);
      assert.equal(body, '{"error":0}');
    });

    for (const code of [404, 406, 409, 410]) {
      it(`is ${code} with that fault, and nothing restarts`, async () => {
        const images = await serving(IMAGE);
        const { device, port } = await unlocked({ fault: `result-${code}` });
        assert.equal((await flash(port, images)).error, 0);
        assert.equal(await images.result(), code);
        await reaches(device, 'refused');
        assert.equal((await command(port, 'info')).error, 0);
      });
    }
  });

  it('answers each of its errors with the fault of that name', async () => {
    const images = await serving(IMAGE);
    for (const code of [400, 403, 404, 408, 413, 422, 424, 500, 503]) {
      const { device, port } = await unlocked({ fault: `flash-${code}` });
      assert.equal((await flash(port, images)).error, code);
      await device.stop();
    }
    assert.equal(images.connections, 0);
  });

  describe('in mid-way', () => {
    it('answers 471 for a bit that flipped, lives as long as it has power, and can be asked again', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'flash-471' });
      assert.equal((await flash(port, images)).error, 471);
      assert.equal(await images.result(), 409);
      await reaches(device, 'refused');
      assert.equal((await flash(port, images)).error, 0);
      assert.equal((await device.ended).result, 'flashed');
    });

    it('is dead when it is restarted after 471', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'flash-471' });
      assert.equal((await flash(port, images)).error, 471);
      await reaches(device, 'refused');
      device.powerCycle();
      assert.equal((await device.ended).result, 'half-written');
    });

    it('comes back with its stock firmware where it reboots, unlocked, and counts from 0', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'reboot-mid-way' });
      const lan = once(device, 'lan');
      await flash(port, images);
      const [again] = (await lan) as [{ port: number }];
      assert.equal(((await command(again.port, 'info')).data as { otaUnlock: boolean }).otaUnlock, true);
      await flash(again.port, images);
      assert.equal((await device.ended).result, 'flashed');
      assert.equal(images.counters.filter((ts) => ts === 1481765933).length, 2);
    });

    it('never starts again where its boot loader was overwritten first', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'dead-mid-way' });
      await flash(port, images);
      assert.equal((await device.ended).result, 'half-written');
    });

    it('is off its Wi-Fi until it is restarted', async () => {
      const left: string[] = [];
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({
        fault: 'wifi-lost',
        radio: { leaveHome: () => void left.push('left') },
      });
      await flash(port, images);
      await reaches(device, 'not-joined');
      assert.deepEqual(left, ['left']);
      assert.deepEqual(images.results, []);
      const lan = once(device, 'lan');
      device.powerCycle();
      const [again] = (await lan) as [{ port: number }];
      assert.equal((await command(again.port, 'info')).error, 0);
    });

    it('joins again where its Wi-Fi returns, and continues counting', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'wifi-lost', behaviours: { wifiReturns: true } });
      const lan = once(device, 'lan');
      await flash(port, images);
      const [again] = (await lan) as [{ port: number }];
      await flash(again.port, images);
      assert.equal((await device.ended).result, 'flashed');
      assert.equal(new Set(images.counters).size, images.counters.length);
    });

    it('stalls until it is let go', async () => {
      const images = await serving(IMAGE);
      const { device, port } = await unlocked({ fault: 'stall-mid-way' });
      await flash(port, images);
      await logs(device, /held at byte 8192/);
      assert.equal(images.requests.length, 2);
      device.behave({ holdsAtByte: undefined });
      assert.equal((await device.ended).result, 'flashed');
    });

    it('gets over a lost connection, and not over many', async () => {
      const images = await serving(IMAGE);
      const once = await unlocked({ fault: 'connection-lost' });
      await flash(once.port, images);
      assert.equal((await once.device.ended).result, 'flashed');
      const many = await unlocked({ fault: 'connection-lost-always' });
      const results = images.results.length;
      await flash(many.port, images);
      await reaches(many.device, 'refused');
      assert.equal(images.results[results], 404);
    });
  });

  it('uses the deviceid in its requests that its announcement has', async () => {
    const images = await serving(IMAGE);
    const { device, port } = await unlocked();
    await flash(port, images);
    await device.ended;
    assert.ok(images.requests.every((head) => head.includes(`deviceid=${ID}&`)));
  });
});
