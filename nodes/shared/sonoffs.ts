import type { NodeAPI } from 'node-red';
import type { ListedSonoff } from '../../lib/flash/discovery/listed-sonoff';
import { METHODS, REASONS, type Confidence, type Method } from '../../lib/protocol/recommendation';
import { translateShared } from './translate';

/** A Sonoff of the list as messages have it: plain data, in the runtime's language. */
export interface DescribedSonoff {
  readonly deviceid: string | null;
  readonly name: string | null;
  readonly model: string | null;
  readonly version: string | null;
  readonly address: string | null;
  readonly known: readonly string[];
  /** ISO 8601; null where it was named only. */
  readonly seenAt: string | null;
  /** dBm. */
  readonly rssi: number | null;
  readonly method: Method;
  readonly methodText: string;
  readonly confidence: Confidence;
  readonly reason: string;
  /** Where that is known from. */
  readonly source: string;
}

export function describeSonoff(RED: NodeAPI, device: ListedSonoff): DescribedSonoff {
  const { deviceid, name, model, version, address, known, seenAt, rssi, recommendation } = device;
  const { method, confidence, reason, values, source } = recommendation;
  return {
    deviceid: deviceid ?? null,
    name: name ?? null,
    model: model ?? null,
    version: version ?? null,
    address: address ?? null,
    known,
    seenAt: seenAt === undefined ? null : new Date(seenAt).toISOString(),
    rssi: rssi ?? null,
    method,
    methodText: methodText(RED, method),
    confidence,
    reason: translateShared(RED, `reasons.${reason}`, REASONS[reason], values),
    source,
  };
}

/** How many there are of each method, the most hopeful first: `2 × DIY mode, now; 1 × emulated cloud`. */
export function countedByMethod(RED: NodeAPI, list: readonly ListedSonoff[]): string {
  return (Object.keys(METHODS) as Method[])
    .map((method) => ({ method, count: list.filter((one) => one.recommendation.method === method).length }))
    .filter(({ count }) => count > 0)
    .map(({ method, count }) => `${count} × ${methodText(RED, method)}`)
    .join('; ');
}

function methodText(RED: NodeAPI, method: Method): string {
  return translateShared(RED, `methods.${method}`, METHODS[method]);
}
