import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
  X509Certificate,
} from 'node:crypto';
import type * as net from 'node:net';
import { Duplex } from 'node:stream';

/**
 * The client half of TLS 1.1 as the stock firmware's library speaks it (stock-firmware 2.4): version 0x0302, the four
 * RSA suites 2F 35 05 04, no extension at all, no check of the certificate, records up to 4 KiB. Written from RFC 4346
 * and not on node:tls, whose client always sends extensions, so that a server is met by the hello of the field.
 */

const VERSION = Buffer.from([3, 2]);
const SUITES = Buffer.from([0x00, 0x2f, 0x00, 0x35, 0x00, 0x05, 0x00, 0x04]);
const KEY_BYTES: Record<number, 16 | 32> = { 0x2f: 16, 0x35: 32 };
const RECORD_LIMIT = 4096;
const HANDSHAKE_LIMIT_MS = 10_000;

const enum Content {
  ChangeCipherSpec = 20,
  Alert = 21,
  Handshake = 22,
  Data = 23,
}

interface Keys {
  mac: Buffer;
  key: Buffer;
  sequence: bigint;
}

export class AxTls extends Duplex {
  /** What the server chose, and the longest record it sent, for the lab to look at. */
  suite = 0;
  longestRecord = 0;

  #records = Buffer.alloc(0);
  #messages = Buffer.alloc(0);
  #transcript: Buffer[] = [];
  #clientRandom = randomBytes(32);
  #serverRandom: Buffer = Buffer.alloc(0);
  #certificate: X509Certificate | undefined;
  #master: Buffer = Buffer.alloc(0);
  #out: Keys | undefined;
  #pendingIn: Keys | undefined;
  #in: Keys | undefined;

