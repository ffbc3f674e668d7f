import * as net from 'node:net';
import { header, jsonNumber, jsonText } from './literal';
import type { Identity } from './identity';
import { forget, pause } from './reader';
import { fault, radio, report } from './report';

/** The settings that the person's tool has sent. */
export interface Settings {
  ssid: string;
  password: string;
  serverName: string;
  port: number;
}

const RECEIVE_BUFFER = 2048;
const AP_LIFE_MS = 180_000;
const LISTEN_DELAY_MS = 1000;
const DOWN_DELAY_MS = 1000;

/**
 * The access point ITEAD-<deviceid>: a literal matcher on port 80 that knows `GET /device` and `POST /ap`
 * (stock-firmware 1.1, 1.3). Ends when it has the settings and its AP is down; throws when its 180 s are over.
 */
export async function settingMode(device: Identity): Promise<Settings> {
  const sockets = new Set<net.Socket>();
  await radio('itead-ap');
  report('ap-up', { ssid: `ITEAD-${device.deviceid}` });
  await pause(LISTEN_DELAY_MS);
  const settings = await listen(device, sockets);
  await pause(DOWN_DELAY_MS);
  await radio('off');
  sockets.forEach(forget);
  report('ap-down');
  return settings;
}

async function listen(device: Identity, sockets: Set<net.Socket>): Promise<Settings> {
  const server = net.createServer();
  try {
    return await new Promise<Settings>((resolve, reject) => {
      setTimeout(() => reject(new Error('nobody set the device up within 180 s')), AP_LIFE_MS).unref();
      server.on('error', reject);
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('error', () => socket.destroy());
        serve(socket, device, resolve);
      });
      server.listen(80, '10.10.7.1');
    });
  } finally {
    server.close();
  }
}

function serve(socket: net.Socket, device: Identity, accept: (s: Settings) => void): void {
  let held = '';
  socket.on('data', (bytes: Buffer) => {
    held += bytes.toString('latin1');
    if (held.length > RECEIVE_BUFFER) {
      fault(`a request over ${RECEIVE_BUFFER} bytes to the access point`);
      held = '';
      return;
    }
    const end = held.indexOf('\r\n\r\n') + 4;
    if (end < 4) return;
    // Without a Content-Length in exactly this spelling the request ends at its blank line.
    const length = end + Number(header(held, 'Content-Length') ?? held.length - end);
    if (held.length < length) return;
    const request = held.slice(0, length);
    held = held.slice(length);
    answer(request, socket, device, accept);
  });
}

function answer(request: string, socket: net.Socket, device: Identity, accept: (s: Settings) => void): void {
  if (request.includes('GET /device HTTP/1.1')) {
    report('device-asked');
    reply(socket, { deviceid: device.deviceid, apikey: device.apikey, accept: 'post' });
  } else if (request.includes('POST /ap HTTP/1.1')) {
    const settings = readSettings(request.slice(request.indexOf('{')));
    if (settings === undefined) return fault('POST /ap without what it needs; it gets no answer');
    reply(socket, { error: 0 });
    report('provisioned', { ssid: settings.ssid, serverName: settings.serverName, port: settings.port });
    accept(settings);
  } else fault(`the access point has no answer to ${request.slice(0, request.indexOf('\r'))}`);
}

function readSettings(body: string): Settings | undefined {
  const ssid = jsonText(body, 'ssid');
  const password = jsonText(body, 'password');
  const serverName = jsonText(body, 'serverName');
  const port = jsonNumber(body, 'port');
  if (ssid === undefined || password === undefined || serverName === undefined || port === undefined) return undefined;
  if (ssid.length > 31 || password.length > 63 || serverName.length > 50) return undefined;
  return { ssid, password, serverName, port };
}

function reply(socket: net.Socket, body: object): void {
  const text = JSON.stringify(body);
  socket.write(
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n' +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  );
}
