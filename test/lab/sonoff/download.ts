import { createHash } from 'node:crypto';
import type * as net from 'node:net';
import { type Flash, SECTOR, SLOT_ADDRESS } from './flash';
import { type Identity } from './identity';
import { header } from './literal';
import { type Offer, readOffer } from './offer';
import { connect, LineLost, pause, Reader } from './reader';
import { report } from './report';
import { receivePaced, Refused } from './receive-paced';

const IMAGE_LIMIT = 471_040;
const REPLY_LIMIT = 5120;
const HEADER_LIMIT = 1023;
const REPLY_TIMEOUT_MS = 10_000;
const UPGRADE_TIMEOUT_MS = 180_000;
const RECONNECTS = 3;
/** A chunk costs 80 to 95 ms in the field, most of it the erase and the write. */
const WRITE_MS = 60;

/** Obeys one upgrade command; resolves with the code that the device then acknowledges (stock-firmware 3.8, 4). */
export async function obeyUpgrade(device: Identity, flash: Flash, command: string): Promise<number> {
  const offer = readOffer(device, command);
  if (typeof offer === 'number') return offer;
  const abort = new Error('not finished within 180 s');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(abort), UPGRADE_TIMEOUT_MS)));
  try {
    const download = device.ranges ? downloadRanges(device, flash, offer) : downloadWhole(device, flash, offer);
    const size = await Promise.race([download, late]);
    return flash.sha256(SLOT_ADDRESS[offer.slot], size) === offer.digest ? 0 : 409;
  } catch (error) {
    report('download-failed', { reason: (error as Error).message });
    return 404;
  } finally {
    clearTimeout(timer);
  }
}

/** Consecutive ranges of 4096 bytes over one connection that the server keeps open; at most three new ones. */
async function downloadRanges(device: Identity, flash: Flash, offer: Offer): Promise<number> {
  let line: { socket: net.Socket; reader: Reader } | undefined;
  let connections = 0;
  let requests = 0;
  let total = Infinity;
  for (let first = 0; first < total;) {
    try {
      if (line === undefined) {
        if (connections > RECONNECTS) throw new Refused('the connection was lost too often');
        await pause(connections++ * 1000);
        const socket = await connect(offer.host, offer.port, REPLY_TIMEOUT_MS);
        line = { socket, reader: new Reader(socket) };
      }
      const last = Math.min(first + SECTOR, total) - 1;
      requests++;
      line.socket.write(request(device, offer, `Range: bytes=${first}-${last}\r\n`));
      const chunk = await readRange(line.reader, first, last);
      total = chunk.total;
      report('chunk', { first, bytes: chunk.body.length, total });
      await writeSector(flash, SLOT_ADDRESS[offer.slot] + first, chunk.body);
      first += chunk.body.length;
    } catch (error) {
      line?.socket.destroy();
      line = undefined;
      if (!(error instanceof LineLost)) throw error;
      report('connection-lost', { reason: error.message });
    }
  }
  line?.socket.destroy();
  report('downloaded', { slot: offer.slot, bytes: total, requests, connections });
  return total;
}

async function readRange(reader: Reader, first: number, last: number): Promise<{ body: Buffer; total: number }> {
  const head = await reader.head(HEADER_LIMIT, REPLY_TIMEOUT_MS);
  const length = Number(header(head, 'Content-Length'));
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header(head, 'Content-Range') ?? '');
  if (!head.startsWith('HTTP/1.1 206 Partial Content\r\n')) throw new Refused(`not a 206: ${head.split('\r\n')[0]}`);
  if (range === null || !(length >= 1) || head.length + length > REPLY_LIMIT) throw new Refused('an unreadable 206');
  const total = Number(range[3]);
  const expected = Math.min(last, total - 1) - first + 1;
  if (Number(range[1]) !== first || length !== expected || total > IMAGE_LIMIT) throw new Refused('another range');
  const body = await reader.take(length, REPLY_TIMEOUT_MS);
  if (reader.held > 0) throw new Refused('more bytes than announced');
  return { body, total };
}

/** The whole file in one answer, which must come slowly. */
async function downloadWhole(device: Identity, flash: Flash, offer: Offer): Promise<number> {
  const socket = await connect(offer.host, offer.port, REPLY_TIMEOUT_MS);
  try {
    let written = 0;
    const received = receivePaced(socket, IMAGE_LIMIT, (body) => {
      report('chunk', { first: written, bytes: body.length });
      if (written % SECTOR === 0) flash.erase((SLOT_ADDRESS[offer.slot] + written) / SECTOR);
      flash.program(SLOT_ADDRESS[offer.slot] + written, body);
      written += body.length;
    });
    socket.write(request(device, offer, ''));
    const { bytes, ms } = await received;
    report('downloaded', { slot: offer.slot, bytes, ms, requests: 1, connections: 1 });
    return bytes;
  } finally {
    socket.destroy();
  }
}

function request(device: Identity, offer: Offer, range: string): string {
  const ts = device.rand.next();
  const sign = createHash('sha256').update(`${device.deviceid}${ts}${device.apikey}`).digest('hex');
  return (
    `GET ${offer.path}?deviceid=${device.deviceid}&ts=${ts}&sign=${sign} HTTP/1.1\r\nHost: dl.itead.cn\r\n` +
    `${range}User-Agent: itead-device\r\n\r\n`
  );
}

async function writeSector(flash: Flash, address: number, body: Buffer): Promise<void> {
  await pause(WRITE_MS);
  flash.erase(address / SECTOR);
  flash.program(address, body);
}