  constructor(readonly socket: net.Socket) {
    super();
    socket.on('data', (bytes: Buffer) => this.#guard(() => this.#received(bytes)));
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    socket.on('error', (error: Error) => this.destroy(error));
    const hello = Buffer.concat([
      VERSION,
      this.#clientRandom,
      Buffer.from([0, 0, SUITES.length]),
      SUITES,
      Buffer.from([1, 0]),
    ]);
    this.#sendHandshake(1, hello);
  }

  /** Shakes hands over a connected socket. */
  static async over(socket: net.Socket): Promise<AxTls> {
    const line = new AxTls(socket);
    return await new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        reject(new Error(`TLS: ${reason}`));
        line.destroy();
      };
      const timer = setTimeout(() => fail('no handshake in time'), HANDSHAKE_LIMIT_MS);
      line.once('secured', () => {
        clearTimeout(timer);
        resolve(line);
      });
      line.on('error', (error: Error) => fail(error.message));
      line.on('close', () => {
        clearTimeout(timer);
        fail('closed');
      });
    });
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(Content.Data, bytes);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #received(bytes: Buffer): void {
    this.#records = Buffer.concat([this.#records, bytes]);
    while (this.#records.length >= 5) {
      const length = this.#records.readUInt16BE(3);
      if (!this.#records.subarray(1, 3).equals(VERSION)) throw new Error('a record of another version');
      if (length > RECORD_LIMIT) throw new Error(`a record of ${length} bytes overruns the buffer`);
      if (this.#records.length < 5 + length) return;
      const type = this.#records[0] as Content;
      const body = this.#open(type, this.#records.subarray(5, 5 + length));
      this.longestRecord = Math.max(this.longestRecord, body.length);
      this.#records = this.#records.subarray(5 + length);
      this.#record(type, body);
    }
  }

  #record(type: Content, body: Buffer): void {
    if (type === Content.Data && this.#in !== undefined) this.push(body);
    else if (type === Content.ChangeCipherSpec) this.#in = this.#pendingIn;
    else if (type === Content.Alert) this.#alert(body);
    else if (type === Content.Handshake) this.#handshake(body);
    else throw new Error(`a record of type ${type}`);
  }

  #alert(body: Buffer): void {
    if (body[1] === 0) this.push(null);
    else throw new Error(`alert ${body[1]}`);
  }

  #handshake(body: Buffer): void {
    this.#messages = Buffer.concat([this.#messages, body]);
    while (this.#messages.length >= 4) {
      const end = 4 + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return;
      const message = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      this.#message(message[0]!, message.subarray(4));
      this.#transcript.push(message);
    }
  }

  #message(type: number, body: Buffer): void {
    if (type === 2) this.#serverHello(body);
    else if (type === 11) this.#certificate = new X509Certificate(body.subarray(6, 6 + body.readUIntBE(3, 3)));
    else if (type === 14) process.nextTick(() => this.#guard(() => this.#exchangeKeys()));
    else if (type === 20) this.#serverFinished(body);
    else throw new Error(`handshake message ${type}`);
  }

  #serverHello(body: Buffer): void {
    if (!body.subarray(0, 2).equals(VERSION)) throw new Error('the server chose another version');
    this.#serverRandom = body.subarray(2, 34);
    const rest = body.subarray(35 + body[34]!);
    this.suite = rest.readUInt16BE(0);
    if (rest.length > 3) throw new Error('the server answers extensions that nobody offered');
  }

  #exchangeKeys(): void {
    const keyBytes = KEY_BYTES[this.suite];
    if (keyBytes === undefined || this.#certificate === undefined) throw new Error(`suite ${this.suite.toString(16)}`);
    const premaster = Buffer.concat([VERSION, randomBytes(46)]);
    const sealed = publicEncrypt({ key: this.#certificate.publicKey, padding: constants.RSA_PKCS1_PADDING }, premaster);
    this.#sendHandshake(16, Buffer.concat([uint(sealed.length, 2), sealed]));
    this.#master = prf(premaster, 'master secret', Buffer.concat([this.#clientRandom, this.#serverRandom]), 48);
    const block = prf(
      this.#master,
      'key expansion',
      Buffer.concat([this.#serverRandom, this.#clientRandom]),
      40 + 2 * keyBytes,
    );
    this.#send(Content.ChangeCipherSpec, Buffer.from([1]));
    this.#out = { mac: block.subarray(0, 20), key: block.subarray(40, 40 + keyBytes), sequence: 0n };
    this.#pendingIn = { mac: block.subarray(20, 40), key: block.subarray(40 + keyBytes), sequence: 0n };
    this.#sendHandshake(20, this.#verifyData('client finished'));
  }

  #serverFinished(body: Buffer): void {
    const expected = this.#verifyData('server finished');
    if (this.#in === undefined || !timingSafeEqual(body, expected)) throw new Error("the server's finished is wrong");
    this.emit('secured');
  }

  #verifyData(label: string): Buffer {
    const seen = Buffer.concat(this.#transcript);
    return prf(this.#master, label, Buffer.concat([digest('md5', seen), digest('sha1', seen)]), 12);
  }

  #sendHandshake(type: number, body: Buffer): void {
    const message = Buffer.concat([Buffer.from([type]), uint(body.length, 3), body]);
    this.#transcript.push(message);
    this.#send(Content.Handshake, message);
  }

  #send(type: Content, body: Buffer): void {
    const sealed = this.#seal(type, body);
    this.socket.write(Buffer.concat([Buffer.from([type]), VERSION, uint(sealed.length, 2), sealed]));
  }

  #seal(type: Content, body: Buffer): Buffer {
    const keys = this.#out;
    if (keys === undefined) return body;
    const padding = 15 - ((body.length + 20) % 16);
    const plain = Buffer.concat([body, authenticate(keys, type, body), Buffer.alloc(padding + 1, padding)]);
    const iv = randomBytes(16);
    const cipher = createCipheriv(`aes-${keys.key.length * 8}-cbc`, keys.key, iv).setAutoPadding(false);
    return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
  }

  #open(type: Content, sealed: Buffer): Buffer {
    const keys = this.#in;
    if (keys === undefined) return Buffer.from(sealed);
    const decipher = createDecipheriv(`aes-${keys.key.length * 8}-cbc`, keys.key, sealed.subarray(0, 16));
    const plain = Buffer.concat([decipher.setAutoPadding(false).update(sealed.subarray(16)), decipher.final()]);
    const end = plain.length - 21 - plain[plain.length - 1]!;
    const body = plain.subarray(0, Math.max(0, end));
    if (end < 0 || !timingSafeEqual(plain.subarray(end, end + 20), authenticate(keys, type, body)))
      throw new Error('a record with a wrong MAC');
    return body;
  }
}

function authenticate(keys: Keys, type: Content, body: Buffer): Buffer {
  const sequence = Buffer.alloc(8);
  sequence.writeBigUInt64BE(keys.sequence++);
  const hmac = createHmac('sha1', keys.mac);
  return hmac
    .update(sequence)
    .update(Buffer.from([type]))
    .update(VERSION)
    .update(uint(body.length, 2))
    .update(body)
    .digest();
}

/** RFC 4346 section 5: MD5 over the first half of the secret, SHA-1 over the second, xored. */
function prf(secret: Uint8Array, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const whole = Buffer.concat([Buffer.from(label), seed]);
  const left = expand('md5', secret.subarray(0, half), whole, length);
  const right = expand('sha1', secret.subarray(-half), whole, length);
  return Buffer.from(left.map((byte, i) => byte ^ right[i]!));
}

function expand(algorithm: string, secret: Uint8Array, seed: Buffer, length: number): Buffer {
  let out: Buffer = Buffer.alloc(0);
  for (let a = hmac(algorithm, secret, seed); out.length < length; a = hmac(algorithm, secret, a))
    out = Buffer.concat([out, hmac(algorithm, secret, Buffer.concat([a, seed]))]);
  return Buffer.from(out.subarray(0, length));
}

function hmac(algorithm: string, key: Uint8Array, data: Buffer): Buffer {
  return createHmac(algorithm, key).update(data).digest();
}

function digest(algorithm: string, data: Buffer): Buffer {
  return createHash(algorithm).update(data).digest();
}

function uint(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}
