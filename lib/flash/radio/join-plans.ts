/** The networks that a flash visits, as the radio is asked for them. */

import { FlashError } from '../../errors';
import { ownIPv4 } from '../../net/addresses';
import type { AccessPoint } from '../../net/wifi/wifi';
import { isAccessPointOf, isAccessPointOfDevice, kindOf } from '../../protocol/access-points';
import {
  ACCESS_POINT,
  FINALSTAGE_NETWORK,
  isInNetwork,
  NEW_FIRMWARE_NETWORK,
  type DeviceNetwork,
} from '../../protocol/device-networks';
import { AP_ADDRESS, AP_PASSWORD } from '../../protocol/ap';
import { FINALSTAGE_ADDRESS, FINALSTAGE_HOST_ADDRESS, FINALSTAGE_SSID } from '../../protocol/finalstage';
import { NEW_FIRMWARE_AP_ADDRESS } from '../../protocol/new-firmware';
import type { FinalStageSession } from '../job/finalstage-session';
import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import type { JoinPlan } from './network-visit';
import { wording } from '../../wordings/wording';

/** Its server needs 1 s after the network has appeared; the network closes after 3 minutes. */
export const AP_ANSWER_LIMIT_MS = 30_000;
/** A device's network stands in the list of networks for a while after it has closed. */
export const JUST_SET_UP_MS = 60_000;
export const FLOWING_MS = 30_000;

/** The access point of the device that is meant, or of the only one that is there. */
export function apVisit(job: Job, jobs: JobRegistry, deviceid: string | undefined): JoinPlan {
  return {
    purpose: 'provision',
    looking: 'look-for-ap',
    answerLimitMs: AP_ANSWER_LIMIT_MS,
    isThereAlready: () => hasAddressIn(ACCESS_POINT),
    pick: (inReach) => {
      const stock = inReach.filter(({ ssid }) => kindOf(ssid).kind === 'stock');
      if (deviceid !== undefined) return strongest(stock.filter(({ ssid }) => isOf(ssid, deviceid)));
      const others = stock.filter(({ ssid }) => !wasJustSetUp(jobs.latest(idIn(ssid))));
      const ids = [...new Set(others.map(({ ssid }) => idIn(ssid)))].sort();
      if (ids.length <= 1) return strongest(others);
      const reason = wording('several-access-points', { count: ids.length });
      throw new FlashError('device-unknown', { reason, known: ids.join(', ') });
    },
    networkOf: ({ ssid, bssid }) => ({
      ssid,
      bssid,
      psk: AP_PASSWORD,
      // Free unless another client is its guest too; where DHCP can be asked, it is.
      address: { cidr: ACCESS_POINT.cidr, fixed: false },
      peer: AP_ADDRESS,
    }),
    joined: ({ bssid }) => job.learn({ bssid }),
  };
}

/** FinalStage of the job's own device, which has the same access point address as before; of any, where none is known. */
export function finalStageVisit(job: Job, jobs: JobRegistry, session: FinalStageSession): JoinPlan {
  return {
    purpose: 'finalstage',
    looking: 'look-for-finalstage',
    answerLimitMs: 0,
    isThereAlready: (name) => session.isFlowing(FLOWING_MS) || isGuestByHand(name),
    pick: (inReach) => {
      const all = inReach.filter(({ ssid }) => ssid === FINALSTAGE_SSID);
      const own = all.filter(({ bssid }) => mayBeOf(job, bssid) && !isOfAnother(job, jobs, bssid));
      const foreign = all[0];
      if (own.length === 0 && foreign) {
        const values = { bssid: foreign.bssid, deviceid: job.deviceid ?? wording('meant-device') };
        throw new FlashError('finalstage-foreign', values);
      }
      return strongest(own);
    },
    networkOf: ({ ssid, bssid }) => ({
      ssid,
      bssid,
      address: { cidr: FINALSTAGE_NETWORK.cidr, fixed: true },
      peer: FINALSTAGE_ADDRESS,
    }),
    joined: () => {
      session.isJoined = true;
    },
  };
}

/** Its flash continues without that network. */
function wasJustSetUp(job: Job | undefined): boolean {
  const since = new Date(Date.now() - JUST_SET_UP_MS);
  return job?.isOpen === true && job.lastStage !== 'provision' && job.hasLeft('provision', since);
}

/**
 * The open network that new firmware makes as long as it knows no Wi-Fi, whatever its name; of no other device, so only
 * where its address is known to be this one's.
 */
export function newFirmwareVisit({ facts }: Job): JoinPlan {
  return {
    purpose: 'set-up',
    looking: 'look-for-new-firmware',
    answerLimitMs: 0,
    isThereAlready: () => hasAddressIn(NEW_FIRMWARE_NETWORK),
    pick: (inReach) =>
      strongest(
        inReach.filter(({ ssid, bssid, security }) => {
          const { kind } = kindOf(ssid);
          return (
            kind !== 'stock' &&
            kind !== 'finalstage' &&
            security === 'open' &&
            isAccessPointOfDevice(bssid, facts) === true
          );
        }),
      ),
    networkOf: ({ ssid, bssid }) => ({
      ssid,
      bssid,
      address: { cidr: NEW_FIRMWARE_NETWORK.cidr, fixed: false },
      peer: NEW_FIRMWARE_AP_ADDRESS,
    }),
    joined: () => undefined,
  };
}

function mayBeOf({ facts: { bssid: known, mac } }: Job, bssid: string): boolean {
  return isAccessPointOfDevice(bssid, { bssid: known, mac }) ?? true;
}

function isOfAnother(job: Job, jobs: JobRegistry, bssid: string): boolean {
  const knowsItself = job.facts.bssid !== undefined || job.facts.mac !== undefined;
  if (knowsItself) return false;
  return jobs.all().some(({ id, facts: { bssid: known, mac } }) => {
    if (id === job.id) return false;
    return known === bssid || (mac !== undefined && isAccessPointOf(bssid, mac));
  });
}

function strongest(all: readonly AccessPoint[]): AccessPoint | undefined {
  return [...all].sort((a, b) => b.signal - a.signal)[0];
}

function idIn(ssid: string): string {
  return kindOf(ssid).deviceid ?? '';
}

function isOf(ssid: string, deviceid: string): boolean {
  return idIn(ssid) === deviceid.toLowerCase();
}

function hasAddressIn(network: DeviceNetwork): boolean {
  return ownIPv4().some(({ address }) => isInNetwork(address, network));
}

/** Another client was faster; a home whose network has the same numbers is no guest of FinalStage. */
function isGuestByHand(interfaceName: string): boolean {
  return ownIPv4().some(
    ({ address, name }) =>
      address === FINALSTAGE_HOST_ADDRESS || (isInNetwork(address, FINALSTAGE_NETWORK) && name === interfaceName),
  );
}
