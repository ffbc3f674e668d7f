import { createHash } from 'node:crypto';
import type * as net from 'node:net';
import { type Flash, SECTOR, SLOT_ADDRESS } from '../sonoff/flash';
import { connect, LineLost, pause } from '../sonoff/reader';
import { fault, report } from '../sonoff/report';
import { type DiyIdentity } from './identity';
import { type DiyOffer } from './offer';
import { BadReply, fetchPiece, type Piece } from './piece';

/** The half of the flash that does not run, 508 KiB up to its end (diy-mode 1.10). */
export const DOWNLOAD_ADDRESS = SLOT_ADDRESS[2];
const IMAGE_LIMIT_BYTES = 520_192;
const REQUEST_LIMIT_BYTES = 512;
const RANGE_LINE_BYTES = 50;
const REPLY_LIMIT_MS = 10_000;
/** Each starts n seconds later than the one before (esp8266-images 2.6). */
const CONNECTIONS = 4;
/** Of one sector; about 60 ms on a real one. */
const WRITE_MS = 5;

/** The documents' 413, which a reply to `ota_flash` has beside 424 for every other trouble (diy-mode 1.7). */
class TooLarge extends Error {}

/**
 * Fetches the image in ranges of 4096 bytes, one after the other over a connection that the server keeps (diy-mode 1.11,
 * 2.4). `reply` is called behind the first range (diy-mode 2.8). Resolves with the image's size and the code that the
 * device then reports; without one where `reply` has already reported the failure.
 */
export async function download(
  device: DiyIdentity,
  flash: Flash,
  offer: DiyOffer,
  reply: (code: number) => void,
): Promise<{ size: number; result: 0 | 404 | 409 | undefined }> {
  let hasReplied = false;
  const accept = (): void => {
    if (!hasReplied) reply(0);
    hasReplied = true;
  };
  const source = new RangeSource(device, offer);
  try {
    const size = await copy(source, flash, accept);
    const isRight = flash.sha256(DOWNLOAD_ADDRESS, size) === offer.digest;
    return { size, result: isRight ? 0 : 409 };
  } catch (error) {
    report('download-failed', { reason: (error as Error).message });
    if (hasReplied) return { size: 0, result: 404 };
    reply(error instanceof TooLarge ? 413 : 424);
    return { size: 0, result: undefined };
  } finally {
    source.close();
  }
}

async function copy(source: RangeSource, flash: Flash, accept: () => void): Promise<number> {
  let total = Infinity;
  for (let first = 0; first < total; first += SECTOR) {
    const piece = await source.fetch(first);
    if (first === 0) total = piece.total;
    if (total > IMAGE_LIMIT_BYTES) throw new TooLarge(`an image of ${total} bytes`);
    if (piece.body.length !== Math.min(SECTOR, total - first)) throw new BadReply(`another range than from ${first}`);
    accept();
    await pause(WRITE_MS);
    flash.erase((DOWNLOAD_ADDRESS + first) / SECTOR);
    flash.program(DOWNLOAD_ADDRESS + first, piece.body);
  }
  const { requests, connections } = source;
  report('downloaded', { bytes: total, requests, connections });
  return total;
}

/** The server's file, range by range, over as few connections as it allows. */
class RangeSource {
  requests = 0;
  connections = 0;
  #socket: net.Socket | undefined;

  constructor(
    readonly device: DiyIdentity,
    readonly offer: DiyOffer,
  ) {}

  async fetch(first: number): Promise<Piece> {
    for (;;) {
      try {
        this.#socket ??= await this.#connect();
        this.requests++;
        return await fetchPiece(this.#socket, rangeRequest(this.device, this.offer, first), REPLY_LIMIT_MS);
      } catch (error) {
        this.close();
        if (!(error instanceof LineLost)) throw error;
        report('connection-lost', { reason: error.message });
        if (this.connections >= CONNECTIONS) throw error;
      }
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #connect(): Promise<net.Socket> {
    await pause(this.connections++ * 1000);
    return await connect(this.offer.host, this.offer.port, REPLY_LIMIT_MS);
  }
}

/** The end of the last range lies behind that of the file: the server has to know better (diy-mode 1.11). */
function rangeRequest(device: DiyIdentity, { path }: DiyOffer, first: number): string {
  const ts = device.rand.next();
  const sign = createHash('sha256').update(`${device.deviceid}${ts}${device.apikey}`).digest('hex');
  const range = `Range: bytes=${first}-${first + SECTOR - 1}\r\n`;
  const request =
    `GET ${path}?deviceid=${device.deviceid}&ts=${ts}&sign=${sign} HTTP/1.1\r\n${range}` +
    'Host: dl.itead.cn\r\nUser-Agent: itead-device\r\n\r\n';
  if (request.length > REQUEST_LIMIT_BYTES || range.length > RANGE_LINE_BYTES) fault(`a path too long: ${path}`);
  return request;
}
