/** A virtual Sonoff's options for the addresses of the real world: nothing is moved to loopback. */
export const REAL_ADDRESSES = {
  apAddress: '10.10.7.1',
  apPort: 80,
  finalStageAddress: '192.168.4.1',
  finalStagePort: 80,
  newFirmware: { apAddress: '192.168.4.1', apPort: 80, homePort: 80 },
};
