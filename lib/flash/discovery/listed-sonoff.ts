import { recommend, type KnownFacts, type Recommendation } from '../../protocol/recommendation';
import type { SeenHow } from '../devices/device-directory';
import type { NamedDevice } from './named-devices';

/** How a listed device is known; `named` by a message. */
export type KnownHow = SeenHow | 'named';

/** A Sonoff in the list. */
export interface ListedSonoff {
  /** Tells it from the others for as long as it is listed. */
  readonly key: string;
  readonly deviceid: string | undefined;
  readonly name: string | undefined;
  /** As people write it where that is known, else as the device states it. */
  readonly model: string | undefined;
  /** Of its firmware. */
  readonly version: string | undefined;
  /** IPv4. */
  readonly address: string | undefined;
  /** In all ways in which it is known now. */
  readonly known: readonly KnownHow[];
  /** When it was seen last, in ms since the epoch; undefined where it was named only. */
  readonly seenAt: number | undefined;
  /** dBm. */
  readonly rssi: number | undefined;
  readonly recommendation: Recommendation;
}

/** The statement of one source on a device. */
export interface Sighting extends KnownFacts {
  readonly how: KnownHow;
  readonly deviceid?: string | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  /** Lower case, with colons. */
  readonly mac?: string | undefined;
  readonly rssi?: number | undefined;
  readonly at?: number | undefined;
}

/** The statement of a program that only names devices. */
export function namedSighting(device: NamedDevice): Sighting {
  return { how: 'named', ...device };
}

/**
 * One entry for each device: sightings with its id belong together, and those without one are matched by its MAC or its
 * address. What was seen counts more than what was named, and among it what came first in the list.
 */
export function listOf(sightings: readonly Sighting[]): ListedSonoff[] {
  const groups: Sighting[][] = [];
  const ordered = [...sightings].sort((one, other) => rank(one) - rank(other));
  for (const sighting of ordered) {
    const group = groups.find((known) => known.some((one) => isSame(one, sighting)));
    if (group) group.push(sighting);
    else groups.push([sighting]);
  }
  return withOwnKeys(groups.map(entryOf));
}

/** Devices that are named alike and in no other way get keys by their order. */
function withOwnKeys(entries: readonly ListedSonoff[]): ListedSonoff[] {
  const counts = new Map<string, number>();
  return entries.map((entry) => {
    const count = (counts.get(entry.key) ?? 0) + 1;
    counts.set(entry.key, count);
    return count === 1 ? entry : { ...entry, key: `${entry.key} #${count}` };
  });
}

/** Those with an id first: the others are matched against what those know. */
function rank({ deviceid, how }: Sighting): number {
  return (deviceid === undefined ? 2 : 0) + (how === 'named' ? 1 : 0);
}

function isSame(one: Sighting, other: Sighting): boolean {
  if (one.deviceid !== undefined && other.deviceid !== undefined) return idOf(one) === idOf(other);
  if (one.mac !== undefined && other.mac !== undefined) return one.mac === other.mac;
  return one.address !== undefined && one.address === other.address;
}

function idOf({ deviceid }: Sighting): string | undefined {
  return deviceid?.toLowerCase();
}

function entryOf(sightings: readonly Sighting[]): ListedSonoff {
  const first = <K extends keyof Sighting>(key: K): Sighting[K] | undefined =>
    sightings.find((one) => one[key] !== undefined)?.[key];
  const times = sightings.flatMap(({ at }) => at ?? []);
  const model = first('model');
  const facts: KnownFacts = {
    model,
    product: first('product'),
    version: first('version'),
    // A sighting of stock firmware outweighs a list.
    firmware: times.length > 0 ? undefined : first('firmware'),
    announcement: first('announcement'),
    hasChannels: sightings.some(({ hasChannels }) => hasChannels),
    isLocked: sightings.some(({ isLocked }) => isLocked),
    isAccessPoint: sightings.some(({ isAccessPoint }) => isAccessPoint),
  };
  return {
    key: keyOf(sightings),
    deviceid: first('deviceid'),
    name: first('name'),
    model: facts.product ?? model,
    version: facts.version,
    address: first('address'),
    known: [...new Set(sightings.map(({ how }) => how))],
    seenAt: times.length > 0 ? Math.max(...times) : undefined,
    rssi: first('rssi'),
    recommendation: recommend(facts),
  };
}

function keyOf(sightings: readonly Sighting[]): string {
  const [one] = sightings as [Sighting];
  return idOf(one) ?? one.mac ?? one.address ?? `${one.name ?? ''} ${one.product ?? one.model ?? ''}`.trim();
}

/** The part of an entry whose change is news: neither its signal nor the time, which change all the while. */
export function fingerprint({ rssi: _rssi, seenAt: _seenAt, ...entry }: ListedSonoff): string {
  return JSON.stringify(entry);
}
