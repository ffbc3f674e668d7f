import { fill, wording, type WordingValues } from '../../wordings/wording';
import type { Observation } from '../observation';

/** The last action of a device, in words: the one table of them. The build puts it into the catalogue of `sonota-host`. */
export const REQUESTS = {
  provisioned: 'took the Wi-Fi settings',
  dialled: 'connected to this machine, without a word so far',
  'tls-failed': 'broke off the TLS handshake ({code})',
  malformed: 'sent something that is not its protocol',
  dispatched: 'asked where to connect',
  registered: 'registered at the emulated cloud',
  message: 'sent "{action}"',
  'image-requested': 'asked for {image}, from byte {first} of {size}',
  'image-requested-whole': 'asked for the whole of {image}, {size} bytes',
  acknowledged: 'reported {error} on the upgrade',
  'session-lost': 'closed its session',
  'finalstage-dialled': 'connected as FinalStage, without a request',
  'finalstage-asked-user2': 'asked for user2 as FinalStage, {size} bytes',
  'finalstage-asked-final': 'asked for the final image as FinalStage, {size} bytes',
  'finalstage-broken': 'broke off as FinalStage after {bytes} bytes',
  'finalstage-acknowledged': 'took all {bytes} bytes as FinalStage and vanished',
  'finalstage-delivered': 'took all {bytes} bytes as FinalStage',
} as const satisfies Record<string, string>;

export type RequestName = keyof typeof REQUESTS;

export interface LastRequest {
  /** ISO 8601. */
  readonly at: string;
  /** Which sentence it is and what fills it, for a translation of `text`. */
  readonly name: RequestName;
  readonly values: WordingValues;
  readonly text: string;
}

/** The newest thing that the device itself did; undefined where it has not shown itself. */
export function lastRequestIn(observations: readonly Observation[]): LastRequest | undefined {
  for (let index = observations.length - 1; index >= 0; index--) {
    const seen = observations[index] as Observation;
    const told = tell(seen);
    if (told) return { at: new Date(seen.at).toISOString(), ...told, text: fill(REQUESTS[told.name], told.values) };
  }
  return undefined;
}

function tell(seen: Observation): Pick<LastRequest, 'name' | 'values'> | undefined {
  switch (seen.kind) {
    case 'provisioned':
    case 'dialled':
    case 'malformed':
    case 'dispatched':
    case 'registered':
    case 'session-lost':
    case 'finalstage-dialled':
      return { name: seen.kind, values: {} };
    case 'tls-failed':
      return { name: seen.kind, values: { code: seen.code } };
    case 'acknowledged':
      return { name: seen.kind, values: { error: seen.error } };
    case 'image-requested': {
      const { role, first, size } = seen;
      const image = wording(`asked-${role}`);
      return first === undefined
        ? { name: 'image-requested-whole', values: { image, size } }
        : { name: 'image-requested', values: { image, first, size } };
    }
    case 'finalstage-requested':
      return { name: `finalstage-asked-${seen.image}`, values: { size: seen.size } };
    case 'finalstage-ended':
      // This program ended there; the device's request before it is the newest thing it did.
      return seen.how === 'interrupted' ? undefined : { name: `finalstage-${seen.how}`, values: { bytes: seen.bytes } };
    case 'message':
      return seen.direction === 'in' ? { name: 'message', values: { action: actionIn(seen.text) } } : undefined;
    default:
      return undefined;
  }
}

/** The subject of a message of the session; an acknowledgement names no action. */
function actionIn(text: string): string {
  try {
    const { action, error } = JSON.parse(text) as { action?: unknown; error?: unknown };
    if (typeof action === 'string') return action.slice(0, 40);
    if (typeof error === 'number') return `error ${error}`;
  } catch {
    // Not JSON; the evidence has that, too.
  }
  return '?';
}
