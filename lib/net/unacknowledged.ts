import { readFileSync } from 'node:fs';
import { isIPv6, type Socket } from 'node:net';
import { endianness } from 'node:os';

/**
 * How many bytes the kernel has taken from this socket that its peer has not acknowledged yet (the queue's length in
 * `/proc/net/tcp`, see proc(5)). A FIN that was sent and not acknowledged counts as one byte.
 *
 * Undefined where that is unknown: on other systems than Linux, and for a socket that is no longer connected.
 */
export function unacknowledgedBytes(socket: Socket): number | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined || localPort === undefined) return undefined;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  const table = readTable(isIPv6(localAddress) ? '/proc/net/tcp6' : '/proc/net/tcp');
  const ends = ` ${kernelForm(localAddress, localPort)} ${kernelForm(remoteAddress, remotePort)} `;
  const at = table?.indexOf(ends) ?? -1;
  if (table === undefined || at < 0) return undefined;
  // After the two ends: the state, then transmit queue and receive queue as 01 00000000:00000000
  const queue = /^\w\w (\w{8}):/.exec(table.slice(at + ends.length, at + ends.length + 12));
  return queue?.[1] === undefined ? undefined : parseInt(queue[1], 16);
}

function readTable(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** An address and a port as the kernel's table writes them: 127.0.0.1 and 8080 are 0100007F:1F90. */
function kernelForm(address: string, port: number): string {
  return `${kernelAddress(address)}:${hex(port, 4)}`;
}

function kernelAddress(address: string): string {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  // The table prints each 32-bit word as the number that the processor reads from memory.
  let words = '';
  for (let at = 0; at < bytes.length; at += 4) {
    words += hex(endianness() === 'LE' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at), 8);
  }
  return words;
}

function ipv6Bytes(address: string): Buffer {
  const dotted = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail = ''] = dotted.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => hex(parseInt(group, 16), 4)).join(''), 'hex');
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}
