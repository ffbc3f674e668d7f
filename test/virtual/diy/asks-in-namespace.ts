/** Asks the device of another namespace by multicast from an address of this one, and prints each answer in hex. */
import dgram from 'node:dgram';

const GROUP = '224.0.0.251';
const address = process.argv[2] ?? '';
const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (packet, { address: from }) => {
  // Its own questions come back to it.
  if (packet[2]! & 0x80) console.log(JSON.stringify({ from, hex: packet.toString('hex') }));
});
socket.bind(5353, () => {
  socket.setMulticastInterface(address);
  socket.addMembership(GROUP, address);
  console.log('{}');
});
process.stdin.on('data', (hex) => socket.send(Buffer.from(String(hex).trim(), 'hex'), 5353, GROUP));
process.stdin.on('end', () => socket.close());
