/**
 * The process of the partner: what Node.js needs for the same words on the wire with the same bytes, and nothing else. It
 * checks nothing, keeps nothing and knows no device.
 */

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { answerParent } from './child';
import { livingBytes, Probe } from './probe';

const probe = new Probe();
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
let image: Buffer = Buffer.alloc(0);
let port = 0;

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  if (request.method === 'POST') dispatch(request, response);
  else range(request, response);
});
server.on('upgrade', (request, socket, head) => {
  webSockets.handleUpgrade(request, socket, head, (client) => client.on('message', (data) => answer(client, data)));
});

function dispatch(request: IncomingMessage, response: ServerResponse): void {
  request.resume().once('end', () => response.end(JSON.stringify({ error: 0, reason: 'ok', IP: '127.0.0.1', port })));
}

function range({ headers }: IncomingMessage, response: ServerResponse): void {
  const [, first = '0', last = '0'] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
  const from = Number(first);
  const end = Math.min(Number(last) + 1, image.length);
  const contentRange = `bytes ${from}-${end - 1}/${image.length}`;
  response.writeHead(206, { 'Content-Length': end - from, 'Content-Range': contentRange });
  response.end(image.subarray(from, end));
}

function answer(client: WebSocket, data: RawData): void {
  const { action, deviceid } = JSON.parse((data as Buffer).toString()) as { action?: string; deviceid: string };
  if (action === undefined) return;
  const apikey = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
  client.send(JSON.stringify({ error: 0, deviceid, apikey }));
  if (action !== 'query') return;
  const downloadUrl = `http://127.0.0.1:${port}/user2.bin`;
  const params = { binList: [{ downloadUrl }, { downloadUrl }] };
  client.send(JSON.stringify({ action: 'upgrade', deviceid, apikey, sequence: '1', params }));
}

answerParent({
  async open({ imagePath }: { imagePath: string }): Promise<{ port: number }> {
    image = readFileSync(`${imagePath}.packed`);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    return { port };
  },
  begin: () => probe.begin(),
  end: () => probe.end(),
  livingBytes,
  async close(): Promise<number> {
    const begun = performance.now();
    for (const client of webSockets.clients) client.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return performance.now() - begun;
  },
});
