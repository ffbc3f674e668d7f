/** Why an address or a port of this machine cannot be used, or cannot be reached. */
export const ADDRESS_WORDINGS = {
  'address-unknown': 'it is not known',
  'address-long': '{name} has more than {limit} characters',
  'address-no-name': '{name} is neither an IPv4 address nor a host name',
  'port-invalid': '{port} is not a port',
  'address-none': 'none is set, and this machine has no address on a home network that could be found',
  'address-several':
    'none is set, and this machine is in several networks that may be the home network: {list}; choose one of these addresses in the host',
  'address-of-guest': "{address} is what this machine is called in a device's own network, not at home",
  'address-not-ipv4': '{address} is not an IPv4 address',
  'address-gone': '{address} is no address of this machine now',
  'for-itself-only': '{address} is this machine for itself only; no device can dial it',
  'without-a-router': '{address} is what a machine calls itself where no router answers',
  'in-a-container': '{address} is inside a container network, where no device can dial it',
  'not-ours': '{address} is not an address of this machine, which has {list}',
  'not-ours-none': '{address} is not an address of this machine, which has none',
  'self-port': '{address}, port {port}',
  'port-forbidden': 'the user who runs Node-RED may not open it',
  'port-address-absent': 'this machine does not have that address',
  'port-address-unknown': 'that address is not known here',
  'port-address-invalid': 'that address cannot be listened on',
  'port-out-of-range': 'a port is a number from 0 to 65535',
  'port-taken': 'another program holds it',
  'port-taken-here': 'Node-RED itself holds it',
  'port-taken-by': 'another program holds it ({program}, process {pid})',
} as const;

export type AddressReason = keyof typeof ADDRESS_WORDINGS;
