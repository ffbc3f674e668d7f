import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { packageRoot } from './package-root';

const COLOURS = 256;
const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Eight bits a pixel, each a place in the palette. */
const INDEXED = [8, 3, 0, 0, 0];

export interface Pixels {
  readonly rgba: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The pictures that are made in Node-RED 5, which shows a form and the sidebar side by side; the others in 4.1. */
const IN_NODE_RED_5 = ['flash-form', 'host-form', 'node-red-5'];
const IS_NODE_RED_5 = process.env['SONOTA_NODE_RED'] !== undefined;

/** Whether a picture of the docs is to be made, in the Node-RED at hand. */
export function isPictureMade(name: string): boolean {
  return process.env['SONOTA_SCREENSHOT'] !== undefined && IN_NODE_RED_5.includes(name) === IS_NODE_RED_5;
}

/**
 * With `SONOTA_SCREENSHOT` set, makes a picture of the docs, of a page or of a part of it; else does nothing. The docs are
 * in the package, so the picture has a palette: a third of the bytes of what the browser takes.
 *
 * @param name of the file in docs/pictures/, without its ending
 */
export async function photographForDocs(name: string, page: Page, part: Page | Locator = page): Promise<void> {
  if (!isPictureMade(name)) return;
  const taken = await part.screenshot({ animations: 'disabled' });
  const path = join(packageRoot(), 'docs', 'pictures', `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, indexedPng(await pixelsOf(page, taken)));
}

/** The browser decodes the picture that it has taken. */
export async function pixelsOf(page: Page, png: Buffer): Promise<Pixels> {
  const { base64, width, height } = await page.evaluate<{
    base64: string;
    width: number;
    height: number;
  }>(`(async () => {
    const image = await createImageBitmap(await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob());
    const { width, height } = image;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let text = '';
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return { base64: btoa(text), width, height };
  })()`);
  return { rgba: new Uint8Array(Buffer.from(base64, 'base64')), width, height };
}

/** A PNG with a palette (https://www.w3.org/TR/png-3). */
function indexedPng({ rgba, width, height }: Pixels): Buffer {
  const { palette, indices } = indexed(rgba);
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) lines.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', Buffer.from([...size, ...INDEXED])),
    chunk('PLTE', Buffer.from(palette.flatMap(channelsOf))),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The colours that are seen most, as they are: light greys stay apart. Of the rest, each takes the nearest of these. */
function indexed(rgba: Uint8Array): { palette: number[]; indices: Uint8Array } {
  const indices = new Uint8Array(rgba.length / 4);
  const counts = new Map<number, number>();
  for (let at = 0; at < indices.length; at += 1) {
    const colour = colourAt(rgba, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour);
  const palette = byCount.slice(0, COLOURS);
  const places = new Map(byCount.map((colour) => [colour, nearest(palette, colour)]));
  for (let at = 0; at < indices.length; at += 1) indices[at] = places.get(colourAt(rgba, at)) ?? 0;
  return { palette, indices };
}

function colourAt(rgba: Uint8Array, pixel: number): number {
  return ((rgba[4 * pixel] ?? 0) << 16) | ((rgba[4 * pixel + 1] ?? 0) << 8) | (rgba[4 * pixel + 2] ?? 0);
}

function channelsOf(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function nearest(palette: readonly number[], colour: number): number {
  const channels = channelsOf(colour);
  const distances = palette.map((one) =>
    channelsOf(one).reduce((sum, channel, index) => sum + (channel - (channels[index] ?? 0)) ** 2, 0),
  );
  return distances.indexOf(Math.min(...distances));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
