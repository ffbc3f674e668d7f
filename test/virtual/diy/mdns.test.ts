import assert from 'node:assert/strict';
import { createDecipheriv, createHash } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { VirtualDiyOptions } from '../../../lib/virtual/diy/options';
import type { VirtualDiySonoff } from '../../../lib/virtual/diy/virtual-diy-sonoff';
import { closeAll, logs, opened } from '../lab';
import { command, diySonoff, ID } from './lab';

const GROUP = '224.0.0.251';
const LOOPBACK = '127.0.0.1';
const TYPES = { A: 1, PTR: 12, TXT: 16, SRV: 33, ANY: 255 };

/** Labels with their lengths, by hand. */
const SERVICE = '\x08_ewelink\x04_tcp\x05local\0';
const HOST = `\x12eWeLink_${ID}`;
const INSTANCE = HOST + SERVICE;
const TARGET = `${HOST}\x05local\0`;

/** A question as bytes. */
function question(name: string, type: number, id = 0): Buffer {
  const header = Buffer.from([id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, Buffer.from(name, 'latin1'), Buffer.from([0, type, 0, 1])]);
}

interface Heard {
  readonly packet: Buffer;
  readonly port: number;
  /** The types of the records, in order. */
  readonly types: number[];
}

/** Multicast on loopback, at a port of its own, so that other devices on this machine stay out of it. */
class Air {
  readonly heard: Heard[] = [];
  private constructor(
    readonly port: number,
    readonly socket: dgram.Socket,
  ) {
    socket.on('message', (packet, { port: from }) => {
      if (packet[2]! & 0x80) this.heard.push({ packet, port: from, types: typesIn(packet) });
      socket.emit('heard');
    });
  }

