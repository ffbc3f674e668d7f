import crypto from 'node:crypto';
import { EventEmitter } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import forge from 'node-forge';
import { sha256 } from './images';

export const SESSION_KEY = '11111111-2222-3333-4444-555555555555';

export interface DeviceMessage {
  action?: string;
  error?: number;
  deviceid: string;
  apikey: string;
  sequence?: string;
  ts?: number;
  [key: string]: unknown;
}

/** What a test can change of the cloud: whole replies as bytes. */
export interface CloudScript {
  dispatch?(body: string, port: number): string | Buffer | (string | Buffer)[];
  handshake?(): string;
  /** What to answer a message; undefined = the proper answer; [] = nothing. Strings are sent as text frames. */
  answer?(message: DeviceMessage): (string | Buffer)[] | undefined;
}

/**
 * A cloud in a hundred lines, written against docs/dev/stock-firmware.md and sharing nothing with the servers of this
 * package.
 * Events: `message` (DeviceMessage), `frame` (Buffer), `dispatch` (whole request), `acknowledged` (DeviceMessage),
 * `ready` (after the update), `websocket`, `handshake-error`.
 */
export class RawCloud extends EventEmitter {
  readonly dispatches: string[] = [];
  readonly messages: DeviceMessage[] = [];
  readonly frames: Buffer[] = [];
  readonly sockets = new Set<net.Socket>();
  handshakeRequest = '';
  websocket: net.Socket | undefined;
  port = 0;
  private deviceid = '';
  private readonly server: net.Server;

  constructor(
    private readonly script: CloudScript = {},
    secure = true,
  ) {
    super();
    const serve = (socket: net.Socket): void => this.serve(socket);
    this.server = secure ? tls.createServer(tlsOptions(), serve) : net.createServer(serve);
    this.server.on('connection', (socket: net.Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
    });
    this.server.on('tlsClientError', (error: Error) => this.emit('handshake-error', error));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as net.AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Sends a text message in one frame, or bytes as they are. */
  send(message: string | Buffer | object): void {
    const data = Buffer.isBuffer(message)
      ? message
      : textFrame(typeof message === 'string' ? message : JSON.stringify(message));
    this.websocket?.write(data);
  }

  /** Sends an upgrade command whose user1 and user2 entries are this image at this URL. */
  upgrade(url: string, image: Uint8Array, changes: Record<string, unknown> = {}, sequence = '1500000000000'): void {
    const entry = (name: string): object => ({ downloadUrl: url, digest: sha256(image), name });
    const params = {
      binList: [entry('user1.bin'), entry('user2.bin')],
      model: 'ITA-GZ1-GL',
      version: '23.42.5',
      ...changes,
    };
    this.send({ ...this.common(), action: 'upgrade', userAgent: 'app', sequence, ts: 0, params });
  }

  common(): { deviceid: string; apikey: string } {
    return { deviceid: this.deviceid, apikey: SESSION_KEY };
  }

  private serve(socket: net.Socket): void {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    let buffer: Buffer = Buffer.alloc(0);
    let open = false;
    socket.on('data', (bytes: Buffer) => {
      buffer = Buffer.concat([buffer, bytes]);
      if (!open) {
        const text = buffer.toString('latin1');
        if (!text.includes('\r\n\r\n')) return;
        if (text.startsWith('GET ')) {
          open = true;
          this.websocket = socket;
          this.handshakeRequest = text;
          buffer = Buffer.alloc(0);
          socket.write(
            this.script.handshake?.() ??
              'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
          );
          this.emit('websocket');
        } else if (text.length >= text.indexOf('\r\n\r\n') + 4 + Number(/Content-Length: (\d+)/.exec(text)?.[1])) {
          buffer = Buffer.alloc(0);
          this.dispatched(text, socket);
        }
        return;
      }
      for (let taken = takeMasked(buffer); taken; taken = takeMasked(buffer)) {
        buffer = taken.rest;
        this.frames.push(taken.raw);
        this.emit('frame', taken.raw);
        const message = taken.raw[0] === 0x81 ? parsed(taken.payload) : undefined;
        if (message) this.received(message);
      }
    });
  }

  private dispatched(request: string, socket: net.Socket): void {
    this.dispatches.push(request);
    this.emit('dispatch', request);
    const body = JSON.stringify({ error: 0, reason: 'ok', IP: '127.0.0.1', port: this.port });
    const reply = this.script.dispatch?.(body, this.port) ?? httpReply(body);
    for (const part of Array.isArray(reply) ? reply : [reply]) socket.write(part);
  }

  private received(message: DeviceMessage): void {
    this.messages.push(message);
    this.deviceid = message.deviceid;
    for (const data of this.script.answer?.(message) ?? this.properAnswer(message)) this.send(data);
    this.emit('message', message);
    if (message.action === 'update') this.emit('ready');
    if (message.action === undefined) this.emit('acknowledged', message);
  }

  private properAnswer(message: DeviceMessage): string[] {
    const ok = { error: 0, ...this.common() };
    switch (message.action) {
      case 'register':
        return [JSON.stringify({ ...ok, config: { hb: 1, hbInterval: 145 } })];
      case 'date':
        return [JSON.stringify({ ...ok, date: '2017-09-17T00:24:54.955Z' })];
      case 'update':
        return [JSON.stringify(ok)];
      case 'query':
        return [JSON.stringify({ ...ok, params: 0 })];
      default:
        return [];
    }
  }
}

export function httpReply(body: string, status = 'HTTP/1.1 200 OK'): string {
  return `${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function parsed(text: string): DeviceMessage | undefined {
  try {
    const value = JSON.parse(text) as DeviceMessage;
    return typeof value.deviceid === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An unmasked frame as a server sends it. */
export function textFrame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length <= 125 ? [first, payload.length] : [first, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

function takeMasked(buffer: Buffer): { raw: Buffer; payload: string; rest: Buffer } | undefined {
  if (buffer.length < 6) return undefined;
  const long = (buffer[1]! & 0x7f) === 126;
  const length = long ? buffer.readUInt16BE(2) : buffer[1]! & 0x7f;
  const start = (long ? 4 : 2) + 4;
  if (buffer.length < start + length) return undefined;
  return {
    raw: buffer.subarray(0, start + length),
    payload: buffer.toString('utf8', start, start + length),
    rest: buffer.subarray(start + length),
  };
}

let options: tls.TlsOptions | undefined;

/** A self-signed RSA-2048 certificate and what TLS 1.1 needs; made once. */
function tlsOptions(): tls.TlsOptions {
  if (options) return options;
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  const key = forge.pki.privateKeyFromPem(pem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.rsa.setPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  certificate.setSubject([{ name: 'commonName', value: 'raw cloud' }]);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.sign(key, forge.md.sha256.create());
  options = {
    key: pem,
    cert: forge.pki.certificateToPem(certificate),
    minVersion: 'TLSv1',
    ciphers: 'AES128-SHA:AES256-SHA:@SECLEVEL=0',
  };
  return options;
}
