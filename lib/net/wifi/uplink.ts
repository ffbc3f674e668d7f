import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { localIPv4, routedAddress } from '../addresses';
import { homeCandidates } from '../home-network';
import { wording, type Wording } from '../../wordings/wording';

/** ESTABLISHED in the kernel's tables (proc(5)). */
const ESTABLISHED = '01';

export interface UplinkOptions {
  /** The port of Node-RED's editor and admin API. */
  readonly editorPort?: number | undefined;
  readonly routed?: () => Promise<string | undefined>;
}

/**
 * Why an interface must not be taken from its network: the branch on which this machine, or the person at the editor,
 * sits. Undefined where it may be taken.
 */
export async function whyUplink(name: string, options: UplinkOptions = {}): Promise<Wording | undefined> {
  const routed = await (options.routed ?? routedAddress)();
  if (routed === undefined && !hasOtherHome(name)) {
    return wording('no-other-way');
  }
  if (routed !== undefined && interfaceOf(routed) === name) return wording('default-route');
  const sessions = options.editorPort === undefined ? [] : await sessionsOn(options.editorPort);
  if (sessions.some((address) => interfaceOf(address) === name)) return wording('editor-open');
  return undefined;
}

/** At the machine's start the routes are not there yet; then an address elsewhere tells that this one is free. */
function hasOtherHome(name: string): boolean {
  return homeCandidates(localIPv4()).some((own) => own.name !== name);
}

function interfaceOf(address: string): string | undefined {
  const all = Object.entries(networkInterfaces());
  return all.find(([, addresses]) => addresses?.some((own) => own.address === address))?.[0];
}

/** This machine's ends of the open connections to one of its ports. */
async function sessionsOn(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ends = tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      return state === ESTABLISHED && local.endsWith(ending) ? [addressOf(local.slice(0, -ending.length))] : [];
    }),
  );
  return [...new Set(ends)];
}

/** The kernel writes each 32 bits of an address as a number of the machine's own byte order; Node-RED's are little. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const ipv4 = bytes.slice(-4).join('.');
  if (bytes.length === 4) return ipv4;
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (isMapped && isIPv4(ipv4)) return ipv4;
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  return compress(groups.map((group) => group.toString(16)).join(':'));
}

/** As Node.js writes an IPv6 address. */
function compress(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
