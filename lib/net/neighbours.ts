import { readFile } from 'node:fs/promises';

/** Linux keeps there whom it has spoken to on its own links (proc(5)); other systems have no such file. */
const ARP_TABLE = '/proc/net/arp';
/** Of an entry that has been answered. */
const COMPLETE = 0x02;
/** In the first byte of an address: for a group, and given locally instead of by a manufacturer. */
const GROUP_OR_LOCAL = 0x03;

/**
 * The MAC address under which a device is reached on this machine's own link; undefined where that is not known, such as
 * behind a router, in a container with a network of its own, or on another system than Linux. Never throws.
 *
 * @param address IPv4; it has just been spoken to
 */
export async function linkMacOf(address: string, table = ARP_TABLE): Promise<string | undefined> {
  const text = await readFile(table, 'utf8').catch(() => '');
  return linkMacIn(text, address);
}

/**
 * The MAC address of a neighbour in the text of Linux's ARP table, six pairs in capitals with colons. One that stands for
 * several addresses is a repeater's that answers for the devices behind it; one that no manufacturer has given is no
 * station's of an ESP8266, but a repeater's or a virtual machine's.
 */
export function linkMacIn(table: string, address: string): string | undefined {
  const entries = table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , flags = '']) => (Number(flags) & COMPLETE) !== 0);
  const mac = entries.find(([ip]) => ip === address)?.[3]?.toUpperCase();
  if (mac === undefined || !/^([\dA-F]{2}:){5}[\dA-F]{2}$/.test(mac) || mac === '00:00:00:00:00:00') return undefined;
  if ((parseInt(mac.slice(0, 2), 16) & GROUP_OR_LOCAL) !== 0) return undefined;
  const sharing = new Set(entries.filter(([, , , other]) => other?.toUpperCase() === mac).map(([ip]) => ip));
  return sharing.size === 1 ? mac : undefined;
}
