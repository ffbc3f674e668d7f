import assert from 'node:assert/strict';
import { Bed } from './bed';

const AT = { z: 'tab', x: 100, y: 100, name: '' };

/** A field that the node cannot use, of each type whose form has one, with its code. */
const UNREADABLE: Readonly<Record<string, readonly [form: object, code: string]>> = {
  'sonota-flash': [{ timeout: 'soon' }, 'value-invalid'],
  'sonota-provision': [{ url: 'https://10.10.7.1' }, 'url-invalid'],
  'sonota-cloud-emulator': [{ every: true, timeout: 'soon' }, 'value-invalid'],
  'sonota-ota-serve': [{ force: 'perhaps' }, 'value-invalid'],
  'sonota-finalstage-watch': [{ url: 'ftp://192.168.4.1' }, 'url-invalid'],
  'sonota-diy-flash': [{ address: 'a b' }, 'url-invalid'],
  'sonota-new-firmware': [{ timeout: '${SONOTA_TEST_NO_SUCH_VARIABLE}' }, 'variable-unset'],
  'sonota-queue': [{ attempts: '0' }, 'value-invalid'],
  'sonota-wifi': [{ action: 'dance' }, 'wifi-action-unknown'],
  'sonota-tasmota-setup': [{ mqttPort: 'mqtt' }, 'value-invalid'],
  'sonota-virtual-device': [{ diyFault: 'nothing' }, 'value-invalid'],
};

/** Those that use a host and have nothing else in their forms that could be wrong. */
const OTHERS = ['sonota-discover', 'sonota-preflight'];

describe('nodes: what a deploy shows under a node that cannot work, before any message comes', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('is the code of what it cannot use in its form', async () => {
    const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
    bed = await Bed.load([
      { id: 'tab', type: 'tab', label: 'forms' },
      { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual', ...ports },
      ...Object.entries(UNREADABLE).map(([type, [form]]) => ({
        id: type,
        type,
        ...AT,
        host: 'host',
        ...form,
        wires: [],
      })),
    ]);
    for (const [type, [, text]] of Object.entries(UNREADABLE)) {
      assert.deepEqual(bed.shown(type), { fill: 'red', shape: 'ring', text }, type);
    }
    assert.deepEqual(bed.done, []);
  });

  it('is that it has no host', async () => {
    const types = [...Object.keys(UNREADABLE).filter((type) => type !== 'sonota-virtual-device'), ...OTHERS];
    bed = await Bed.load([
      { id: 'tab', type: 'tab', label: 'no host' },
      ...types.map((type) => ({ id: type, type, ...AT, host: '', wires: [] })),
    ]);
    for (const type of types) {
      assert.deepEqual(bed.shown(type), { fill: 'red', shape: 'ring', text: 'host-missing' }, type);
    }
  });
});
