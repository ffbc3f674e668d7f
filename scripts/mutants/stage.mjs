/** The stages of a flash. */
export default [
  {
    file: 'lib/flash/stage/finalstage.ts',
    find: "if (state === 'acknowledged' && isAway(waits.unconfirmedMs)) throw new FlashError('finalstage-unconfirmed');",
    replace: '',
    tests: ['flash/flash-end'],
    why: 'a device that went without a goodbye is waited for to the limit',
  },
  {
    file: 'lib/flash/stage/new-firmware-presence.ts',
    find: "isProven || (!place.isAccessPoint && kind !== 'other')",
    replace: 'true',
    tests: ['flash/flash-end'],
    why: 'any page at the old address proves a flash in one hop',
  },
  {
    file: 'lib/flash/stage/new-firmware.ts',
    find: 'return left === 0 && !neighbours.has(name);',
    replace: 'return left === 0;',
    tests: ['flash/new-firmware'],
    why: 'a router that was there before is taken for the new firmware',
  },
  {
    file: 'lib/flash/stage/new-firmware.ts',
    find: 'return left === 0 && !neighbours.has(name);',
    replace: 'return !neighbours.has(name);',
    tests: ['flash/new-firmware'],
    why: 'a page that comes while the device is dark is taken for its own',
  },
  {
    file: 'lib/flash/stage/new-firmware.ts',
    find: '{ isBusy: mayWrite }',
    replace: '{}',
    tests: ['flash/new-firmware'],
    why: 'a person is asked to cut the power while the device writes',
  },
];
