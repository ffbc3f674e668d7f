import type { TlsReason } from '../wordings/tls';
import { quoted, wording, type Wording } from '../wordings/wording';

/** The facts of a TLS handshake that did not come to its end. */
export interface FailedHandshake {
  /** Node's error code, such as ECONNRESET or ERR_SSL_NO_SHARED_CIPHER. */
  code: string;
  /** Bytes on the wire in both directions. */
  bytesRead: number;
  bytesWritten: number;
  /** Our certificate's length in DER. */
  certificateBytes: number;
}

/**
 * - `certificate-rejected`: the device said so, or broke off right after it had our certificate
 * - `refused-here`: our own TLS library did not like what the device offers
 * - `not-tls`: what came is no TLS, such as plain HTTP
 * - `broken-off`: the peer left before it saw our certificate
 * - `timeout`: the peer fell silent
 */
export type HandshakeFailure = 'certificate-rejected' | 'refused-here' | 'not-tls' | 'broken-off' | 'timeout';

export interface HandshakeVerdict {
  failure: HandshakeFailure;
  /** In words, without a peer's address. */
  reason: Wording;
  /** Whether the peer started a TLS handshake. */
  helloSeen: boolean;
  certificateSent: boolean;
  /** Its hello is longer than that of any stock firmware: a browser or a monitor, not a device. */
  isModern: boolean;
}

/** The shortest record that holds a ClientHello: 5 + 4 bytes of headers, version, random, and one suite. */
const SHORTEST_HELLO = 50;

/**
 * The stock firmware's two TLS stacks say hello in 56 and 79 bytes, an alert takes 7 more
 * (docs/dev/stock-firmware.md#2.4). OpenSSL, Python, curl and browsers need 240 to 1900, with extensions that no stock
 * firmware has.
 */
const LONGEST_HELLO = 200;

/** OpenSSL names an alert after TLS or after SSL 3, depending on its version. */
const CERTIFICATE_ALERT = /ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE)$/;
const NOT_TLS =
  /^ERR_SSL_(HTTP_REQUEST|HTTPS_PROXY_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/;

/** Alerts that our side sends for these errors, as the protocol numbers them. */
const OUR_ALERTS: Readonly<Record<string, TlsReason>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls-version',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'tls-signatures',
  ERR_SSL_INTERNAL_ERROR: 'tls-library',
  ERR_SSL_NO_SHARED_CIPHER: 'tls-cipher',
};

/**
 * Why a handshake failed, by its error and its byte counts. A device that checks certificates closes right after ours,
 * without an alert, which looks like any lost connection but for the bytes that we have sent (SonOTA#58, SonOTA#164).
 */
export function explainHandshake({
  code,
  bytesRead,
  bytesWritten,
  certificateBytes,
}: FailedHandshake): HandshakeVerdict {
  const notTls = NOT_TLS.test(code);
  const helloSeen = !notTls && bytesRead >= SHORTEST_HELLO;
  const certificateSent = helloSeen && bytesWritten >= certificateBytes;
  const verdict = (failure: HandshakeFailure, reason: Wording): HandshakeVerdict => ({
    failure,
    reason,
    helloSeen,
    certificateSent,
    isModern: helloSeen && bytesRead > LONGEST_HELLO,
  });
  if (notTls) return verdict('not-tls', wording('tls-not'));
  if (CERTIFICATE_ALERT.test(code))
    return verdict('certificate-rejected', wording('tls-certificate-refused', { code }));
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return verdict('timeout', wording('tls-fell-silent'));
  if (code.startsWith('ERR_SSL_')) {
    const known = OUR_ALERTS[code];
    return verdict('refused-here', known === undefined ? quoted(code) : wording(known));
  }
  return certificateSent
    ? verdict('certificate-rejected', wording('tls-broke-off-after'))
    : verdict('broken-off', wording('tls-broke-off-before'));
}
