import assert from 'node:assert/strict';
import { explainHandshake } from '../../lib/server/tls-failure';

const FLIGHT = { bytesRead: 56, bytesWritten: 800, certificateBytes: 679 };

describe('explainHandshake', () => {
  // Node 20 names alerts after SSL 3, Node 24 after both.
  for (const code of ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE']) {
    it(`knows ${code}`, () => {
      assert.equal(explainHandshake({ code, ...FLIGHT }).failure, 'certificate-rejected');
    });
  }

  for (const alert of [
    'TLSV1_ALERT_UNKNOWN_CA',
    'SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  ]) {
    it(`counts ${alert} as a rejected certificate`, () => {
      assert.equal(explainHandshake({ code: `ERR_SSL_${alert}`, ...FLIGHT }).failure, 'certificate-rejected');
    });
  }

  for (const code of [
    'ERR_SSL_UNSUPPORTED_PROTOCOL',
    'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
    'ERR_SSL_NO_SHARED_CIPHER',
  ]) {
    it(`counts ${code} as refused here, with words for it`, () => {
      const verdict = explainHandshake({ code, bytesRead: 56, bytesWritten: 7, certificateBytes: 679 });
      assert.equal(verdict.failure, 'refused-here');
      assert.equal(verdict.certificateSent, false);
      assert.match(verdict.reason.text, /alert \d\d\)$/);
    });
  }

  const HELLO = { bytesRead: 56, bytesWritten: 7, certificateBytes: 679 };
  for (const [code, bytes, failure, reason, facts] of [
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', HELLO, 'refused-here', 'tls-version', [true, false, false]],
    ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', HELLO, 'refused-here', 'tls-signatures', [true, false, false]],
    ['ERR_SSL_INTERNAL_ERROR', HELLO, 'refused-here', 'tls-library', [true, false, false]],
    ['ERR_SSL_NO_SHARED_CIPHER', HELLO, 'refused-here', 'tls-cipher', [true, false, false]],
    ['ERR_SSL_BAD_RECORD_TYPE', HELLO, 'refused-here', 'quoted', [true, false, false]],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', FLIGHT, 'certificate-rejected', 'tls-certificate-refused', [true, true, false]],
    ['ERR_SSL_HTTP_REQUEST', FLIGHT, 'not-tls', 'tls-not', [false, false, false]],
    ['ERR_SSL_HTTPS_PROXY_REQUEST', FLIGHT, 'not-tls', 'tls-not', [false, false, false]],
    ['ERR_SSL_WRONG_VERSION_NUMBER', FLIGHT, 'not-tls', 'tls-not', [false, false, false]],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', FLIGHT, 'not-tls', 'tls-not', [false, false, false]],
    ['ERR_SSL_UNKNOWN_PROTOCOL', FLIGHT, 'not-tls', 'tls-not', [false, false, false]],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', HELLO, 'timeout', 'tls-fell-silent', [true, false, false]],
    ['ECONNRESET', FLIGHT, 'certificate-rejected', 'tls-broke-off-after', [true, true, false]],
    [
      'ECONNRESET',
      { ...FLIGHT, bytesWritten: 679 },
      'certificate-rejected',
      'tls-broke-off-after',
      [true, true, false],
    ],
    ['ECONNRESET', { ...FLIGHT, bytesWritten: 678 }, 'broken-off', 'tls-broke-off-before', [true, false, false]],
    ['ECONNRESET', { ...HELLO, bytesRead: 50 }, 'broken-off', 'tls-broke-off-before', [true, false, false]],
    ['ECONNRESET', { ...FLIGHT, bytesRead: 49 }, 'broken-off', 'tls-broke-off-before', [false, false, false]],
    ['ECONNRESET', { ...HELLO, bytesRead: 200 }, 'broken-off', 'tls-broke-off-before', [true, false, false]],
    ['ECONNRESET', { ...HELLO, bytesRead: 201 }, 'broken-off', 'tls-broke-off-before', [true, false, true]],
  ] as const) {
    it(`explains ${code} after ${bytes.bytesRead} bytes in and ${bytes.bytesWritten} out`, () => {
      const verdict = explainHandshake({ code, ...bytes });
      assert.deepEqual([verdict.failure, verdict.reason.code], [failure, reason]);
      assert.deepEqual([verdict.helloSeen, verdict.certificateSent, verdict.isModern], facts);
      if (reason === 'tls-certificate-refused') assert.deepEqual(verdict.reason.values, { code });
    });
  }

  it('does not blame the certificate when the connection was lost before it was out', () => {
    const verdict = explainHandshake({ code: 'ECONNRESET', bytesRead: 56, bytesWritten: 0, certificateBytes: 679 });
    assert.deepEqual([verdict.failure, verdict.helloSeen], ['broken-off', true]);
  });
});
