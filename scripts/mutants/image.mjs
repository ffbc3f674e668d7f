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
];
