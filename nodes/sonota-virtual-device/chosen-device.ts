import { asFlashError } from '../../lib/errors';
import { DIY_FAULTS } from '../../lib/virtual/diy/faults';
import type { VirtualDiyOptions } from '../../lib/virtual/diy/options';
import { DIY_VERSIONS } from '../../lib/virtual/diy/versions';
import { VirtualDiySonoff } from '../../lib/virtual/diy/virtual-diy-sonoff';
import type { VirtualSonoffOptions } from '../../lib/virtual/device/options';
import { replayOf } from '../../lib/virtual/device/replay';
import { FAULTS, VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { MessageValues } from '../shared/messages';
import type { Values } from '../shared/values';
import { quoted } from '../../lib/wordings/wording';

/** A rehearsal that is not continued ends automatically after this long. */
const LINGER_MS = 15 * 60_000;

const FAULT_NAMES = FAULTS.map(({ name }) => name);
const DIY_FAULT_NAMES = DIY_FAULTS.map(({ name }) => name);

/**
 * The device of an evidence bundle, where the message brings one as `msg.evidence`: a text or a Buffer.
 * @throws FlashError `value-invalid` where it is no bundle
 */
function replayFor(said: MessageValues): Partial<VirtualSonoffOptions> {
  const evidence = said.raw('evidence');
  if (evidence === undefined || evidence === null || evidence === '') return {};
  delete said.message['evidence'];
  try {
    return replayOf(
      Buffer.isBuffer(evidence) ? evidence.toString('utf8') : typeof evidence === 'string' ? evidence : '',
    );
  } catch (thrown) {
    const error = asFlashError(thrown);
    throw said.invalid('evidence', error.values.reason ?? quoted(error.message));
  }
}

const KINDS = ['cloud', 'diy'] as const;
const TRANSPORTS = ['range', 'no-range', 'plain', 'verifying'] as const;
const DIY_STARTS = ['access-point', 'diy', 'ewelink', 'jumper'] as const;

/** The device that a form, or a bundle of evidence, describes. */
export type ChosenDevice =
  | { readonly kind: 'cloud'; readonly options: VirtualSonoffOptions }
  | { readonly kind: 'diy'; readonly options: VirtualDiyOptions };

export function makeDevice({ kind, options }: ChosenDevice): VirtualSonoff | VirtualDiySonoff {
  return kind === 'diy' ? new VirtualDiySonoff(options) : new VirtualSonoff(options);
}

/**
 * The device of the form. An evidence bundle is always of one that the cloud's method flashes.
 * @throws FlashError `value-invalid`, `variable-unset`
 */
export function deviceOf(form: Values, said?: MessageValues): ChosenDevice {
  const replay = said ? replayFor(said) : {};
  // Both are read, so that a wrong value is found whichever kind is chosen.
  const [cloud, diy] = [{ ...cloudOptionsOf(form), ...replay }, diyOptionsOf(form)];
  const isDiy = form.choice('kind', KINDS) === 'diy' && Object.keys(replay).length === 0;
  return isDiy ? { kind: 'diy', options: diy } : { kind: 'cloud', options: cloud };
}

/** The options of devices of both kinds. */
function commonOptionsOf(
  form: Values,
): Pick<VirtualSonoffOptions, 'apAddress' | 'apPort' | 'newFirmware' | 'deviceid' | 'model' | 'speed' | 'lingerMs'> {
  const ap = { apAddress: form.text('apAddress') ?? '127.0.0.1', apPort: form.port('apPort') ?? 10080 };
  const livesOn = form.flag('livesOn');
  const newApPort = form.port('newApPort') ?? ap.apPort;
  const homePort = form.port('homePort') ?? 10081;
  const model = form.text('model');
  return {
    ...ap,
    ...(livesOn ? { newFirmware: { ...ap, apPort: newApPort, homePort } } : {}),
    ...(model === undefined ? {} : { model }),
    deviceid: form.deviceId() ?? '1000f1a5b0',
    speed: form.factor('speed') ?? 1,
    lingerMs: LINGER_MS,
  };
}

function cloudOptionsOf(form: Values): VirtualSonoffOptions {
  return {
    ...commonOptionsOf(form),
    romVersion: form.text('romVersion') ?? '1.5.5',
    transport: form.choice('transport', TRANSPORTS) ?? 'range',
    slot: form.choice('slot', ['1', '2']) === '2' ? 2 : 1,
    fault: form.choice('fault', FAULT_NAMES) ?? '',
  };
}

function diyOptionsOf(form: Values): VirtualDiyOptions {
  const startsIn = form.choice('diyStart', DIY_STARTS);
  const dns = form.text('dns');
  return {
    ...commonOptionsOf(form),
    version: form.choice('diyVersion', DIY_VERSIONS) ?? '3.7.6',
    fault: form.choice('diyFault', DIY_FAULT_NAMES) ?? '',
    lanPort: form.port('lanPort') ?? 10082,
    vendorPort: form.port('vendorPort') ?? 80,
    ...(startsIn ? { startsIn } : {}),
    ...(dns === undefined ? {} : { dns }),
  };
}
