import assert from 'node:assert/strict';
import type { LocalAddress } from '../../lib/net/addresses';
import type { HomeChoice } from '../../lib/net/home-network';
import { offeredAddresses, type OfferedAddress } from '../../nodes/sonota-host/offered-addresses';

const LAN: LocalAddress = { name: 'eth0', address: '192.168.1.5', netmask: '255.255.255.0', kind: 'lan' };
const WIFI: LocalAddress = { ...LAN, name: 'wlan0', address: '192.168.2.5' };
const VPN: LocalAddress = { ...LAN, name: 'tun0', address: '10.8.0.2', kind: 'tunnel' };
const OF_A_DEVICE: LocalAddress = { ...LAN, name: 'wlan1', address: '10.10.7.2' };

const home = ({ name, address }: LocalAddress): HomeChoice => ({ home: { name, address }, reason: 'default-route' });
const NONE: HomeChoice = { home: undefined, candidates: [LAN, WIFI] };
const [lan, wifi, vpn] = [LAN, WIFI, VPN].map(({ name, address }) => ({ name, address })) as [
  OfferedAddress,
  OfferedAddress,
  OfferedAddress,
];

describe('nodes: the addresses that a host could have at home', () => {
  for (const [what, own, told, choice, offered] of [
    [
      'are led by the one that devices get, with its reason',
      [LAN, WIFI],
      WIFI.address,
      home(WIFI),
      [{ ...wifi, hint: 'default-route' }, lan],
    ],
    [
      'say of what speaks against one',
      [VPN, LAN],
      LAN.address,
      home(LAN),
      [
        { ...lan, hint: 'default-route' },
        { ...vpn, hint: 'tunnel' },
      ],
    ],
    [
      'have the reason also where something speaks against the chosen one',
      [VPN],
      VPN.address,
      home(VPN),
      [{ ...vpn, hint: 'default-route' }],
    ],
    ['are in their order where none is chosen', [LAN, WIFI], undefined, NONE, [lan, wifi]],
    ['have no address in the network of a device', [OF_A_DEVICE, LAN], undefined, NONE, [lan]],
    [
      'are led by a remembered one that this machine does not have now',
      [LAN],
      '192.168.9.9',
      {
        home: { name: 'eth9', address: '192.168.9.9' },
        reason: 'remembered',
      },
      [{ name: 'eth9', address: '192.168.9.9', hint: 'remembered' }, lan],
    ],
    [
      'show a remembered one without its interface',
      [LAN],
      '192.168.9.9',
      {
        home: { address: '192.168.9.9' },
        reason: 'remembered',
      },
      [{ name: '?', address: '192.168.9.9', hint: 'remembered' }, lan],
    ],
  ] as [string, LocalAddress[], string | undefined, HomeChoice, OfferedAddress[]][]) {
    it(what, () => assert.deepEqual(offeredAddresses(own, told, choice), offered));
  }
});
