import assert from 'node:assert/strict';
import type { FlashError } from '../../lib/errors';
import { wording } from '../../lib/wordings/wording';
import { homeWifi, wifiPresence, type HomeWifi, type HostNode } from '../../nodes/shared/hosts';
import { MessageValues } from '../../nodes/shared/messages';

const OF_HOST = { ssid: 'home', password: 'top secret' };
const NONE = { ssid: undefined, password: undefined };

const hostWith = (wifi: HomeWifi): HostNode => ({ wifi }) as HostNode;

type Row = [what: string, host: HomeWifi, message: object, own: Partial<HomeWifi> | undefined, wanted: HomeWifi];

const ROWS: Row[] = [
  ['of the host before that of the message', OF_HOST, { ssid: 'a', password: 'b' }, undefined, OF_HOST],
  [
    'of the message, where the host has none',
    NONE,
    { ssid: 'a', password: 'b' },
    undefined,
    { ssid: 'a', password: 'b' },
  ],
  ['of nobody', NONE, { ssid: '' }, undefined, NONE],
  [
    'with the password of the message for the name of the host',
    { ...OF_HOST, password: undefined },
    { password: 'b' },
    undefined,
    { ssid: 'home', password: 'b' },
  ],
  ['of the node before that of the host', OF_HOST, {}, { ssid: 'own', password: 'c' }, { ssid: 'own', password: 'c' }],
  ['of the node with the password of the host, where it is the same', OF_HOST, {}, { ssid: 'home' }, OF_HOST],
  ['of the node without the password of another', OF_HOST, {}, { ssid: 'own' }, { ssid: 'own', password: undefined }],
  [
    'of the node with the password of the message',
    OF_HOST,
    { password: 'b' },
    { ssid: 'own' },
    { ssid: 'own', password: 'b' },
  ],
  ['of the host with the password of the node', OF_HOST, {}, { password: 'c' }, { ssid: 'home', password: 'c' }],
  ['that is open', { ssid: 'home', password: undefined }, { password: '' }, undefined, { ssid: 'home', password: '' }],
];

describe('nodes: the home Wi-Fi of a message', () => {
  for (const [what, host, message, own, wanted] of ROWS) {
    it(`is that ${what}`, () => {
      assert.deepEqual(homeWifi(hostWith(host), new MessageValues({ ...message }), own), wanted);
    });
  }

  for (const [wrong, what] of [
    [{ ssid: 'home ' }, 'home-wifi-name'],
    [{ ssid: ' home' }, 'home-wifi-name'],
    [{ password: ' secret' }, 'home-wifi-password'],
    [{ password: 'secret ' }, 'home-wifi-password'],
  ] as const) {
    it(`is refused with a space at an end: ${JSON.stringify(wrong)}`, () => {
      const message = new MessageValues({ ...OF_HOST, ...wrong });
      assert.throws(
        () => homeWifi(hostWith(NONE), message),
        ({ code, values }: FlashError) => {
          assert.deepEqual([code, values['what']], ['wifi-credentials-unusable', wording(what)]);
          return true;
        },
      );
    });
  }

  it('is known as far as it is given, with what a device could not use', () => {
    const known = (message: object): unknown => wifiPresence(hostWith(NONE), new MessageValues({ ...message }));
    assert.deepEqual(known({}), { ssid: false, password: false });
    assert.deepEqual(known({ ssid: 'home' }), { ssid: true, password: false });
    assert.deepEqual(known({ password: 'top secret' }), { ssid: false, password: true });
    assert.deepEqual(known(OF_HOST), { ssid: true, password: true });
    for (const wrong of [{ ssid: 'x'.repeat(40) }, { ssid: 'home ' }]) {
      const { ssid, password, problem } = known({ ...OF_HOST, ...wrong }) as ReturnType<typeof wifiPresence>;
      assert.deepEqual([ssid, password, problem?.code], [true, true, 'wifi-credentials-unusable']);
    }
    // What cannot be read is no matter of devices.
    assert.throws(() => known({ ssid: '${NO_SUCH_VARIABLE}' }), { code: 'variable-unset' });
    assert.throws(() => known({ ssid: {} }), { code: 'value-invalid' });
  });
});
