/** What the devices open a TLS connection with, byte for byte but for the random. */

const RANDOM = '5a'.repeat(32);

/**
 * Espressif's axTLS, in every NonOS SDK up to 3.0.5: TLS 1.1 with AES128-SHA, AES256-SHA, RC4-SHA and RC4-MD5, no
 * extension; a record of 56 bytes (docs/dev/stock-firmware.md#2.4).
 */
export const AXTLS_HELLO = Buffer.from(
  ['16 0302 0033', '01 00002f', '0302', RANDOM, '00', '0008 002f 0035 0005 0004', '01 00'].join('').replace(/ /g, ''),
  'hex',
);

/**
 * Espressif's mbed TLS 2.2: TLS 1.2 in a record of version 1.0, RSA key exchange only, one extension that names the
 * signature algorithms; 79 bytes in the record, as SonOTA#181 reports them for a TX US.
 */
export const MBEDTLS_HELLO = Buffer.from(
  [
    '16 0301 004f',
    '01 00004b',
    '0303',
    RANDOM,
    '00',
    '0012 003d 0035 003c 002f 00b7 0095 00b6 0094 00ff',
    '01 00',
    '0010 000d 000c 000a 0601 0501 0401 0301 0201',
  ]
    .join('')
    .replace(/ /g, ''),
  'hex',
);

/** As axTLS, but with the two RC4 suites alone, which no Node.js has any more. */
export const RC4_HELLO = Buffer.from(
  ['16 0302 002f', '01 00002b', '0302', RANDOM, '00', '0004 0005 0004', '01 00'].join('').replace(/ /g, ''),
  'hex',
);

/** As long as a browser's: as axTLS, but with an extension that is nothing but padding (RFC 7685). */
export const MODERN_HELLO = Buffer.from(
  [
    '16 0302 01c9',
    '01 0001c5',
    '0302',
    RANDOM,
    '00',
    '0008 002f 0035 0005 0004',
    '01 00',
    '0194 0015 0190',
    '00'.repeat(400),
  ]
    .join('')
    .replace(/ /g, ''),
  'hex',
);
