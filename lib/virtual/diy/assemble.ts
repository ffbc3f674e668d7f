import { assemble } from '../device/assemble';
import type { LifeHooks } from '../device/virtual-device';
import { HEALTHY_DIY } from './behaviours';
import type { DiyContext, DiySettings } from './context';
import { diyBehavioursOf } from './faults';
import type { VirtualDiyOptions } from './options';
import { PlugState } from './plug-state';
import { type DiyVersion, profileOf } from './versions';

/** The network that a device with its jumper set joins (docs/dev/diy-mode.md#1.2). */
const JUMPER_NETWORK = { ssid: 'sonoffDiy', password: '20170618sn' };
const NO_NETWORK = { ssid: '', password: '' };
const MDNS = { group: '224.0.0.251', port: 5353 };

/** Builds a DIY device from its options. Throws RangeError for an unknown fault. */
export function assembleDiy(options: VirtualDiyOptions, hooks: LifeHooks): DiyContext {
  const { version = '3.7.6', behaviours, fault = '', ...common } = options;
  // The image goes to the lower half, so the stock firmware runs from the upper one; in eWeLink mode it checks certificates.
  const device = assemble(
    { model: 'PSF-BD1-GL', ...common, fault: '', romVersion: version, slot: 2, transport: 'verifying' },
    hooks,
  );
  return {
    ...device,
    behaviours: { ...HEALTHY_DIY, ...diyBehavioursOf(fault), ...behaviours },
    profile: profileOf(version),
    type: options.type ?? 'diy_plug',
    mdns: options.mdns === false ? undefined : { ...MDNS, ...options.mdns },
    dns: options.dns,
    vendorPort: options.vendorPort ?? 80,
    settings: settingsOf(options, version),
    plug: new PlugState(),
  };
}

function settingsOf(
  { startsIn, network = NO_NETWORK, otaUnlock = false }: VirtualDiyOptions,
  version: DiyVersion,
): DiySettings {
  const begins = startsIn ?? (profileOf(version).entersBy === 'jumper' ? 'jumper' : 'access-point');
  const kept = { cloud: undefined, otaUnlock };
  if (begins === 'jumper') return { ...kept, mode: 'diy', network: JUMPER_NETWORK };
  return { ...kept, mode: begins === 'access-point' ? 'none' : begins, network };
}
