/** Flashes that wait for their turn. */
export default [
  {
    file: 'lib/errors.ts',
    find: "can only be mended with a serial adapter.',\n    outlook: 'never',",
    replace: "can only be mended with a serial adapter.',",
    tests: ['flash/retry'],
    why: 'a device that is half erased is begun again',
  },
];
