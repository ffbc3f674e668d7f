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

  it('does not blame the certificate when the connection was lost before it was out', () => {
    const verdict = explainHandshake({ code: 'ECONNRESET', bytesRead: 56, bytesWritten: 0, certificateBytes: 679 });
    assert.deepEqual([verdict.failure, verdict.helloSeen], ['broken-off', true]);
  });
});
