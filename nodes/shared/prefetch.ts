import type { Node, NodeAPI } from 'node-red';
import { asFlashError, type ErrorCode } from '../../lib/errors';
import { loadImages, type FirmwareSources } from '../../lib/firmware/firmware';
import { chosenRoute } from '../../lib/flash/routes/choice';
import { isRehearsalSource } from '../../lib/firmware/image-source';
import type { FlashHost } from '../../lib/flash/host/host';
import { SerialQueue } from '../../lib/timing/serial-queue';
import { isLoopback } from '../../lib/net/addresses';
import { IMAGE_ROLES } from './sources';
import type { NodeStatus } from './status';
import { translateError } from './translate';

/** For one fetch over the network; ms. */
const FETCH_LIMIT_MS = 120_000;
/** Codes that pass, or that only a person can settle: no reason for alarm. */
const PASSING: readonly ErrorCode[] = ['fetch-failed', 'fetch-stalled', 'digest-unconfirmed'];

/** One after another: nodes of one firmware find it here when their turn comes. */
const turns = new SerialQueue();
/** The messages logged since the queue was last empty: many nodes may lack one image. */
const logged = new Set<string>();
let waiting = 0;

export interface PrefetchOptions {
  readonly host: Pick<FlashHost, 'bind' | 'library'>;
  readonly sources: FirmwareSources;
  readonly status: NodeStatus;
  /** Whether the node has something better to show. */
  readonly isBusy: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Fetches and examines a node's images behind a deploy, so that no person waits for them with a device in hand. What it
 * cannot get shows under the node and in one line of the log, and nothing is refused for it. Never for a rehearsal, and
 * never confirms a digest.
 */
export function prefetchFirmware(RED: NodeAPI, node: Node, options: PrefetchOptions): void {
  if (isLoopback(options.host.bind) || isForRehearsal(options.sources)) return;
  waiting += 1;
  void turns
    .run(() => prefetch(RED, node, options))
    .finally(() => {
      waiting -= 1;
      if (waiting === 0) logged.clear();
    });
}

async function prefetch(RED: NodeAPI, node: Node, options: PrefetchOptions): Promise<void> {
  const { host, sources, status, isBusy, signal } = options;
  try {
    signal.throwIfAborted();
    await loadImages(chosenRoute(sources), sources, { signal, limitMs: FETCH_LIMIT_MS, library: host.library });
  } catch (thrown) {
    // The next instance of the node starts again.
    if (signal.aborted) return;
    const error = asFlashError(thrown);
    // Without an image there is nothing to fetch: a message may bring it, or the check before a flash reports it.
    if (error.code === 'firmware-missing') return;
    const passes = PASSING.includes(error.code);
    if (!isBusy() && passes) status.warned(error.code);
    else if (!isBusy()) status.failed(error.code);
    const { message } = translateError(RED, error);
    if (logged.has(message)) return;
    logged.add(message);
    if (passes) node.log(message);
    else node.warn(message);
  }
}

function isForRehearsal(sources: FirmwareSources): boolean {
  return IMAGE_ROLES.some((role) => isRehearsalSource(sources[role] ?? ''));
}
