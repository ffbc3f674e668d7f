/** The part of a node's message that can be stored on disk: JSON, no secret, and not too much of it. */

import { types } from 'node:util';
import type { ImageRole } from '../../image';

/** Bytes of JSON; a message with an image in it has hundreds of thousands. */
const LIMIT_BYTES = 64 * 1024;
const DEPTH_LIMIT = 20;

const SECRET_KEY = /pass(word|wd|phrase|code)|^pwd$|api_?key|secret|token|credential|authorization|cookie/i;

/** No image for these devices comes near; a longer one is refused anyway. */
const IMAGE_LIMIT_BYTES = 2 * 1024 * 1024;
const ROLES: readonly ImageRole[] = ['user1', 'user2', 'final'];

/** Images that a message carries itself. */
export type CarriedImages = Partial<Record<ImageRole, Buffer>>;

export interface StoredMessage {
  readonly message: Record<string, unknown>;
  /** Names of the properties that were too big. */
  readonly left: readonly string[];
}

/**
 * The part of a message that outlives the process. What is left out without a word is what no file could hold (sockets,
 * functions, circles) and whatever is called like a secret, at any depth.
 */
export function storedMessage(message: Readonly<Record<string, unknown>>): StoredMessage {
  const kept: Record<string, unknown> = {};
  const left: string[] = [];
  let room = LIMIT_BYTES;
  const sizes = Object.entries(message).flatMap(([key, value]) => {
    const plain = SECRET_KEY.test(key) ? undefined : plainOf(value, []);
    return plain === undefined ? [] : [{ key, plain, size: JSON.stringify(plain).length }];
  });
  // The small ones first: one big property must not cost all the others.
  for (const { key, plain, size } of sizes.sort((a, b) => a.size - b.size)) {
    room -= size;
    if (room >= 0) kept[key] = plain;
    else left.push(key);
  }
  return { message: kept, left };
}

/** The images in `msg.firmware`, which are too big for the message's own place on the disk. */
export function carriedImages({ firmware }: Readonly<Record<string, unknown>>): CarriedImages {
  if (typeof firmware !== 'object' || firmware === null) return {};
  const sources = firmware as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const bytes = sources[role];
      return types.isUint8Array(bytes) && bytes.length <= IMAGE_LIMIT_BYTES ? [[role, Buffer.from(bytes)]] : [];
    }),
  );
}

/** A message whose carried images are put back, or taken out where there are none to put. */
export function withImages(message: Readonly<Record<string, unknown>>, images: CarriedImages): Record<string, unknown> {
  const { firmware } = message;
  return typeof firmware === 'object' && firmware !== null
    ? { ...message, firmware: { ...firmware, ...images } }
    : { ...message };
}

/** A kept message as it was, its Buffers being Buffers again. */
export function revivedMessage(kept: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(kept), (_key, value: unknown) =>
    isBufferOfJson(value) ? Buffer.from(value.data) : value,
  ) as Record<string, unknown>;
}

function plainOf(value: unknown, inside: readonly unknown[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || inside.includes(value) || inside.length > DEPTH_LIMIT) return undefined;
  if (types.isUint8Array(value)) return bufferOf(value);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const path = [...inside, value];
  if (Array.isArray(value)) return value.map((one) => plainOf(one, path) ?? null);
  if (!isPlain(value)) return undefined;
  const entries = Object.entries(value).filter(([key]) => !SECRET_KEY.test(key));
  const plain = entries.map(([key, one]) => [key, plainOf(one, path)] as const);
  return Object.fromEntries(plain.filter(([, one]) => one !== undefined));
}

/** Longer ones are not even spelled out: nothing of that size is kept. */
function bufferOf(bytes: Uint8Array): unknown {
  if (bytes.length <= LIMIT_BYTES / 2) return Buffer.from(bytes).toJSON();
  return { type: 'Buffer', data: ' '.repeat(LIMIT_BYTES) };
}

/** Not instanceof: what a function node makes comes from another realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isBufferOfJson(value: unknown): value is { data: number[] } {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false;
  return value.type === 'Buffer' && Array.isArray(value.data) && Object.keys(value).length === 2;
}
