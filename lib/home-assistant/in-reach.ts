/** The result of a scan by `sonota-wifi`, as far as it is used here. */
interface SeenNetwork {
  readonly kind?: unknown;
  readonly ssid?: unknown;
  readonly deviceid?: unknown;
}

/** The Sonoffs that show their own access points; undefined where this is no list of networks. */
export function sonoffsInReach(payload: unknown): string[] | undefined {
  if (!Array.isArray(payload) || !payload.every(isNetwork)) return undefined;
  return payload.flatMap(({ kind, deviceid }) => (kind === 'stock' && typeof deviceid === 'string' ? [deviceid] : []));
}

function isNetwork(value: unknown): value is SeenNetwork {
  return typeof value === 'object' && value !== null && 'ssid' in value && 'kind' in value;
}
