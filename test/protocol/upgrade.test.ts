import assert from 'node:assert/strict';
import { checkOffer, FALLBACK_VERSION, PROVEN_VERSION, upgradeCommand } from '../../lib/protocol/upgrade';
import { flashErrorOf } from './helpers';

const DIGEST1 = '64b37459'.repeat(8);
const DIGEST2 = 'fec3fc4f'.repeat(8);
const SESSION_KEY = '11111111-2222-4333-8444-555555555555';
const DEVICE = { deviceid: '100008db11', model: 'ITA-GZ1-GL', romVersion: '1.5.5' };
const OFFER = {
  user1: { url: 'http://192.168.1.20:8080/ota/user1.bin', digest: DIGEST1 },
  user2: { url: 'http://192.168.1.20:8080/ota/user2.bin', digest: DIGEST2 },
  version: PROVEN_VERSION,
};

/** An offer whose user2 has another address. */
const at = (url: string) => ({ ...OFFER, user2: { ...OFFER.user2, url } });

describe('protocol/upgrade', () => {
  it('offers the version that is proven, then the one that every rule takes', () => {
    assert.equal(PROVEN_VERSION, '23.42.5');
    assert.equal(FALLBACK_VERSION, '9.9.9');
  });

  it('builds the command exactly as the vendor sends it', () => {
    assert.equal(
      upgradeCommand(DEVICE, SESSION_KEY, '1505607895123', OFFER),
      `{"action":"upgrade","deviceid":"100008db11","apikey":"${SESSION_KEY}","userAgent":"app","sequence":"1505607895123","ts":0,` +
        `"params":{"binList":[{"downloadUrl":"http://192.168.1.20:8080/ota/user1.bin","digest":"${DIGEST1}","name":"user1.bin"},` +
        `{"downloadUrl":"http://192.168.1.20:8080/ota/user2.bin","digest":"${DIGEST2}","name":"user2.bin"}],` +
        `"model":"ITA-GZ1-GL","version":"23.42.5"}}`,
    );
  });

  it('fits into a frame with the longest of everything', () => {
    const url = `http://${'h'.repeat(38)}:65535/${'p'.repeat(97)}`;
    assert.equal(url.length, 149);
    const offer = { user1: { url, digest: DIGEST1 }, user2: { url, digest: DIGEST2 }, version: 'v'.repeat(24) };
    const device = { deviceid: 'd'.repeat(32), model: '"'.repeat(64), romVersion: '1.5.5' };
    assert.ok(Buffer.byteLength(upgradeCommand(device, SESSION_KEY, '9'.repeat(29), offer)) < 2000);
  });

  it('builds none from an offer that the device would refuse', () => {
    const error = flashErrorOf('upgrade-malformed', () => upgradeCommand(DEVICE, SESSION_KEY, '1', at('https://h/p')));
    assert.match(error.message, /100008db11.*address of user2.*ITA-GZ1-GL, 1\.5\.5/);
    assert.ok(!error.message.includes(SESSION_KEY));
  });

  describe('checkOffer', () => {
    it('takes addresses up to the limits of the device', () => {
      for (const url of [
        `http://${'h'.repeat(49)}/p`,
        `http://h/${'p'.repeat(98)}`,
        'http://h/',
        'http://h:8080/a-b_c.bin',
      ]) {
        assert.doesNotThrow(() => checkOffer(at(url)), url);
      }
    });

    const refused: [url: string, reason: RegExp][] = [
      [`http://${'h'.repeat(50)}/p`, /host of user2.* 49 /],
      [`http://h/${'p'.repeat(99)}`, /path of user2.* 99 /],
      [`http://${'h'.repeat(49)}:1/${'p'.repeat(91)}`, /address of user2.* 149 /],
      ['https://h/p', /plain/],
      ['HTTP://h/p', /plain/],
      ['http://h', /plain/],
      ['http://h:/p', /plain/],
      ['http:///p', /plain/],
      ['http://user@h/p', /plain/],
      ['http://h/p?x=1', /plain/],
      ['http://h/p#x', /plain/],
      ['http://h/p q', /plain/],
      ['http://h/ü', /plain/],
      ['http://h/"', /plain/],
      ['', /plain/],
    ];
    for (const [url, reason] of refused) {
      it(`refuses ${JSON.stringify(url.length > 40 ? `${url.slice(0, 20)}… (${url.length})` : url)}`, () => {
        assert.match(flashErrorOf('upgrade-malformed', () => checkOffer(at(url))).values.reason?.text ?? '', reason);
      });
    }

    for (const digest of ['', DIGEST1.slice(1), `${DIGEST1}0`, DIGEST2.toUpperCase(), `g${DIGEST1.slice(1)}`]) {
      it(`refuses the digest ${JSON.stringify(digest)}`, () => {
        const offer = { ...OFFER, user1: { ...OFFER.user1, digest } };
        assert.match(
          flashErrorOf('upgrade-malformed', () => checkOffer(offer)).values.reason?.text ?? '',
          /digest of user1/,
        );
      });
    }

    for (const version of ['', '1 2', 'ü', '1'.repeat(25)]) {
      it(`refuses the version ${JSON.stringify(version)}`, () => {
        const error = flashErrorOf('upgrade-malformed', () => checkOffer({ ...OFFER, version }));
        assert.match(error.values.reason?.text ?? '', /version/);
      });
    }
  });
});
