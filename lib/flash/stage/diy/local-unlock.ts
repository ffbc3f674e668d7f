import { inTurn } from '../../../client/diy/turns';
import { asFlashError, FlashError } from '../../../errors';
import { ownIPv4, narrowestBind, routedAddress } from '../../../net/addresses';
import { isLocalPeer } from '../../../net/networks';
import { UNLOCK_ANSWERS, UNLOCK_HOST } from '../../../protocol/diy/unlock-service';
import { NameServer } from '../../../server/name-server';
import { UnlockResponder } from '../../../server/unlock-responder';
import type { JobEvidence } from '../../job/evidence';
import type { StageHost } from '../stage-host';
import { askForUnlock, type UnlockOptions } from './ask-unlock';
import type { FoundDevice } from './found-device';
import { quoted } from '../../../wordings/wording';

/** Where this machine stands in for the maker's service. */
interface Place {
  /** To which the name of the service leads. */
  readonly address: string;
  readonly bind: string;
}

/**
 * Unlocks a device without the internet: this machine answers in place of the maker's service, with one answer after the
 * other, and listens no longer than that takes. The device must be led here, by a router that gives this machine's
 * address for the name of the service, or by having this machine as its DNS server (docs/dev/diy-mode.md#1.8).
 *
 * @throws FlashError `diy-unlock-port`, `diy-unlock-not-asked`, `diy-unlock-not-taken`, `address-invalid`, `cancelled`,
 *   and as `DiyClient.identify`
 */
export async function unlockLocally(host: StageHost, device: FoundDevice, options: UnlockOptions): Promise<void> {
  const place = await placeFor(host, device);
  const { evidence } = options.job;
  // One device at a time has the ports.
  await inTurn(`unlock at ${place.bind}`, options.signal, async () => {
    const service = new LocalService(device.address, place, evidence);
    try {
      await service.open(host.unlockPorts);
      await tryAnswers(service, device, place, options);
    } finally {
      await service.close();
    }
  });
}

async function tryAnswers(
  service: LocalService,
  device: FoundDevice,
  { address }: Place,
  options: UnlockOptions,
): Promise<void> {
  const deviceid = device.client.deviceid ?? device.address;
  for (const { error } of UNLOCK_ANSWERS) {
    service.answerWith(error);
    if (!(await askForUnlock(device, options))) return;
    // Another answer changes nothing for a device that does not come for it.
    if (!service.wasAsked) throw new FlashError('diy-unlock-not-asked', { deviceid, address });
  }
  throw new FlashError('diy-unlock-not-taken', { deviceid });
}

/** An address that a person has set wins; else the one on the network of the device, which may be a hotspot of ours. */
async function placeFor(host: StageHost, device: FoundDevice): Promise<Place> {
  const towards = host.isAddressSet ? undefined : await routedAddress(device.address);
  const address = towards ?? host.addressToDial();
  return { address, bind: narrowestBind(address, host.bind) };
}

/** DNS for the name of the maker's service, and the service itself, for one device; every step goes into the evidence. */
class LocalService {
  wasAsked = false;
  readonly #names: NameServer;
  readonly #responder: UnlockResponder;

  constructor(
    device: string,
    private readonly place: Place,
    private readonly evidence: JobEvidence,
  ) {
    this.#names = new NameServer({
      name: UNLOCK_HOST,
      address: place.address,
      isLocal: (peer) => peer === device || isLocalPeer(peer, ownIPv4()),
    });
    this.#names.on('asked', (peer, { name, result }) => {
      if (result !== 'refused') evidence.addOnce({ kind: 'unlock-asked', peer, what: 'name' });
      // Queries of other machines are not recorded.
      else if (peer === device) evidence.addOnce({ kind: 'unlock-asked', peer, what: 'other-name', name });
    });
    this.#names.on('trouble', () => undefined);
    this.#responder = new UnlockResponder(device, 0);
    this.#responder.on('asked', (error) => {
      this.wasAsked = true;
      evidence.add({ kind: 'unlock-asked', peer: device, what: 'service', error });
    });
    this.#responder.on('asked-otherwise', () =>
      evidence.addOnce({ kind: 'unlock-asked', peer: device, what: 'other' }),
    );
    this.#responder.on('stranger', (peer) => evidence.addOnce({ kind: 'stranger', peer, act: 'unlock' }));
  }

  /**
   * Without the port of DNS a router can still lead the device here; without the other one nothing can.
   * @throws FlashError `diy-unlock-port`
   */
  async open({ http, dns }: StageHost['unlockPorts']): Promise<void> {
    const { address, bind } = this.place;
    try {
      await this.#responder.listen(http, bind);
    } catch (thrown) {
      throw new FlashError('diy-unlock-port', asFlashError(thrown).values, { cause: thrown });
    }
    const noNames = await this.#names.listen(dns, bind).then(() => undefined, asFlashError);
    const reason = noNames && { withoutNames: noNames.values.reason ?? quoted(noNames.message) };
    this.evidence.add({ kind: 'unlock-offered', address, ...reason });
  }

  answerWith(error: number): void {
    this.#responder.answer = error;
  }

  async close(): Promise<void> {
    await Promise.all([this.#responder.close(), this.#names.close()]);
  }
}
