import assert from 'node:assert/strict';
import { DiyClient } from '../../../lib/client/diy/diy-client';
import { FlashError } from '../../../lib/errors';
import { requireEsp8266 } from '../../../lib/flash/stage/diy/supported';
import { methodOf } from '../../../lib/protocol/compatibility';
import { readDiyInfo } from '../../../lib/protocol/diy/reply';
import { parseEwelinkRecord } from '../../../lib/protocol/diy/txt-record';
import { wording } from '../../../lib/wordings/wording';

describe('flash/stage/diy/supported', () => {
  const check = (info: object, ...texts: string[]): void =>
    requireEsp8266({
      client: new DiyClient('192.0.2.7', { deviceid: '1000e4c17c' }),
      ...{ address: '192.0.2.7', port: 8081 },
      info: readDiyInfo({ ...info }),
      record: texts.length === 0 ? undefined : parseEwelinkRecord(texts.map((text) => Buffer.from(text))),
    });

  it('takes what is known to be an ESP8266, by its announcement or by its version', () => {
    check({ fwVersion: '3.7.6' });
    check({});
    check({ fwVersion: '3.5.0' }, 'type=diy_plug', 'data1={"switch":"off"}');
    check({ fwVersion: '3.7.6' }, 'type=diylight');
  });

  const unknown = wording('unknown');
  for (const [what, info, texts, values] of [
    [
      ...['a MINIR3 by its info', { fwVersion: '3.1.0', switches: [{ switch: 'off', outlet: 0 }] }, []],
      { model: unknown, romVersion: '3.1.0', reason: wording('several-channels') },
    ],
    [
      ...['a MINIR3 by its announcement', {}, ['type=diy_plug', 'data1={"switches":[]}']],
      { model: 'diy_plug', romVersion: unknown, reason: wording('several-channels') },
    ],
    [
      ...['a MINIR3 by its version', { fwVersion: '1.4.0' }, ['type=diy_plug']],
      { model: 'diy_plug', romVersion: '1.4.0', reason: wording('other-chip', { romVersion: '1.4.0' }) },
    ],
    [
      ...['a DUALR3', { fwVersion: '3.5.0' }, ['type=multifun_switch']],
      { model: 'multifun_switch', romVersion: '3.5.0', reason: methodOf({ mdns: { type: 'multifun_switch' } }).reason },
    ],
  ] as [string, object, string[], object][]) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => check(info, ...texts),
        (error) => {
          assert.ok(error instanceof FlashError && error.code === 'device-not-supported');
          assert.deepEqual(error.values, { deviceid: '1000e4c17c', ...values });
          return true;
        },
      );
    });
  }

  it('names a device that states no id by its address', () => {
    const unnamed = {
      client: new DiyClient('192.0.2.7'),
      ...{ address: '192.0.2.7', port: 8081, record: undefined },
      info: readDiyInfo({ fwVersion: '1.4.0' }),
    };
    assert.throws(
      () => requireEsp8266(unnamed),
      (error) => error instanceof FlashError && error.values.deviceid === '192.0.2.7',
    );
  });
});
