import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkMacIn, linkMacOf } from '../../lib/net/neighbours';

const HEAD = 'IP address       HW type     Flags       HW address            Mask     Device\n';
const MAC = '5c:cf:7f:12:34:56';

/** A table with the neighbours that these lines name: address, flags and MAC. */
function table(...entries: (readonly [ip: string, flags: string, mac: string])[]): string {
  return (
    HEAD + entries.map(([ip, flags, mac]) => `${ip}     0x1         ${flags}   ${mac}     *        wlan0\n`).join('')
  );
}

describe('net/neighbours', () => {
  it('reads the MAC address of a neighbour', () => {
    const text = table(['192.168.1.1', '0x2', '5c:cf:7f:00:00:01'], ['192.168.1.20', '0x2', MAC]);
    assert.equal(linkMacIn(text, '192.168.1.20'), '5C:CF:7F:12:34:56');
    assert.equal(linkMacIn(text, '192.168.1.2'), undefined);
    assert.equal(linkMacIn('', '192.168.1.20'), undefined);
  });

  for (const [what, ...entries] of [
    ['an entry that was never answered', ['192.168.1.20', '0x0', MAC]],
    ['an entry without an address', ['192.168.1.20', '0x2', '00:00:00:00:00:00']],
    ['one that no manufacturer has given', ['192.168.1.20', '0x2', '5e:cf:7f:12:34:56']],
    ['a group', ['192.168.1.20', '0x2', '01:cf:7f:12:34:56']],
    ['a repeater that answers for several', ['192.168.1.20', '0x2', MAC], ['192.168.1.30', '0x2', MAC]],
    ['what is no MAC address', ['192.168.1.20', '0x2', '5c:cf:7f']],
  ] as const) {
    it(`believes no such table: ${what}`, () => {
      assert.equal(linkMacIn(table(...entries), '192.168.1.20'), undefined);
    });
  }

  it('knows one that stands on two interfaces', () => {
    const entry = ['192.168.1.20', '0x2', MAC] as const;
    assert.equal(linkMacIn(table(entry, entry), '192.168.1.20'), MAC.toUpperCase());
  });

  it('counts what was answered alone, whatever else is marked at it', () => {
    assert.equal(linkMacIn(table(['192.168.1.20', '0x6', MAC]), '192.168.1.20'), MAC.toUpperCase());
    const never = ['192.168.1.30', '0x0', MAC] as const;
    assert.equal(linkMacIn(table(never, ['192.168.1.20', '0x2', MAC]), '192.168.1.20'), MAC.toUpperCase());
  });

  it('knows no neighbour where there is no table, and reads the one that there is', async () => {
    assert.equal(await linkMacOf('192.168.1.20', '/nowhere/arp'), undefined);
    const folder = await mkdtemp(join(tmpdir(), 'sonota-arp-'));
    try {
      await writeFile(join(folder, 'arp'), table(['192.168.1.20', '0x2', MAC]));
      assert.equal(await linkMacOf('192.168.1.20', join(folder, 'arp')), MAC.toUpperCase());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
