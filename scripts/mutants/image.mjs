/** Reading images: a wrong answer here puts a wrong byte on a device. */
export default [
  {
    file: 'lib/image/slot.ts',
    find: 'if (slot1 >= needed && slot1 >= MAJORITY * slot2) return 1;',
    replace: 'if (slot1 >= needed && slot1 >= slot2) return 1;',
    tests: ['image/check', 'image/doctor', 'image/read'],
    why: 'an image that is linked for slot 2 in part is taken for slot 1',
  },
  {
    file: 'lib/image/slot.ts',
    find: 'if (slot2 >= needed && slot2 >= MAJORITY * slot1) return 2;',
    replace: 'if (slot2 >= needed) return 2;',
    tests: ['image/check', 'image/doctor', 'image/read'],
    why: 'an image linked for user1 is taken for user2',
  },
  {
    file: 'lib/image/slot.ts',
    find: 'if (slot2 >= needed && slot2 >= MAJORITY * slot1) return 2;',
    replace: 'if (slot2 >= needed && slot2 >= slot1) return 2;',
    tests: ['image/check'],
    why: 'an image that is linked for slot 1 in part is taken for slot 2',
  },
  {
    file: 'lib/image/slot.ts',
    find: 'FEWEST_WORDS + MAJORITY * byChance',
    replace: 'FEWEST_WORDS',
    tests: ['image/check'],
    why: 'words that a large irom holds by chance name a slot',
  },
  {
    file: 'lib/image/one-hop/pack.ts',
    find: '[DOUT_BYTE, FLASH_SIZE_1MB << 4]',
    replace: '[0, FLASH_SIZE_1MB << 4]',
    tests: ['image/one-hop'],
    why: 'a one-hop file is written in a flash mode that an ESP8285 does not boot',
  },
  {
    file: 'lib/image/one-hop/pack.ts',
    find: '[DOUT_BYTE, FLASH_SIZE_1MB << 4]',
    replace: '[DOUT_BYTE, 4 << 4]',
    tests: ['image/one-hop'],
    why: 'a one-hop file says 4 MB to a chip of 1 MB',
  },
];
