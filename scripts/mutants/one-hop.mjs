/** One hop, as far as it is TypeScript; the relocator's own C is broken by the sweeps of `npm run test:one-hop`. */
export default [
  {
    file: 'lib/flash/verdict/rules/new-firmware.ts',
    find: "if (last && !last.looks.every(({ result }) => result === 'silent')) return undefined;",
    replace: '',
    tests: ['flash/verdict/judge'],
    why: 'a device whose access point nobody has joined is called dark',
  },
  {
    file: 'lib/flash/verdict/rules/new-firmware.ts',
    find: "routeNamed(seen.began?.intermediate)?.whenSilent !== 'one-hop-silent'",
    replace: 'false',
    tests: ['flash/verdict/judge'],
    why: 'a device that FinalStage has flashed is said to wait for a power cycle',
  },
  {
    file: 'lib/flash/stage/new-firmware.ts',
    find: 'darkFor(job, host.waits.darkAtMostMs) > 0',
    replace: 'darkFor(job, host.waits.darkMs) > 0',
    tests: ['flash/new-firmware'],
    why: 'a person is asked to cut the power of a device that still writes',
  },
  {
    file: 'lib/flash/stage/upgrade.ts',
    find: 'download.isFlowing(host.waits.upgradeFlowsMs) || mayWrite()',
    replace: 'download.isFlowing(host.waits.upgradeFlowsMs)',
    tests: ['flash/verdict/verdict'],
    why: 'the upgrade fails for silence while the device may still write',
  },
  {
    file: 'lib/flash/stage/upgrade.ts',
    find: 'watchTrouble(job, tellTrouble, mayWrite)',
    replace: 'watchTrouble(job, tellTrouble)',
    tests: ['flash/verdict/verdict'],
    why: 'a person is asked for a power cycle while the device may still write',
  },
  {
    file: 'lib/image/one-hop/layout.ts',
    find: 'return left < REPORT_BYTES ? layoutOf(layout.iromLength + LINE_BYTES) : layout;',
    replace: 'return layout;',
    tests: ['image/one-hop'],
    why: "the relocator's report runs into a sector that is not its own",
  },
  {
    file: 'lib/virtual/device/one-hop-model.ts',
    find: "if (proof === 'refused') return false;",
    replace: '',
    tests: ['virtual/one-hop'],
    why: 'the virtual Sonoff does not look whether its lower half can be written',
  },
  {
    file: 'lib/virtual/device/one-hop-model.ts',
    find: 'flash.eraseSector(CALIBRATION_SECTOR);',
    replace: '',
    tests: ['virtual/one-hop'],
    why: 'the virtual Sonoff keeps init data where the new firmware looks for its calibration',
  },
];
