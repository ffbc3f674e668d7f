/** Flashes that wait for their turn. */
export default [
  {
    file: 'lib/flash/queue/retry.ts',
    find: "  'finalstage-half-erased',\n",
    replace: '',
    tests: ['flash/retry'],
    why: 'a device that is half erased is begun again',
  },
];
