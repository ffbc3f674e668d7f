import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { md, pki } from 'node-forge';

/** In PEM. */
export interface BrokerCertificates {
  /** The authority that clients trust. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const AUTHORITY = [{ name: 'commonName', value: 'Test authority' }];
const SERVER = [{ name: 'commonName', value: '127.0.0.1' }];
/** The kind of name in a subjectAltName that is an address. */
const IP_ADDRESS = 7;

/** The certificate of a broker at 127.0.0.1, and that of its authority, as strict clients want them. */
export function makeBrokerCertificates(): BrokerCertificates {
  const authority = newKey();
  const ca = certificateOf(authority.publicKey, AUTHORITY, [
    { name: 'basicConstraints', critical: true, cA: true },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  ca.sign(pki.privateKeyFromPem(authority.privateKey), md.sha256.create());
  const server = newKey();
  const cert = certificateOf(server.publicKey, SERVER, [
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: [{ type: IP_ADDRESS, ip: '127.0.0.1' }] },
    { name: 'authorityKeyIdentifier', keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes() },
  ]);
  cert.sign(pki.privateKeyFromPem(authority.privateKey), md.sha256.create());
  return { ca: pki.certificateToPem(ca), cert: pki.certificateToPem(cert), key: server.privateKey };
}

function newKey(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

function certificateOf(publicKey: string, subject: pki.CertificateField[], extensions: object[]): pki.Certificate {
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  const now = Date.now();
  certificate.validity.notBefore = new Date(now - 86_400_000);
  certificate.validity.notAfter = new Date(now + 86_400_000);
  certificate.setSubject(subject);
  certificate.setIssuer(AUTHORITY);
  certificate.setExtensions(extensions);
  return certificate;
}
