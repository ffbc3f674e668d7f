/** The nodes of a single step, in the order in which a flash passes through them. */
export const SINGLE_STEPS: readonly string[] = [
  'sonota-provision',
  'sonota-cloud-emulator',
  'sonota-ota-serve',
  'sonota-finalstage-watch',
  'sonota-diy-flash',
  'sonota-new-firmware',
];

/** With the set-up of a Tasmota, which comes after them. */
export const WITH_SET_UP: readonly string[] = [...SINGLE_STEPS, 'sonota-tasmota-setup'];

/** Each node that waits for a device: the whole flash in one, too. */
export const STAGE_NODES: readonly string[] = ['sonota-flash', ...WITH_SET_UP];
