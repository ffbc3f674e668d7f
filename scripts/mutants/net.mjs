/** This machine in its networks: which Wi-Fi it may take, and what it leaves behind. */
export default [
  {
    file: 'lib/net/wifi/networkmanager/driver.ts',
    find: 'one.ssid === ssid && (bssid === undefined || one.bssid === bssid)',
    replace: 'one.ssid === ssid',
    tests: ['net/wifi/networkmanager'],
    why: 'another FinalStage of the same name is joined',
  },
  {
    file: 'lib/net/wifi/networkmanager/driver.ts',
    find: 'async (owner) => owner === api.bus.name || !(await api.bus.hasOwner(owner))',
    replace: '() => true',
    tests: ['net/wifi/networkmanager'],
    why: 'the Wi-Fi of another running Node-RED is taken away in mid-flash',
  },
  {
    file: 'lib/net/wifi/networkmanager/driver.ts',
    find: 'this.removeProfiles(api, async (owner) => !(await api.bus.hasOwner(owner)));',
    replace: 'this.removeProfiles(api, () => true);',
    tests: ['net/wifi/networkmanager'],
    why: 'a start takes the Wi-Fi of another running Node-RED away',
  },
  {
    file: 'lib/net/wifi/choose.ts',
    find: 'const reason = name === allowUplink ? undefined',
    replace: "const reason = allowUplink !== '' ? undefined",
    tests: ['net/wifi/networkmanager'],
    why: 'to allow one uplink allows any: the machine cuts its own network',
  },
];
