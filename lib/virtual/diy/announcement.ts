import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { DiyContext } from './context';
import { type DnsRecord, encodeName, srvData, txtData, TYPE } from './dns-packet';
import { stateJson } from './plug-state';

const SERVICE = '_ewelink._tcp.local';
const LIVES = { service: 4500, address: 120 };

/** Where the device is reached at home. */
export interface HomePlace {
  readonly address: string;
  readonly port: number;
}

/** All records of the device as it is now (docs/dev/diy-mode.md#1.5), by what asks for them. */
export function recordsOf(
  device: DiyContext,
  { address, port }: HomePlace,
): Record<'ptr' | 'srv' | 'txt' | 'a', DnsRecord> {
  const host = `${device.behaviours.namePrefix}${device.identity.deviceid}`;
  const instance = `${host}.${SERVICE}`;
  const target = `${host}.local`;
  const of = (name: string, type: number, ttl: number, data: Buffer, isUnique = true): DnsRecord => ({
    ...{ name, type, ttl, data, isUnique },
  });
  return {
    ptr: of(SERVICE, TYPE.PTR, LIVES.service, encodeName(instance), false),
    srv: of(instance, TYPE.SRV, LIVES.address, srvData(port, target)),
    txt: of(instance, TYPE.TXT, LIVES.service, txtData(entriesOf(device))),
    a: of(target, TYPE.A, LIVES.address, Buffer.from(address.split('.').map(Number))),
  };
}

/** The strings of its TXT record. */
function entriesOf(device: DiyContext): string[] {
  const { identity, type, profile, plug, settings, behaviours } = device;
  const isEncrypted = settings.mode === 'ewelink' || behaviours.encrypts;
  const head = ['txtvers=1', `id=${identity.deviceid}`, `type=${isEncrypted ? 'plug' : type}`, 'apivers=1'];
  const tail = [`seq=${plug.seq}`];
  const json = stateJson(device);
  if (!isEncrypted) {
    const iv = Buffer.from('0123456789012345').toString('base64');
    const old = profile.statesNoEncryption ? ['encrypt=false', `iv=${iv}`] : [];
    return [...head, ...old, ...tail, ...pieces(json, behaviours.dataBytes)];
  }
  const iv = randomBytes(16);
  const key = createHash('md5').update(identity.apikey).digest();
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  const secret = Buffer.concat([cipher.update(json, 'utf8'), cipher.final()]).toString('base64');
  return [...head, 'encrypt=true', `iv=${iv.toString('base64')}`, ...tail, ...pieces(secret, behaviours.dataBytes)];
}

/** `data1` to `data4`: there is no room for more. */
function pieces(text: string, bytes: number): string[] {
  const count = Math.min(4, Math.ceil(text.length / bytes));
  return Array.from({ length: count }, (_, i) => `data${i + 1}=${text.slice(i * bytes, (i + 1) * bytes)}`);
}
