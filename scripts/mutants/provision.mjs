/** The first step: which device's access point this is. */
export default [
  {
    file: 'lib/flash/stage/provision/provision.ts',
    find: 'if (!isLeaving(context, host, device.deviceid)) {',
    replace: 'if (true) {',
    tests: ['flash/provision'],
    why: 'the next flash of a queue takes the device that was just set up, and cancels its flash',
  },
  {
    file: 'lib/flash/stage/provision/provision.ts',
    find: 'setUp !== undefined && Date.now() - setUp.at < host.waits.apGoesMs',
    replace: 'setUp !== undefined',
    tests: ['flash/provision'],
    why: 'a device that was set up once is never set up again',
  },
  {
    file: 'lib/flash/stage/provision/provision.ts',
    find: 'if (deviceid === undefined || device.deviceid === deviceid) return;',
    replace: 'return;',
    tests: ['flash/provision'],
    why: 'another device than the one that is meant gets the Wi-Fi',
  },
];
