/** The set-up of a Tasmota, and what is kept of one that has not ended. */
export default [
  {
    file: 'lib/flash/tasmota/pending-set-ups.ts',
    find: '{ id, message: storedMessage(message).message },',
    replace: '{ id, message },',
    tests: ['flash/tasmota/pending-set-ups'],
    why: 'secrets in a message reach the disk',
  },
  {
    file: 'lib/flash/tasmota/pending-set-ups.ts',
    find: '{ id, message: storedMessage(message).message },',
    replace: '{ id, message: storedMessage(message).message, password },',
    tests: ['flash/tasmota/pending-set-ups'],
    why: 'the Wi-Fi password reaches the disk',
  },
  {
    file: 'lib/flash/tasmota/pending-set-ups.ts',
    find: 'this.passwords.set(id, password);',
    replace: '',
    tests: ['flash/tasmota/pending-set-ups'],
    why: 'a set-up that is taken up after a deploy has no Wi-Fi password',
  },
];
