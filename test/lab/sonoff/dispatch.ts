import type * as net from 'node:net';
import { AxTls } from './axtls';
import { header, jsonNumber, jsonText } from './literal';
import { type Identity } from './identity';
import { connect, Reader } from './reader';
import { report } from './report';

export interface Server {
  host: string;
  port: number;
}

const LIMIT_MS = 10_000;
const OLD_FIRMWARE_PORT = 8081;

/** A connection to the cloud: TLS 1.1, or with the old firmware plain on 8081, whatever port it was given (stock-firmware 2.3). */
export async function dial(device: Identity, server: Server): Promise<AxTls | net.Socket> {
  const port = device.plain ? OLD_FIRMWARE_PORT : server.port;
  const socket = await connect(server.host, port, LIMIT_MS);
  return device.plain ? socket : await AxTls.over(socket);
}

/** Asks the provisioned server where the WebSocket is (stock-firmware 2.1, 2.2). */
export async function dispatch(device: Identity, server: Server): Promise<Server> {
  const line = await dial(device, server);
  try {
    const body = JSON.stringify({
      accept: 'ws;2',
      version: 2,
      ts: device.rand.next() % 1000,
      deviceid: device.deviceid,
      apikey: device.apikey,
      model: device.model,
      romVersion: device.romVersion,
    });
    line.write(
      `POST /dispatch/device HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = await readAnswer(new Reader(line));
    const tls = line instanceof AxTls ? { suite: line.suite, longestRecord: line.longestRecord } : undefined;
    report('dispatched', { ...answer, via: `${server.host}:${server.port}`, tls });
    return answer;
  } finally {
    line.destroy();
  }
}

async function readAnswer(reader: Reader): Promise<Server> {
  const head = await reader.head(2048, LIMIT_MS);
  const length = Number(header(head, 'Content-Length'));
  if (!head.startsWith('HTTP/1.1 200 OK\r\n') || !Number.isInteger(length) || head.length + length > 2048)
    throw new Error(`a dispatch answer that the firmware cannot read: ${head.split('\r\n')[0]}`);
  const text = (await reader.take(length, LIMIT_MS)).toString('latin1');
  const host = jsonText(text, 'IP');
  const port = jsonNumber(text, 'port');
  if (jsonNumber(text, 'error') !== 0 || host === undefined || host.length > 50 || port === undefined)
    throw new Error(`a dispatch answer without an address: ${text}`);
  return { host, port };
}
