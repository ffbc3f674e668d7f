import net from 'node:net';
import { selectSlot, type Slot, slotAddress } from '../device/boot';
import { type DeviceContext, Restart } from '../device/context';
import { dial } from '../wire/dial';
import type { ServerAddress } from '../stock/dispatch-client';
import { FetchError, type FinalStageFile, openStream, type Stream } from './finalstage-fetch';
import { FLASH_BYTES, SECTOR_BYTES } from '../device/flash-memory';
import { hold } from '../device/hold';
import { accessPointMac } from '../device/radio';
import { hang, pause } from '../device/timers';
import { WireError } from '../wire/wire';

const USER2: FinalStageFile = { path: '/ota/image_user2-0x81000.bin', magic: 0xea, maxBytes: 0x7f000 };
const FINAL: FinalStageFile = { path: '/ota/image_arduino.bin', magic: 0xe9, maxBytes: 0x80000 };
const BLOCK_BYTES = 1024;
const TRIES = 3;

export interface FinalStageEnd {
  /** `switched`: reboots into user2. `installed`: the final image is at 0x0. `failed`: three tries failed. */
  type: 'switched' | 'installed' | 'failed';
  length?: number;
}

export interface FinalStageNetwork {
  /** The address that it dials. */
  host: ServerAddress;
  /** Its own address. */
  listen: { address: string; port: number };
  onListening(port: number): void;
}

/**
 * The intermediate firmware (docs/dev/stock-firmware.md#5, docs/dev/esp8266-images.md#3): what it does follows from the
 * slot that it runs from and from the byte at 0x1000 alone. Rejects with a Restart, or with the signal's reason.
 */
export async function runIntermediate(
  device: DeviceContext,
  running: Slot,
  network: FinalStageNetwork,
  signal: AbortSignal,
): Promise<FinalStageEnd> {
  const { timings, radio, behaviours, flash, identity } = device;
  device.enter('blinking');
  await pause(timings.blink, signal);
  const halfErased = flash.bytes[slotAddress(1)] !== 0xea;
  const own = {
    ssid: 'FinalStage',
    address: network.listen.address,
    bssid: accessPointMac(identity.mac),
    stolen: behaviours.finalStageStolen,
  };
  await radio.openAccessPoint(own);
  let isOnAir = true;
  const goesDark = async (): Promise<void> => {
    if (isOnAir) await radio.closeAccessPoint(own);
    isOnAir = false;
  };
  const server = await listen(network, device);
  try {
    device.enter(halfErased ? 'half-erased' : 'finalstage');
    if (halfErased) return await dialForNothing(device, network.host, signal);
    await dialUntilAnswered(device, network.host, signal);
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      try {
        device.enter('fetching');
        const length =
          running === 1
            ? await installUser2(device, network.host, goesDark, signal)
            : await installFinal(device, network.host, goesDark, signal);
        return { type: running === 1 ? 'switched' : 'installed', length };
      } catch (error) {
        if (!(error instanceof FetchError || error instanceof WireError)) throw error;
        device.log(`FinalStage: try ${attempt} of ${TRIES} failed: ${error.message}`);
      }
    }
    return { type: 'failed' };
  } finally {
    if (server) await new Promise((resolve) => server.close(resolve));
    await goesDark();
  }
}

/** Accepts a connect to FinalStage's own address, so that it can be seen, and closes it. */
async function listen(network: FinalStageNetwork, device: DeviceContext): Promise<net.Server | undefined> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.destroy();
  });
  return await new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      device.log(`FinalStage's own address cannot be listened on (${error.code})`);
      resolve(undefined);
    });
    server.listen(network.listen.port, network.listen.address, () => {
      network.onListening((server.address() as net.AddressInfo).port);
      resolve(server);
    });
  });
}

/** Bare TCP connects, no data, until one succeeds. */
async function dialUntilAnswered(device: DeviceContext, host: ServerAddress, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { finalStageDials, finalStageStolen } = device.behaviours;
    if (!finalStageDials) device.failed(finalStageStolen ? 'finalstage-stolen' : 'finalstage-blocked');
    else if (await connects(device, host, signal)) return;
    await pause(device.timings.finalStageDial, signal);
  }
}

/** The half-erased state: it connects and never asks for anything. */
async function dialForNothing(device: DeviceContext, host: ServerAddress, signal: AbortSignal): Promise<never> {
  device.failed('half-erased');
  do {
    await dialUntilAnswered(device, host, signal);
    await pause(device.timings.finalStageDial, signal);
  } while (device.behaviours.halfErasedDials === 'repeatedly');
  return await hang(signal);
}

async function connects(device: DeviceContext, host: ServerAddress, signal: AbortSignal): Promise<boolean> {
  try {
    const wire = await dial({
      ...host,
      localAddress: device.localAddress,
      limitMs: device.timings.finalStageHeader,
      signal,
    });
    wire.close();
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function hangIn(device: DeviceContext, signal: AbortSignal): () => Promise<never> {
  return () => {
    device.log('FinalStage: the stream broke off; it waits for ever');
    device.enter('hanging');
    device.failed('stream-broken');
    return hang(signal);
  };
}

/** From user1: erases the upper half, its boot flags included, streams the image to 0x81000 and switches to it. */
async function installUser2(
  device: DeviceContext,
  host: ServerAddress,
  goesDark: () => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { flash } = device;
  const stream = await openStream(device, host, USER2, signal, hangIn(device, signal));
  try {
    flash.eraseSectors(128, FLASH_BYTES / SECTOR_BYTES - 1);
    device.enter('erased');
    await writeBlocks(device, stream, { from: 0, address: slotAddress(2) }, goesDark, signal);
    selectSlot(flash, 2);
    return stream.length;
  } finally {
    stream.close();
  }
}

/** From user2: keeps the first 4 KiB in RAM, erases sectors 1-127, streams the rest, and writes sector 0 last. */
async function installFinal(
  device: DeviceContext,
  host: ServerAddress,
  goesDark: () => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { flash } = device;
  const stream = await openStream(device, host, FINAL, signal, hangIn(device, signal));
  try {
    const firstSector = await stream.read(SECTOR_BYTES);
    flash.eraseSectors(1, 127);
    device.enter('erased');
    await writeBlocks(device, stream, { from: SECTOR_BYTES, address: SECTOR_BYTES }, goesDark, signal);
    flash.eraseSector(0);
    flash.program(0, firstSector);
    return stream.length;
  } finally {
    stream.close();
  }
}

/** Streams the body from byte `from` on into the flash at `address`, in blocks of 1 KiB. */
async function writeBlocks(
  device: DeviceContext,
  stream: Stream,
  { from, address }: { from: number; address: number },
  goesDark: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let position = from; position < stream.length;) {
    const { losesPowerAtByte } = device.behaviours;
    if (losesPowerAtByte !== undefined && position >= losesPowerAtByte && device.once('power-loss')) {
      // Without a close: the other end keeps a connection that nothing answers any more.
      await goesDark();
      throw new Restart('lost its power while writing');
    }
    const block = await stream.read(BLOCK_BYTES);
    device.flash.program(address + position - from, block);
    position += block.length;
    await pause(device.behaviours.blockPauseMs, signal);
    await hold(device, position, signal);
  }
}
