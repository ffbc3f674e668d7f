import { HEALTHY, behavioursOf } from './behaviours';
import { otherSlot } from './boot';
import type { DeviceContext } from './context';
import { factoryFlash, installIntermediate } from './factory';
import { identityOf } from './models';
import type { VirtualSonoffOptions } from './options';
import { loopbackRadio } from './radio';
import { NewlibRand } from './rand';
import { timingsAt } from './timings';

/** Builds a device from its options. Throws RangeError for an unknown fault. */
export function assemble(
  options: VirtualSonoffOptions,
  hooks: Pick<DeviceContext, 'log' | 'enter' | 'failed'>,
): DeviceContext {
  const slot = options.slot ?? 1;
  const transport = options.transport ?? 'range';
  const flash = factoryFlash(slot);
  if (options.startAt === 'finalstage') installIntermediate(flash, otherSlot(slot));
  const done = new Set<string>();
  return {
    ...hooks,
    identity: identityOf(options),
    transport,
    download: options.download ?? (transport === 'plain' || transport === 'no-range' ? 'no-range' : 'range'),
    legacyPort: options.legacyPort ?? 8081,
    localAddress: options.localAddress,
    timings: timingsAt(options.speed || 1, options.timings),
    flash,
    radio: { ...loopbackRadio(options.localAddress), ...options.radio },
    behaviours: { ...HEALTHY, ...behavioursOf(options.fault ?? ''), ...options.behaviours },
    rand: new NewlibRand(),
    kept: {},
    once: (name) => !done.has(name) && Boolean(done.add(name)),
  };
}
