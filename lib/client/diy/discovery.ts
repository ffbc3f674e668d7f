import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import { ownIPv4 } from '../../net/addresses';
import type { MdnsInterface } from '../../net/mdns/mdns-socket';
import type { Service } from '../../net/mdns/service';
import { LOOK_MS, ServiceBrowser } from '../../net/mdns/service-browser';
import { deviceidOfName, DIY_PORT, EWELINK_SERVICE, hostNameOf, isSameName } from '../../protocol/diy/names';
import { parseEwelinkRecord, type EwelinkRecord } from '../../protocol/diy/txt-record';

/** A stock Sonoff with firmware 3.x on the network. */
export interface AnnouncedSonoff {
  readonly deviceid: string;
  /** IPv4. */
  readonly address: string;
  /** Of its HTTP server. */
  readonly port: number;
  readonly record: EwelinkRecord;
}

interface Events {
  /** It appeared, or something of it changed. */
  found: [sonoff: AnnouncedSonoff];
  /** No longer announced: switched off, out of reach, or with other firmware. */
  gone: [deviceid: string];
  /** An interface that cannot receive mDNS, by its address. */
  trouble: [reason: string, address: string];
}

export interface DiscoveryOptions {
  /** Every IPv4 address of this machine unless given, and the loopback, where rehearsals are announced. */
  readonly interfaces?: () => readonly MdnsInterface[];
  /** Of mDNS; another than 5353 only for tests. */
  readonly mdnsPort?: number;
}

/** Every Sonoff that announces itself, in DIY mode or not, on every interface. */
export class SonoffDiscovery extends EventEmitter<Events> {
  readonly #browser: ServiceBrowser;

  constructor({ interfaces = everywhere, mdnsPort }: DiscoveryOptions = {}) {
    super();
    this.#browser = new ServiceBrowser({
      type: EWELINK_SERVICE,
      counts: (name) => deviceidOfName(name) !== undefined,
      interfaces,
      ...(mdnsPort === undefined ? {} : { port: mdnsPort }),
    });
    this.#browser.on('found', (service) => this.emit('found', sonoffOf(service)));
    this.#browser.on('gone', (name) => this.emit('gone', deviceidOfName(name)!));
    this.#browser.on('trouble', (reason, address) => this.emit('trouble', reason, address));
  }

  get sonoffs(): AnnouncedSonoff[] {
    return this.#browser.services.map(sonoffOf);
  }

  start(): void {
    this.#browser.start();
  }

  /** Whether a device answers, of which more may still be asked. */
  hears(deviceid: string): boolean {
    return this.#browser.knows((service) => isSameName(deviceidOfName(service)!, deviceid));
  }

  /** Queries again; services that do not answer count as gone. @returns when it is over, in ms from now */
  lookAgain(): number {
    return this.#browser.lookAgain();
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /**
   * Waits for one device, or for any where none is named. One that is named is asked for by its host name too, which
   * answers where the service is not announced; its announcement is waited for a while longer, since that alone tells its
   * port and its kind.
   *
   * @throws FlashError `cancelled` when the signal aborts: the caller sets the limit
   */
  async find(deviceid: string | undefined, signal: AbortSignal): Promise<AnnouncedSonoff> {
    const isMeant = (one: AnnouncedSonoff): boolean => deviceid === undefined || isSameName(one.deviceid, deviceid);
    const known = this.sonoffs.find(isMeant);
    if (known) return known;
    if (signal.aborted) throw new FlashError('cancelled');
    const host = deviceid === undefined ? undefined : hostNameOf(deviceid);
    const unwant = host === undefined ? undefined : this.#browser.want(host);
    const undo = new AbortController();
    let unannounced: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const onFound = (one: AnnouncedSonoff): void => void (isMeant(one) && resolve(one));
        const onHost = (name: string, address: string): void => {
          if (deviceid === undefined || host === undefined || !isSameName(name, host)) return;
          unannounced ??= setTimeout(() => {
            unannounced = undefined;
            if (!this.hears(deviceid)) resolve(bare(deviceid, address));
          }, LOOK_MS);
        };
        const onAbort = (): void => reject(new FlashError('cancelled'));
        this.on('found', onFound);
        this.#browser.on('host', onHost);
        signal.addEventListener('abort', onAbort);
        undo.signal.addEventListener('abort', () => {
          this.off('found', onFound);
          this.#browser.off('host', onHost);
          signal.removeEventListener('abort', onAbort);
        });
      });
    } finally {
      clearTimeout(unannounced);
      undo.abort();
      unwant?.();
    }
  }
}

function everywhere(): readonly MdnsInterface[] {
  return [...ownIPv4(), { address: '127.0.0.1', netmask: '255.0.0.0' }];
}

/** A device of which only the address is known. */
function bare(deviceid: string, address: string): AnnouncedSonoff {
  return { deviceid, address, port: DIY_PORT, record: parseEwelinkRecord([]) };
}

/** The id as the TXT record spells it, which a device compares; an announcement of another id does not count. */
function sonoffOf({ name, address, port, txt }: Service): AnnouncedSonoff {
  const record = parseEwelinkRecord(txt ?? []);
  const named = deviceidOfName(name)!;
  const deviceid = record.deviceid?.toLowerCase() === named ? record.deviceid : named;
  return { deviceid, address, port: port ?? DIY_PORT, record };
}
