import type * as net from 'node:net';
import { type Flash, SECTOR, type Slot, SLOT_ADDRESS } from './flash';
import { connect, forget, LineLost, pause, Reader } from './reader';
import { radio, report } from './report';

const HOST = '192.168.4.2';
const PORT = 8080;
const PROBE_EVERY_MS = 500;
const CONNECT_LIMIT_MS = 5000;
const HEADER_LIMIT_MS = 5000;
const TRIES = 3;
const BLOCK = 1024;
/** An answer that the firmware does not take: it tries again, three times, then restarts. */
class BadAnswer extends Error {}
/** Not the fault of any answer: it starts over. */
class PowerCut extends Error {}

/** What the two halves of the intermediate firmware fetch (stock-firmware 5; esp8266-images 3). */
const TASKS = {
  1: {
    path: '/ota/image_user2-0x81000.bin',
    magic: 0xea,
    limit: 0x7f000,
    firstSector: 128,
    sectors: 128,
    at: SLOT_ADDRESS[2],
  },
  2: { path: '/ota/image_arduino.bin', magic: 0xe9, limit: 0x80000, firstSector: 1, sectors: 127, at: 0 },
} as const;

export interface Circumstances {
  /** The blinking before the access point appears; 10 s on a real one. */
  blinkMs: number;
  /** One 1 KiB block of flash. */
  blockMs: number;
  /** The power fails once when all of the final image but its first sector is written. */
  powerCut?: boolean;
  /** The restart into slot 2 takes the radio away before a FIN can leave. */
  vanish?: boolean;
}

/**
 * The intermediate firmware from its boot to the final image: once from slot 2, twice when it starts in slot 1.
 * Resolves with the size of the image that was written from flash 0 on.
 */
export async function finalStage(flash: Flash, start: Slot, circumstances: Circumstances): Promise<number> {
  for (let slot: Slot = start, cycle = 1; ; cycle++) {
    const size = await oneBoot(flash, slot, cycle, circumstances);
    await radio('off');
    report('finalstage-down', { slot, cycle });
    if (size !== undefined && slot === 2) return size;
    if (size !== undefined) slot = 2;
    if (size !== undefined && !flash.boots(2)) throw new Error('the loader does not start what stands at 0x81000');
  }
}

async function oneBoot(
  flash: Flash,
  slot: Slot,
  cycle: number,
  circumstances: Circumstances,
): Promise<number | undefined> {
  await pause(circumstances.blinkMs);
  await radio('finalstage');
  report('finalstage-up', { slot, cycle });
  await findHost();
  // What it finds at 0x1000 tells it what to do; E9, a final image without its first sector, since the build of 2018-09.
  const mark = flash.bytes[SLOT_ADDRESS[1]]!;
  if (mark !== 0xea && !(mark === 0xe9 && slot === 2))
    throw new Error('half erased: it connects for ever and asks for nothing');
  for (let n = 1; n <= TRIES; n++) {
    try {
      return await fetchImage(flash, slot, circumstances);
    } catch (error) {
      if (error instanceof PowerCut) return undefined;
      if (!(error instanceof BadAnswer)) throw error;
      report('finalstage-refused', { slot, try: n, reason: error.message });
    }
  }
  return undefined;
}

/** Bare TCP connections, closed as soon as one stands. */
async function findHost(): Promise<void> {
  for (let probes = 1; ; probes++) {
    const began = performance.now();
    try {
      (await connect(HOST, PORT, CONNECT_LIMIT_MS)).end().resume();
      return report('finalstage-connected', { probes });
    } catch (error) {
      if (probes === 1) report('finalstage-waiting', { reason: (error as Error).message });
      await pause(Math.max(0, PROBE_EVERY_MS - (performance.now() - began)));
    }
  }
}

async function fetchImage(flash: Flash, slot: Slot, circumstances: Circumstances): Promise<number> {
  const task = TASKS[slot];
  let socket: net.Socket | undefined;
  try {
    socket = await connect(HOST, PORT, CONNECT_LIMIT_MS);
    const reader = new Reader(socket);
    report('finalstage-request', { path: task.path });
    socket.write(
      `GET ${task.path} HTTP/1.0\r\nHost: ${HOST}:${PORT}\r\nUser-Agent: ESP8266HTTPClient\r\nConnection: close\r\n\r\n`,
    );
    const size = readHead(await reader.head(4096, HEADER_LIMIT_MS), task.limit);
    const start = Buffer.from(await reader.peek(SECTOR, HEADER_LIMIT_MS));
    if (start[0] !== task.magic) throw new BadAnswer(`an image that begins with ${start[0]!.toString(16)}`);
    await write(flash, reader, slot, size, circumstances);
    report('installed', { slot, bytes: size });
    if (circumstances.vanish && slot === 1) await vanish(socket);
    return size;
  } catch (error) {
    if (error instanceof PowerCut && socket !== undefined) await vanish(socket);
    throw error instanceof LineLost ? new BadAnswer(error.message) : error;
  } finally {
    socket?.destroy();
  }
}

/** Gone without a word: the radio first, then the connection. */
async function vanish(socket: net.Socket): Promise<void> {
  await radio('off');
  forget(socket);
}

/** Erases and streams. The image's first sector comes last for the final image, so that a cut before it can be mended. */
async function write(
  flash: Flash,
  reader: Reader,
  slot: Slot,
  size: number,
  circumstances: Circumstances,
): Promise<void> {
  const { firstSector, sectors, at } = TASKS[slot];
  const held = slot === 2 ? await reader.take(SECTOR) : undefined;
  report('erasing', { firstSector, sectors });
  for (let i = 0; i < sectors; i++) {
    flash.erase(firstSector + i);
    if (i % 16 === 0) await pause(circumstances.blockMs);
  }
  for (let done = held?.length ?? 0; done < size;) {
    // No time limit and no way back: a stream that ends early leaves the real firmware in an endless loop.
    const block = await reader.take(Math.min(BLOCK, size - done)).catch((error: Error) => {
      throw new Error(`the stream broke off after ${done} of ${size} bytes: ${error.message}`);
    });
    await pause(circumstances.blockMs);
    flash.program(at + done, block);
    done += block.length;
    if (done % (16 * BLOCK) === 0) report('chunk', { first: done, total: size });
  }
  if (held === undefined) return;
  if (circumstances.powerCut) {
    circumstances.powerCut = false;
    report('power-cut', { written: size - SECTOR });
    throw new PowerCut();
  }
  flash.erase(0);
  flash.program(0, held);
}

function readHead(head: string, limit: number): number {
  const length = Number(/^content-length:\s*(\d+)\s*$/im.exec(head)?.[1]);
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new BadAnswer(`not a 200: ${head.split('\r\n')[0]}`);
  if (/^transfer-encoding:\s*\S/im.test(head)) throw new BadAnswer('a transfer encoding');
  if (!(length >= SECTOR && length <= limit)) throw new BadAnswer('no usable Content-Length');
  return length;
}
