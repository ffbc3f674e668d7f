import { THIS_MACHINE } from '../../lib/flash/host/environment';
import { freePort } from './ports';

let port: Promise<number> | undefined;

/**
 * The port at which the hosts of this process hear devices, from the first call on. A look asks every device that it
 * hears, and a device in DIY mode takes one connection at a time: what other processes announce is none of ours.
 */
export function ownMdnsPort(): Promise<number> {
  return (port ??= claimPort());
}

async function claimPort(): Promise<number> {
  const mdnsPort = await freePort();
  Object.assign(THIS_MACHINE, { discovery: { mdnsPort } });
  return mdnsPort;
}
