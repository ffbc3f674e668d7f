import { randomBytes } from 'node:crypto';
import { dial, type DialOptions } from '../wire/dial';
import { WireError } from '../wire/wire';

const HANDSHAKE = 22;
const CERTIFICATE = 11;

/**
 * The TLS client of firmware that verifies its server: mbed TLS with a CA of the vendor. It says hello (79 bytes, TLS
 * 1.2), reads as far as our certificate and hangs up without an alert (SonOTA#58, SonOTA#181).
 * Resolves once it has refused a certificate, which is always; rejects with a WireError where none came.
 */
export async function refuseCertificate(options: Omit<DialOptions, 'tls'>): Promise<void> {
  const wire = await dial(options);
  try {
    wire.write(clientHello());
    let buffer = Buffer.alloc(0);
    let handshake = Buffer.alloc(0);
    for (;;) {
      while (buffer.length >= 5 && buffer.length >= 5 + buffer.readUInt16BE(3)) {
        if (buffer[0] !== HANDSHAKE) throw new WireError('TLS alert before a certificate');
        const end = 5 + buffer.readUInt16BE(3);
        handshake = Buffer.concat([handshake, buffer.subarray(5, end)]);
        buffer = buffer.subarray(end);
      }
      while (handshake.length >= 4 && handshake.length >= 4 + handshake.readUIntBE(1, 3)) {
        if (handshake[0] === CERTIFICATE) return;
        handshake = handshake.subarray(4 + handshake.readUIntBE(1, 3));
      }
      const segment = await wire.next(options.limitMs);
      if (!segment) throw new WireError('closed before a certificate');
      buffer = Buffer.concat([buffer, segment.bytes]);
    }
  } finally {
    wire.close();
  }
}

/** The ClientHello of the SDK's mbed TLS 2.2.1, byte for byte but for its random part. */
export function clientHello(): Buffer {
  const suites = '003d0035003c002f00b7009500b6009400ff';
  const signatureAlgorithms = '000d000c000a06010501040103010201';
  const hello = Buffer.concat([
    Buffer.from('0303', 'hex'),
    randomBytes(32),
    Buffer.from(`00${length16(suites)}${suites}0100${length16(signatureAlgorithms)}${signatureAlgorithms}`, 'hex'),
  ]);
  const header = Buffer.from('1603010000010000', 'hex');
  const frame = Buffer.concat([header, Buffer.from([hello.length]), hello]);
  frame.writeUInt16BE(4 + hello.length, 3);
  return frame;
}

function length16(hex: string): string {
  return (hex.length / 2).toString(16).padStart(4, '0');
}
