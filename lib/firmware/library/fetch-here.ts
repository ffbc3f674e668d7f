import { displayUrl } from '../../client/http-get';
import { fetchImage } from '../../client/image-fetch';
import { imageNamed, type ImageRole } from '../../image';

export interface FetchProgress {
  readonly role: ImageRole;
  /** For people: an address without secrets. */
  readonly source: string;
  readonly received: number;
  /** Bytes; undefined where the server does not say. */
  readonly total: number | undefined;
}

export interface FetchSettings {
  signal: AbortSignal;
  /** For one fetch; ms, default 120 s. */
  limitMs?: number;
  stallMs?: number;
  retryMs?: number;
  onFetch?: ((progress: FetchProgress) => void) | undefined;
}

export interface SourceBytes {
  bytes: Buffer;
  /** For people: the path, the address without credentials and query, the name, or `message`. */
  source: string;
}

/** No image for these devices comes near; more is not even read. */
export const READ_LIMIT_BYTES = 2 * 1024 * 1024;
const FETCH_LIMIT_MS = 120_000;

/** Fetches without keeping. @throws FlashError fetch-*, cancelled */
export async function fetchHere(role: ImageRole, address: string, settings: FetchSettings): Promise<Buffer> {
  const { limitMs = FETCH_LIMIT_MS, onFetch, ...more } = settings;
  const source = displayUrl(address);
  return await fetchImage(address, {
    ...more,
    what: imageNamed(role),
    limitMs,
    limitBytes: READ_LIMIT_BYTES,
    onProgress: onFetch && ((received, total) => onFetch({ role, source, received, total })),
  });
}
