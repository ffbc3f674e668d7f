/** What the observations of a job are taken for. */
export default [
  {
    file: 'lib/flash/verdict/rules/finalstage.ts',
    find: "isKnown || (ended.image === 'user2' && sent >= size)",
    replace: 'isKnown || sent >= size',
    tests: ['flash/verdict/judge'],
    why: 'a final image that broke off with its last byte counts as written',
  },
  {
    file: 'lib/flash/verdict/rules/new-firmware.ts',
    find: "confidence: 'certain', isFinal: true, values",
    replace: "confidence: 'certain', values",
    tests: ['flash/verdict/judge'],
    why: 'a device that is back in its stock firmware is waited for to the limit',
  },
  {
    file: 'lib/flash/verdict/rules/upgrade.ts',
    find: "return { confidence: 'likely', isFinal: acknowledged !== undefined, evidence };",
    replace: "return { confidence: 'likely', isFinal: true, evidence };",
    tests: ['flash/verdict/judge'],
    why: 'an upgrade is given up while the device may still ask',
  },
  {
    file: 'lib/flash/verdict/rules/finalstage.ts',
    find: "const confidence = isBehindErase || isRestarted ? 'certain' : 'likely';",
    replace: "const confidence = 'certain';",
    tests: ['flash/verdict/judge'],
    why: 'a device is declared half-erased for certain by bare connections alone',
  },
];
