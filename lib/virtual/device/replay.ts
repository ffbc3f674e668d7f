import type { Behaviours } from './behaviours';
import type { VirtualSonoffOptions } from './options';

/** The options of a device that replays a bundle's device. */
export type Replay = Pick<VirtualSonoffOptions, 'fault' | 'behaviours'> &
  Partial<Pick<VirtualSonoffOptions, 'model' | 'romVersion' | 'transport' | 'slot'>>;

/** One line of a bundle, as far as it is read here. */
type Line = Readonly<Record<string, unknown>> & { readonly kind?: unknown };

/** A bundle has at most a thousand lines; more than this is something else. */
const LARGEST_BUNDLE = 4 * 1024 * 1024;

/**
 * The device's side of an evidence bundle: class, slot, at which byte it broke off, which acknowledgement it gave.
 *
 * @param bundle JSON lines, the first of which is the header
 * @throws RangeError where it is no bundle
 */
export function replayOf(bundle: string): Replay {
  const seen = linesOf(bundle);
  const of = (kind: string): Line[] => seen.filter((line) => line.kind === kind);
  const dispatched = of('dispatched').at(-1);
  const request = of('image-requested').at(-1);
  return {
    fault: '',
    ...textOf(dispatched, 'model'),
    ...textOf(dispatched, 'romVersion'),
    ...transportOf(of, dispatched, request),
    ...(request ? { slot: request['role'] === 'user1' ? 2 : 1 } : {}),
    behaviours: { ...beforeUpgrade(of), ...ofUpgrade(seen, of), ...inFinalStage(of) },
  };
}

type Of = (kind: string) => Line[];

function transportOf(of: Of, dispatched: Line | undefined, request: Line | undefined): Partial<Replay> {
  if (dispatched?.['via'] === 'plain') return { transport: 'plain' };
  if (request) return { transport: request['class'] === 'no-range' ? 'no-range' : 'range' };
  const isRejecting = of('tls-failed').some((line) => line['failure'] === 'certificate-rejected');
  return isRejecting && !dispatched ? { transport: 'verifying' } : {};
}

function beforeUpgrade(of: Of): Partial<Behaviours> {
  const cameHome = [...of('dialled'), ...of('dispatched'), ...of('ready')].length > 0;
  const waited = of('stage').some((line) => line['stage'] === 'cloud');
  if (waited && !cameHome) return { joinsHomeNetwork: false };
  if (of('malformed').length === 0) return {};
  if (of('dispatched').length > 0) return { sendsGarbage: true };
  return { dispatchBody: (json) => json.slice(0, -20) };
}

function ofUpgrade(seen: readonly Line[], of: Of): Partial<Behaviours> {
  const sent = seen.findLastIndex((line) => line.kind === 'upgrade-sent');
  if (sent < 0) return {};
  const after = (kind: string): Line[] => seen.slice(sent).filter((line) => line.kind === kind);
  const error = after('acknowledged').at(-1)?.['error'];
  const requests = of('image-requested');
  // The byte that it had with its last request: what arrived beyond that is unknown.
  const reached = Math.max(
    0,
    ...requests.map((line) => numberOf(line, 'first')),
    ...of('image-ended').map((line) => numberOf(line, 'bytes')),
  );
  const isLost = of('session-lost').length > 0;
  if (error === 0) return lostBefore(seen) ? { crashesAtByte: Math.max(1, furthestBeforeLoss(seen)) } : {};
  if (error === 410) return { comparesVersion: true };
  if (error === 404 && requests.length === 0) return { reachesImages: false };
  if (error === 404) {
    const beginnings = requests.filter((line) => line['class'] === 'range' && line['first'] === 0);
    const losesConnectionAtByte = Math.max(4096, reached);
    return { losesConnectionAtByte, losesConnectionTimes: Infinity, restartsDownload: beginnings.length > 1 };
  }
  if (typeof error === 'number') return { refusesWith: error };
  if (isLost && requests.length > 0) return { crashesAtByte: Math.max(1, reached) };
  return requests.length > 0 ? { acknowledges: false } : { reachesImages: false };
}

/** Whether a session was lost before the one that ended well. */
function lostBefore(seen: readonly Line[]): boolean {
  return furthestBeforeLoss(seen) > 0 || seen.filter((line) => line.kind === 'upgrade-sent').length > 1;
}

function furthestBeforeLoss(seen: readonly Line[]): number {
  const last = seen.findLastIndex((line) => line.kind === 'upgrade-sent');
  const before = seen.slice(0, last).filter((line) => line.kind === 'image-requested');
  return Math.max(0, ...before.map((line) => numberOf(line, 'first')));
}

function inFinalStage(of: Of): Partial<Behaviours> {
  const broken = of('finalstage-ended').find((line) => line['how'] === 'broken');
  if (broken) return { losesPowerAtByte: Math.max(4096, numberOf(broken, 'bytes')) };
  const looks = of('finalstage-looked');
  const wasThere = looks.some((line) => line['answered'] === true || line['ownAddress'] !== undefined);
  if (!wasThere || of('finalstage-dialled').length + of('finalstage-requested').length > 0) return {};
  const own = looks.at(-1)?.['ownAddress'];
  return { finalStageDials: false, finalStageStolen: own !== undefined && own !== '192.168.4.2' };
}

function linesOf(bundle: string): Line[] {
  if (bundle.length > LARGEST_BUNDLE) throw new RangeError('This is too large for an evidence bundle');
  try {
    const [header, ...lines] = bundle
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
    if (isObject(header) && header['bundle'] === 1 && lines.every(isObject)) return lines;
  } catch {
    // Not JSON: the same as JSON of another shape.
  }
  throw new RangeError('This is no evidence bundle');
}

function isObject(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(line: Line, name: string): number {
  const value = line[name];
  return typeof value === 'number' ? value : 0;
}

function textOf(line: Line | undefined, name: 'model' | 'romVersion'): Partial<Replay> {
  const value = line?.[name];
  return typeof value === 'string' ? { [name]: value } : {};
}