  static async open(): Promise<Air> {
    const probe = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => probe.bind(0, LOOPBACK, resolve));
    const { port } = probe.address();
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
    await new Promise<void>((resolve) => socket.bind(port, '0.0.0.0', resolve));
    socket.setMulticastInterface(LOOPBACK);
    socket.addMembership(GROUP, LOOPBACK);
    opened({ close: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
    return new Air(port, socket);
  }

  ask(name: string, type: number): void {
    this.socket.send(question(name, type), this.port, GROUP);
  }

  /** The first packet that has come or will come with these types of records. */
  async packetWith(...types: number[]): Promise<Buffer> {
    for (;;) {
      const found = this.heard.find((heard) => String(heard.types) === String(types));
      if (found) return found.packet;
      await once(this.socket, 'heard');
    }
  }
}

/** The types of all answers. The device compresses nothing. */
function typesIn(packet: Buffer): number[] {
  const types: number[] = [];
  let at = 12;
  for (let i = packet.readUInt16BE(4); i > 0; i--) at = nameEnd(packet, at) + 4;
  for (let i = packet.readUInt16BE(6); i > 0; i--) {
    at = nameEnd(packet, at);
    types.push(packet.readUInt16BE(at));
    at += 10 + packet.readUInt16BE(at + 8);
  }
  assert.equal(at, packet.length, 'nothing stands behind the last record');
  return types;
}

function nameEnd(packet: Buffer, start: number): number {
  let at = start;
  while (packet[at] !== 0) at += packet[at]! + 1;
  return at + 1;
}

/** The strings of the TXT record in a packet. */
function txtIn(packet: Buffer): string[] {
  const name = Buffer.from(INSTANCE, 'latin1');
  const mark = Buffer.concat([name, Buffer.from([0, TYPES.TXT])]);
  let at = packet.indexOf(mark) + mark.length + 8;
  const end = at + packet.readUInt16BE(at - 2);
  const strings: string[] = [];
  while (at < end) {
    strings.push(packet.toString('utf8', at + 1, at + 1 + packet[at]!));
    at += packet[at]! + 1;
  }
  return strings;
}

describe('virtual DIY device: mDNS', () => {
  afterEach(closeAll);

  async function onAir(
    options: Partial<VirtualDiyOptions> = {},
  ): Promise<{ air: Air; device: VirtualDiySonoff; port: number }> {
    const air = await Air.open();
    const device = diySonoff({ mdns: { port: air.port }, ...options });
    const { lanPort: port } = await device.start();
    return { air, device, port };
  }

  it('announces all of it when it has joined', async () => {
    const { air, port } = await onAir({ version: '3.5.0' });
    const packet = await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    assert.deepEqual([...packet.subarray(0, 12)], [0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    const has = (...parts: (string | number[])[]): boolean =>
      packet.includes(Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1'))));
    assert.ok(has(SERVICE, [0, 12, 0, 1, 0, 0, 0x11, 0x94, 0, INSTANCE.length], INSTANCE));
    assert.ok(
      has(INSTANCE, [0, 33, 0x80, 1, 0, 0, 0, 120, 0, 6 + TARGET.length, 0, 0, 0, 0, port >> 8, port & 0xff], TARGET),
    );
    assert.ok(has(TARGET, [0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 127, 0, 0, 1]));
    assert.deepEqual(txtIn(packet), [
      ...['txtvers=1', `id=${ID}`, 'type=diy_plug', 'apivers=1', 'seq=1'],
      'data1={"switch":"off","startup":"off","pulse":"off","sledOnline":"on","pulseWidth":500,"rssi":-52}',
    ]);
    assert.equal(air.heard[0]?.port, air.port);
  });

  it('answers each question with its own record alone', async () => {
    const { air } = await onAir();
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    air.ask(SERVICE, TYPES.PTR);
    await air.packetWith(TYPES.PTR);
    air.ask(INSTANCE, TYPES.SRV);
    await air.packetWith(TYPES.SRV);
    air.ask(INSTANCE, TYPES.TXT);
    await air.packetWith(TYPES.TXT);
    air.ask(TARGET, TYPES.A);
    await air.packetWith(TYPES.A);
    assert.equal(air.heard.length, 5);
  });

  it('compares names without case, follows a pointer, and answers nothing else', async () => {
    const { air } = await onAir();
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    air.ask(SERVICE, TYPES.ANY);
    air.ask(INSTANCE, TYPES.PTR);
    air.ask(INSTANCE.replace('a1b2c', 'a1b2d'), TYPES.TXT);
    air.ask('\x09_services\x07_dns-sd\x04_udp\x05local\0', TYPES.PTR);
    // Nothing but a header, a name that runs out, one that points to itself, an answer.
    for (const bytes of [Buffer.alloc(12), question('\x3fx', 12), question('\xc0\x0c', 12), Buffer.of(1)]) {
      air.socket.send(bytes, air.port, GROUP);
    }
    const answer = question(SERVICE, TYPES.PTR);
    answer[2] = 0x84;
    air.socket.send(answer, air.port, GROUP);
    // Two questions; the name of the second one is that of the first from its 13th byte on.
    const twice = Buffer.concat([question(SERVICE, TYPES.TXT), Buffer.from([0xc0, 12, 0, TYPES.PTR, 0, 1])]);
    twice[5] = 2;
    air.socket.send(twice, air.port, GROUP);
    await air.packetWith(TYPES.PTR);
    air.ask(TARGET.toUpperCase(), TYPES.A);
    await air.packetWith(TYPES.A);
    const answers = air.heard.map(({ types }) => types).filter((types) => types.length === 1);
    // The packet that was made an answer by hand has no records.
    assert.deepEqual(answers, [[TYPES.PTR], [TYPES.A]]);
  });

  it('answers who asks from another port there, with the question and its id', async () => {
    const { air } = await onAir();
    const socket = dgram.createSocket('udp4');
    opened({ close: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    socket.setMulticastInterface(LOOPBACK);
    socket.send(question(TARGET, TYPES.A, 0x1234), air.port, GROUP);
    const [packet] = (await once(socket, 'message')) as [Buffer];
    assert.deepEqual([...packet.subarray(0, 12)], [0x12, 0x34, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    const name = Buffer.from(TARGET, 'latin1');
    assert.deepEqual(
      packet.subarray(12),
      Buffer.concat([
        name,
        Buffer.from([0, 1, 0, 1]),
        name,
        Buffer.from([0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 127, 0, 0, 1]),
      ]),
    );
    assert.ok(air.heard.every(({ types }) => types.length > 1));
  });

  it('announces a change of its state', async () => {
    const { air, port } = await onAir();
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    air.heard.length = 0;
    await command(port, 'switch', { switch: 'on' });
    const strings = txtIn(await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A));
    assert.match(strings.at(-1) ?? '', /^data1=\{"switch":"on"/);
    assert.ok(strings.includes('seq=2'));
  });

  it('says that it is not encrypted with 3.1.0, with a vector all the same', async () => {
    const { air } = await onAir({ version: '3.1.0' });
    const strings = txtIn(await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A));
    assert.deepEqual(strings.slice(4, 6), ['encrypt=false', 'iv=MDEyMzQ1Njc4OTAxMjM0NQ==']);
  });

  it('encrypts its state in eWeLink mode with its factory key', async () => {
    const apikey = 'a1b2c3d4-0000-0000-0000-000000000000';
    const { air } = await onAir({ startsIn: 'ewelink', apikey });
    const strings = txtIn(await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A));
    const of = (key: string): string => strings.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    assert.deepEqual([of('type'), of('encrypt')], ['plug', 'true']);
    const key = createHash('md5').update(apikey).digest();
    const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(of('iv'), 'base64'));
    const json = decipher.update(of('data1'), 'base64', 'utf8') + decipher.final('utf8');
    assert.equal((JSON.parse(json) as { rssi: number }).rssi, -52);
  });

  it('cuts its state into pieces that give it whole', async () => {
    const { air } = await onAir({ behaviours: { dataBytes: 30 } });
    const strings = txtIn(await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A));
    const pieces = strings.filter((text) => text.startsWith('data'));
    assert.deepEqual(
      pieces.map((text) => text.slice(0, 6)),
      ['data1=', 'data2=', 'data3=', 'data4='],
    );
    const whole = JSON.parse(pieces.map((text) => text.slice(6)).join('')) as { pulseWidth: number };
    assert.equal(whole.pulseWidth, 500);
  });

  it('announces itself without an address, without a port, and in the other spelling', async () => {
    const without = await onAir({ behaviours: { announcesWithout: 'address' } });
    await without.air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT);
    const portless = await onAir({ behaviours: { announcesWithout: 'port', namePrefix: 'eWelink_' } });
    const packet = await portless.air.packetWith(TYPES.PTR, TYPES.TXT, TYPES.A);
    assert.ok(packet.includes(`eWelink_${ID}`));
  });

  it('gives all records to the first question where it is made to', async () => {
    const { air } = await onAir({ behaviours: { mdns: 'all-at-once' } });
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    air.heard.length = 0;
    air.ask(SERVICE, TYPES.PTR);
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
  });

  it('takes its records back where it is made to, and otherwise leaves without a word', async () => {
    const { air, device } = await onAir({ behaviours: { saysGoodbye: true } });
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    air.heard.length = 0;
    await device.stop();
    const packet = await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    assert.ok(packet.includes(Buffer.concat([Buffer.from(SERVICE, 'latin1'), Buffer.from([0, 12, 0, 1, 0, 0, 0, 0])])));
  });

  it('says nothing with that fault, and is there', async () => {
    const { air, device, port } = await onAir({ fault: 'mdns-silent' });
    assert.equal((await command(port, 'info')).error, 0);
    air.ask(SERVICE, TYPES.PTR);
    await device.stop();
    assert.deepEqual(air.heard, []);
  });

  it('answers nothing that comes from outside of loopback, where it is on loopback', async function () {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one && one.family === 'IPv4' && !one.internal)?.address;
    if (outside === undefined) return this.skip();
    const { air } = await onAir();
    await air.packetWith(TYPES.PTR, TYPES.SRV, TYPES.TXT, TYPES.A);
    const stranger = dgram.createSocket({ type: 'udp4', reuseAddr: true });
    opened({ close: () => new Promise<void>((resolve) => stranger.close(() => resolve())) });
    await new Promise<void>((resolve) => stranger.bind(0, outside, resolve));
    stranger.setMulticastInterface(LOOPBACK);
    stranger.on('message', () => assert.fail('a stranger is answered'));
    const arrived = once(air.socket, 'message');
    stranger.send(question(SERVICE, TYPES.PTR), air.port, GROUP);
    assert.equal(((await arrived) as [Buffer, dgram.RemoteInfo])[1].address, outside);
    air.ask(TARGET, TYPES.A);
    await air.packetWith(TYPES.A);
    assert.ok(air.heard.every(({ types }) => String(types) !== String([TYPES.PTR])));
  });

  it('does without where there is no such group', async () => {
    const { device } = await onAir({ mdns: { group: '10.0.0.1', port: 5353 } });
    await logs(device, /mDNS: not possible here/);
    assert.equal(device.state, 'diy-mode');
  });
});
