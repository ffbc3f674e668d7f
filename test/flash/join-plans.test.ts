import assert from 'node:assert/strict';
import os from 'node:os';
import { mock } from 'node:test';
import { FlashError } from '../../lib/errors';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { apVisit, finalStageVisit, newFirmwareVisit } from '../../lib/flash/radio/join-plans';
import type { AccessPoint } from '../../lib/net/wifi/wifi';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const OWN = '5E:CF:7F:A1:B2:C3';
const OTHER = '5E:CF:7F:FF:FF:FF';

function seen(ssid: string, bssid = OWN, signal = 50): AccessPoint {
  return { ssid, bssid, signal, frequency: 2412, security: 'psk' };
}

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

describe('flash/radio/visits', () => {
  let jobs: JobRegistry;
  beforeEach(() => {
    jobs = new JobRegistry();
  });

  afterEach(timeGoesOn);
  afterEach(() => mock.restoreAll());

  /** This machine has these addresses now. */
  function has(addresses: Record<string, string>): void {
    const info = { netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', internal: false, cidr: null };
    // One over the other would leave the first one behind.
    mock.restoreAll();
    const all = Object.entries(addresses).map(([name, address]) => [name, [{ ...info, address }]]);
    mock.method(os, 'networkInterfaces', () => Object.fromEntries(all) as unknown);
  }

  it('joins the access point of a device by its password, wherever there is room, and learns its address', () => {
    const job = jobs.jobFor('provision', undefined);
    const plan = apVisit(job, jobs, undefined);
    assert.deepEqual([plan.purpose, plan.looking, plan.answerLimitMs], ['provision', 'look-for-ap', 30_000]);
    assert.deepEqual(plan.networkOf(seen('ITEAD-1000a1b2c3')), {
      ...{ ssid: 'ITEAD-1000a1b2c3', bssid: OWN, psk: '12345678', peer: '10.10.7.1' },
      address: { cidr: '10.10.7.2/24', fixed: false },
    });
    assert.equal(job.facts.bssid, undefined);
    plan.joined(seen('ITEAD-1000a1b2c3'));
    assert.equal(job.facts.bssid, OWN);
    for (const [address, isThere] of [
      ['10.10.7.9', true],
      ['10.10.8.2', false],
      ['192.168.4.2', false],
    ] as const) {
      has({ eth0: '192.168.1.2', wlan0: address });
      assert.equal(plan.isThereAlready('wlan1'), isThere, address);
    }
  });

  it('joins FinalStage without a password, at the one address that it dials', () => {
    const session = new FinalStageSession();
    const job = jobs.jobFor('finalstage', undefined);
    const plan = finalStageVisit(job, jobs, session);
    assert.deepEqual([plan.purpose, plan.looking, plan.answerLimitMs], ['finalstage', 'look-for-finalstage', 0]);
    assert.deepEqual(plan.networkOf(seen('FinalStage')), {
      ...{ ssid: 'FinalStage', bssid: OWN, peer: '192.168.4.1' },
      address: { cidr: '192.168.4.2/24', fixed: true },
    });
    assert.equal(session.isJoined, false);
    plan.joined(seen('FinalStage'));
    assert.equal(session.isJoined, true);
    for (const [addresses, isThere] of [
      [{ eth0: '192.168.4.2' }, true],
      [{ wlan0: '192.168.4.3' }, true],
      [{ eth0: '192.168.4.3' }, false],
      [{ wlan0: '10.10.7.2' }, false],
    ] as const) {
      has(addresses);
      assert.equal(plan.isThereAlready('wlan0'), isThere, JSON.stringify(addresses));
    }
    has({});
    timeStands(['Date'], 1_000_000);
    session.requested('final', 1000).sent(1);
    assert.equal(plan.isThereAlready('wlan0'), true, 'its device fetches what it needs');
    timePasses(30_001);
    assert.equal(plan.isThereAlready('wlan0'), false);
  });

  it('joins the network of the new firmware without a password, wherever there is room', () => {
    const job = jobs.jobFor('newfirmware', '1000a1b2c3');
    const plan = newFirmwareVisit(job);
    assert.deepEqual([plan.purpose, plan.looking, plan.answerLimitMs], ['set-up', 'look-for-new-firmware', 0]);
    assert.deepEqual(plan.networkOf(seen('tasmota-A1B2C3-4803')), {
      ...{ ssid: 'tasmota-A1B2C3-4803', bssid: OWN, peer: '192.168.4.1' },
      address: { cidr: '192.168.4.2/24', fixed: false },
    });
    for (const [address, isThere] of [
      ['192.168.4.9', true],
      ['10.10.7.2', false],
    ] as const) {
      has({ wlan0: address });
      assert.equal(plan.isThereAlready('wlan1'), isThere, address);
    }
  });

  describe('the access point of a device', () => {
    const pick = (deviceid: string | undefined, ...inReach: AccessPoint[]) =>
      apVisit(jobs.jobFor('provision', deviceid), jobs, deviceid).pick(inReach)?.ssid;

    it('is the only one that is there, or the one that is meant', () => {
      assert.equal(pick(undefined, seen('home'), seen('ITEAD-1000a1b2c3')), 'ITEAD-1000a1b2c3');
      const two = [seen('ITEAD-1000a1b2c3'), seen('ITEAD-1000FFFFFF', OTHER, 99)];
      assert.equal(pick('1000a1b2c3', ...two), 'ITEAD-1000a1b2c3');
      assert.equal(pick('1000ffffff', ...two), 'ITEAD-1000FFFFFF');
      assert.equal(pick('1000000000', ...two), undefined);
      assert.equal(pick(undefined, seen('home'), seen('FinalStage')), undefined);
    });

    it('is asked for where there are several', () => {
      const two = [seen('ITEAD-1000ffffff', OTHER), seen('ITEAD-1000a1b2c3')];
      const values = {
        reason: wording('several-access-points', { count: 2 }),
        known: '1000a1b2c3, 1000ffffff',
      };
      assert.throws(() => pick(undefined, ...two), new FlashError('device-unknown', values));
    });

    it('is the one that is seen best where one device shows several', () => {
      const job = jobs.jobFor('provision', undefined);
      const all = [seen('ITEAD-1000a1b2c3', OWN, 50), seen('ITEAD-1000A1B2C3', OTHER, 60), seen('home', OTHER, 99)];
      for (const deviceid of [undefined, '1000A1B2C3']) {
        assert.equal(apVisit(job, jobs, deviceid).pick(all)?.signal, 60);
      }
    });

    it('is that of a device which was set up more than a minute ago: it is back', () => {
      timeStands(['Date'], 1_000_000);
      const two = [seen('ITEAD-1000ffffff', OTHER), seen('ITEAD-1000a1b2c3')];
      const before = jobs.jobFor('provision', '1000a1b2c3');
      before.enter('provision');
      before.leave('provision');
      before.enter('cloud');
      timePasses(60_000);
      assert.equal(pick(undefined, ...two), 'ITEAD-1000ffffff');
      timePasses(1);
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'));
    });

    it('is not that of a device which has just been set up, as long as its flash continues', () => {
      const two = [seen('ITEAD-1000ffffff', OTHER), seen('ITEAD-1000a1b2c3')];
      const before = jobs.jobFor('provision', '1000a1b2c3');
      before.enter('provision');
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'));
      before.leave('provision');
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'), 'nothing has gone on yet');
      before.enter('cloud');
      assert.equal(pick(undefined, ...two), 'ITEAD-1000ffffff');
      assert.equal(pick('1000a1b2c3', ...two), 'ITEAD-1000a1b2c3');
      before.fail('cancelled');
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'));
    });
  });

  describe('FinalStage', () => {
    const pick = (facts: object, ...inReach: AccessPoint[]) => {
      const job = jobs.jobFor('finalstage', '1000a1b2c3');
      job.learn(facts);
      return finalStageVisit(job, jobs, new FinalStageSession()).pick(inReach)?.bssid;
    };
    const two = [seen('FinalStage', OTHER, 99), seen('FinalStage', OWN)];

    it('is that of the device, by its access point of before or by its MAC address', () => {
      for (const facts of [{ bssid: OWN }, { mac: '5C:CF:7F:A1:B2:C3' }]) {
        jobs = new JobRegistry();
        assert.equal(pick(facts, ...two), OWN);
        // Such as an earlier job of the same device, under another id.
        jobs.jobFor('cloud', '1000ffffff').learn({ bssid: OWN });
        assert.equal(pick(facts, ...two), OWN, 'its own address counts');
      }
    });

    it('is none that another job knows by its access point, and is said to be foreign where no device is known', () => {
      jobs.jobFor('cloud', '1000ffffff').learn({ bssid: OTHER });
      assert.equal(pick({}, ...two), OWN);
      const nameless = finalStageVisit(jobs.jobFor('finalstage', undefined), jobs, new FinalStageSession());
      const values = { bssid: OTHER, deviceid: wording('meant-device') };
      assert.throws(() => nameless.pick([seen('FinalStage', OTHER)]), new FlashError('finalstage-foreign', values));
    });

    it('is left alone where it is another one', () => {
      const foreign = new FlashError('finalstage-foreign', { bssid: OTHER, deviceid: '1000a1b2c3' });
      assert.throws(() => pick({ bssid: OWN }, seen('FinalStage', OTHER)), foreign);
    });

    it('is any where nothing is known of the device, but none that is known to be of another', () => {
      assert.equal(pick({}, ...two), OTHER);
      jobs.jobFor('cloud', '1000ffffff').learn({ mac: '5C:CF:7F:FF:FF:FF' });
      assert.equal(pick({}, ...two), OWN);
      assert.throws(() => pick({}, seen('FinalStage', OTHER)), hasCode('finalstage-foreign'));
    });

    it('is not there yet', () => {
      assert.equal(pick({ bssid: OWN }, seen('home')), undefined);
    });

    it('is not ruled out by the address that the link shows', () => {
      assert.equal(pick({ linkMac: '5C:CF:7F:FF:FF:FF' }, seen('FinalStage')), OWN);
    });
  });

  describe('the network of the new firmware', () => {
    const pick = (facts: object, ...inReach: AccessPoint[]) => {
      const job = jobs.jobFor('newfirmware', '1000a1b2c3');
      job.learn(facts);
      return newFirmwareVisit(job).pick(inReach.map((one) => ({ ...one, security: 'open' })))?.ssid;
    };
    const two = [seen('tasmota-FFFFFF-8191', OTHER, 99), seen('tasmota-A1B2C3-4803')];

    it('is that of the device, by any of its addresses', () => {
      for (const facts of [{ bssid: OWN }, { mac: '5C:CF:7F:A1:B2:C3' }, { linkMac: '5C:CF:7F:A1:B2:C3' }]) {
        jobs = new JobRegistry();
        assert.equal(pick(facts, ...two), 'tasmota-A1B2C3-4803', JSON.stringify(facts));
      }
    });

    it('is none where nothing is known of the device', () => {
      assert.equal(pick({}, ...two), undefined);
    });

    it('is no network of its stock firmware, nor FinalStage, nor one with a password', () => {
      assert.equal(pick({ bssid: OWN }, seen('ITEAD-1000a1b2c3'), seen('FinalStage')), undefined);
      const job = jobs.jobFor('newfirmware', '1000a1b2c3');
      assert.equal(newFirmwareVisit(job).pick([seen('tasmota-A1B2C3-4803')]), undefined);
      assert.equal(pick({}, seen('any name at all')), 'any name at all');
    });
  });
});
