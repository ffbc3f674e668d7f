import type { ConnectionReason } from '../wordings/connection';
import { quoted, wording, type Wording } from '../wordings/wording';

/** The codes of Node's network errors as reasons for a user. */
const REASONS: Readonly<Record<string, ConnectionReason>> = {
  ECONNREFUSED: 'nothing-listens',
  ECONNRESET: 'broke-off',
  ENOTFOUND: 'name-unknown',
  EAI_AGAIN: 'name-not-looked-up',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  ETIMEDOUT: 'nothing-answered',
  CERT_HAS_EXPIRED: 'certificate-expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-unverified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-other-name',
};

/** @param code Node's, or the message of an error that has none */
export function networkReason(code: string): Wording {
  const known = REASONS[code];
  return known === undefined ? quoted(code) : wording(known);
}
