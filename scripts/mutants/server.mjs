/** The servers that devices dial: identity, connections, images. */
export default [
  {
    file: 'lib/server/tls-identity.ts',
    find: 'if (!new X509Certificate(cert).checkPrivateKey(privateKey)) return undefined;',
    replace: '',
    tests: ['server/tls-identity'],
    why: 'a key of another certificate is served, and no device completes a handshake',
  },
  {
    file: 'lib/server/tls-identity.ts',
    find: 'if (privateKey.asymmetricKeyDetails?.modulusLength !== KEY_BITS) return undefined;',
    replace: '',
    tests: ['server/tls-identity'],
    why: 'a key that is not of the proven length is served',
  },
  {
    file: 'lib/server/tls-identity.ts',
    find: "writeFile(beside, key + cert, { mode: 0o600, flag: 'wx' })",
    replace: "writeFile(beside, key + cert, { flag: 'wx' })",
    tests: ['server/tls-identity'],
    why: 'everybody on the machine can read the private key',
  },
  {
    file: 'lib/server/tls-identity.ts',
    find: 'await chmod(file, 0o600);',
    replace: '',
    tests: ['server/tls-identity'],
    why: 'a key that others can read stays readable',
  },
  {
    file: 'lib/server/tls-identity.ts',
    find: 'await rm(beside, { force: true });',
    replace: '',
    tests: ['server/tls-identity'],
    why: 'a copy of the private key is left behind after a failed write',
  },
];
