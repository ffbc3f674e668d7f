import assert from 'node:assert/strict';
import { hasKept, readPortal, savePath } from '../../lib/protocol/esphome-portal';

describe('protocol/esphome-portal', () => {
  const answer = (body: string, status = 200): Parameters<typeof readPortal>[0] => ({ status, headers: {}, body });

  it('reads whose page it is', () => {
    const body = '{"mac":"5c:cf:7f:a1:b2:c3","name":"kitchen-plug","aps":[{},{"ssid":"home","rssi":-50,"lock":1}]}';
    assert.deepEqual(readPortal(answer(body)), { mac: '5C:CF:7F:A1:B2:C3' });
    assert.deepEqual(readPortal(answer('{"aps":[]}')), { mac: undefined });
  });

  it('takes nothing else for one', () => {
    for (const body of ['', '<html>', '[]', 'null', '{}', '{"aps":1}', '{"aps":[']) {
      assert.equal(readPortal(answer(body)), undefined, body);
    }
    assert.equal(readPortal(answer('{"aps":[]}', 404)), undefined);
    assert.deepEqual(readPortal(answer('{"mac":5,"aps":[]}')), { mac: undefined });
  });

  it('writes what it is sent so that every character arrives', () => {
    const path = savePath('Zoë & Max', 'a+b=c#d 100%');
    const { pathname, searchParams } = new URL(path, 'http://192.168.4.1');
    assert.equal(pathname, '/wifisave');
    assert.deepEqual([searchParams.get('ssid'), searchParams.get('psk')], ['Zoë & Max', 'a+b=c#d 100%']);
  });

  it('knows an answer that says that it was kept', () => {
    assert.deepEqual(
      [200, 302, 307, 404, 500].map((status) => hasKept(answer('', status))),
      [true, true, true, false, false],
    );
  });
});
