/** The inputs to each listener, and the answers to each client, before they are damaged. */

import { WEBSOCKET_REQUEST, frame, PING } from '../server/websocket-device';
import { damaged } from './damage';
import type { Random } from './random';

/** The ids that strangers state; the first is the device that is flashed beside them. */
export const VICTIM = '1000a1b2c3';
const IDS = [VICTIM, '1000000001', 'x'];
const KEY = '22222222-2222-4333-8444-555555555555';

export type Listener = 'tls-bytes' | 'tls' | 'plain' | 'images';

/** One of few, or one of the thousands that no device uses. */
function idOf(random: Random): string {
  return random.chance(3) ? (1000_000_000 + random.below(5000)).toString() : random.pick(IDS);
}

/** The pieces of one connection to a listener. */
export function toListener(random: Random, listener: Listener): Buffer[] {
  switch (listener) {
    case 'tls-bytes':
      return [damaged(random, random.pick([CLIENT_HELLO, ALERT, random.bytes(random.below(400)), dispatch(random)]))];
    case 'tls':
    case 'plain':
      return random.chance(3) ? [damaged(random, dispatch(random))] : session(random);
    case 'images':
      return [damaged(random, random.pick([download(random), finalStage(random), request('OPTIONS', '*')]))];
  }
}

/** A head and a body to a client of ours, which asked for a device's or a server's page. */
export function toClient(random: Random): Buffer {
  const body = random.pick([
    `{"deviceid":"${idOf(random)}","apikey":"${KEY}","accept":"post"}`,
    '{"error":0}',
    '<html><title>Tasmota</title>Tasmota 14.1.0 by Theo Arends</html>',
    '{"StatusNET":{"Mac":"5C:CF:7F:A1:B2:C3"},"Status":{"Module":1}}',
    random.bytes(random.below(9000)).toString('latin1'),
  ]);
  const head = random.pick([
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4095/${body.length}\r\nContent-Length: ${body.length}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n',
    'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.0 200\r\n\r\n',
    '',
  ]);
  return damaged(random, Buffer.from(head + body, 'latin1'));
}

function request(method: string, path: string, body = '', headers: readonly string[] = []): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: iotgo.iteadstudio.com', ...headers];
  return Buffer.from([...lines, `Content-Length: ${body.length}`, '', body].join('\r\n'), 'latin1');
}

function dispatch(random: Random): Buffer {
  const id = idOf(random);
  const stated = { accept: 'ws;2', version: 2, ts: random.below(1000), deviceid: id, apikey: KEY };
  const body = JSON.stringify({ ...stated, model: 'ITA-GZ1-GL', romVersion: random.pick(['1.5.5', '2.0.1', '3.5.0']) });
  return request('POST', '/dispatch/device', body, ['Content-Type: application/json']);
}

/** A WebSocket that opens in order, mostly, and then says what it likes. */
function session(random: Random): Buffer[] {
  const opening = Buffer.from(WEBSOCKET_REQUEST, 'latin1');
  const said = { userAgent: 'device', deviceid: idOf(random), apikey: KEY };
  const messages = [
    { ...said, action: 'register', version: 2, romVersion: '1.5.5', model: 'ITA-GZ1-GL', ts: random.below(1000) },
    { ...said, action: 'date' },
    {
      ...said,
      action: 'update',
      params: { switch: 'off', fwVersion: '1.5.5', rssi: -61, staMac: 'AA:BB:CC:00:11:22' },
    },
    { ...said, action: 'query', params: ['timers'] },
    { ...said, error: random.pick([0, 404, 410, -1]), sequence: '1' },
  ];
  const frames = Array.from({ length: 1 + random.below(4) }, () => {
    const text = JSON.stringify(random.pick(messages));
    if (random.chance(4)) return random.pick([PING, random.bytes(random.below(200)), frame(text, random.below(256))]);
    return frame(random.chance(2) ? damaged(random, Buffer.from(text)).toString('latin1') : text);
  });
  return [random.chance(6) ? damaged(random, opening) : opening, ...frames.map((one) => maybeDamaged(random, one))];
}

function maybeDamaged(random: Random, bytes: Buffer): Buffer {
  return random.chance(4) ? damaged(random, bytes) : bytes;
}

function download(random: Random): Buffer {
  const id = idOf(random);
  const query = `?deviceid=${id}&ts=${random.below(100_000)}&sign=${random.bytes(32).toString('hex')}`;
  const first = random.below(100_000);
  const range = random.chance(3) ? [] : [`Range: bytes=${first}-${first + random.below(5000)}`];
  return request('GET', `/sonota/${id}/${random.pick(['user1', 'user2', 'final'])}.bin${query}`, '', range);
}

/** FinalStage's request, from a place where the flashed device never was. */
function finalStage(random: Random): Buffer {
  const path = random.pick([
    '/ota/image_arduino.bin',
    '/ota/image_user2-0x81000.bin',
    '/ota/',
    '/ota/image_arduino.bin%00',
    '/ota/../ota',
  ]);
  return Buffer.from(`GET ${path} HTTP/1.0\r\nHost: 192.168.4.2\r\n\r\n`);
}

const ALERT = Buffer.from('15030100020228', 'hex');
const CLIENT_HELLO = Buffer.concat([
  Buffer.from('16030100310100002d0301', 'hex'),
  Buffer.alloc(32, 7),
  Buffer.from('000006002f0035000a0100', 'hex'),
]);
