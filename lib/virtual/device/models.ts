import { createHash, randomBytes } from 'node:crypto';

/** A device's identity: what is on its label, and what its vendor wrote into it. */
export interface Identity {
  readonly deviceid: string;
  /** The factory key, 36 characters. */
  readonly apikey: string;
  readonly model: string;
  readonly romVersion: string;
  readonly mac: string;
}

/** An identity from what is given; the rest is derived from the device id. */
export function identityOf(given: {
  deviceid?: string;
  apikey?: string;
  model?: string;
  romVersion?: string;
}): Identity {
  const deviceid = given.deviceid || `1000${randomBytes(3).toString('hex')}`;
  const seed = createHash('sha256').update(deviceid).digest('hex');
  return {
    deviceid,
    apikey:
      given.apikey || [seed.slice(0, 8), ...[8, 12, 16].map((i) => seed.slice(i, i + 4)), seed.slice(20, 32)].join('-'),
    model: given.model || 'ITA-GZ1-GL',
    romVersion: given.romVersion || '1.5.5',
    mac: `5C:CF:7F:${seed.slice(32, 38).replace(/(..)(?!$)/g, '$1:')}`.toUpperCase(),
  };
}

/** The `params` of a device's first `update`, by its model (docs/dev/stock-firmware.md#3.6). */
export function updateParams({ model, romVersion, mac }: Identity): Record<string, unknown> {
  const common = { fwVersion: romVersion, rssi: -52, staMac: mac };
  switch (model) {
    case 'PSB-B04-GL':
    case 'PSF-B04-GL':
      return { switches: [0, 1, 2, 3].map((outlet) => ({ switch: 'off', outlet })), ...common };
    case 'PSC-B01-GL':
      return { switch: 'off', power: '0', ...common, startup: 'off' };
    case 'PSA-BHA-GL':
      return { switch: 'off', ...common, ...(romVersion === '2.0.1' ? {} : { startup: 'off' }) };
    default:
      return { switch: 'off', ...common, startup: 'off' };
  }
}

/** The parameters of the device's `query`. */
export function queryParams({ model }: Identity): string[] {
  return model === 'PSC-B01-GL' ? ['timers', 'timeZone'] : ['timers'];
}
