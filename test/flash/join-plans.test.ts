import assert from 'node:assert/strict';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { apVisit, finalStageVisit, newFirmwareVisit } from '../../lib/flash/radio/join-plans';
import type { AccessPoint } from '../../lib/net/wifi/wifi';

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
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'));
    });

    it('is not that of a device which has just been set up, as long as its flash continues', () => {
      const two = [seen('ITEAD-1000ffffff', OTHER), seen('ITEAD-1000a1b2c3')];
      const before = jobs.jobFor('provision', '1000a1b2c3');
      before.enter('provision');
      assert.throws(() => pick(undefined, ...two), hasCode('device-unknown'));
      before.leave('provision');
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
      assert.equal(pick({ bssid: OWN }, ...two), OWN);
      assert.equal(pick({ mac: '5C:CF:7F:A1:B2:C3' }, ...two), OWN);
    });

    it('is left alone where it is another one', () => {
      assert.throws(() => pick({ bssid: OWN }, seen('FinalStage', OTHER)), hasCode('finalstage-foreign'));
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
  });
});
