import type { Rule } from '../rule';
import { CLAIM_RULES } from './claims';
import { CLOUD_RULES } from './cloud';
import { DIY_RULES } from './diy';
import { FINALSTAGE_RULES } from './finalstage';
import { NEW_FIRMWARE_RULES } from './new-firmware';
import { PROVISION_RULES } from './provision';
import { UPGRADE_RULES } from './upgrade';
import { WIFI_RULES } from './wifi';

/**
 * Every diagnosis (docs/dev/stock-firmware.md#7), in the order in which they are tried: the more telling comes first.
 */
export const RULES: readonly Rule[] = [
  ...WIFI_RULES,
  ...PROVISION_RULES,
  ...CLAIM_RULES,
  ...CLOUD_RULES,
  ...UPGRADE_RULES,
  ...DIY_RULES,
  ...FINALSTAGE_RULES,
  ...NEW_FIRMWARE_RULES,
];
