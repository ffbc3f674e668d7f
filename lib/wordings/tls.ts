/** Why a TLS handshake failed, without the address of the peer. */
export const TLS_WORDINGS = {
  'tls-not': 'what it sent is not TLS',
  'tls-certificate-refused': 'it refused our certificate ({code})',
  'tls-fell-silent': 'it fell silent',
  'tls-broke-off-after': 'it broke off after our certificate',
  'tls-broke-off-before': 'it broke off before our certificate',
  'tls-version': 'this Node.js refuses the TLS version that the device speaks (alert 70)',
  'tls-signatures': 'this Node.js refuses the signatures of TLS 1.1 (alert 80)',
  'tls-library': 'the TLS library failed (alert 80)',
  'tls-cipher': 'the device offers no cipher that this Node.js has (alert 40)',
  'tls-unspoken': 'this Node.js does not speak TLS 1.1 with AES128-SHA ({code})',
  'tls-slow': 'it took too long',
} as const;

export type TlsReason = keyof typeof TLS_WORDINGS;
