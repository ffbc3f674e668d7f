/** The nodes, and what leaves Node-RED through them. */
export default [
  {
    file: 'nodes/sonota-host/evidence-routes.ts',
    find: 'secrets: [ssid, password]',
    replace: 'secrets: [ssid]',
    tests: ['nodes/evidence'],
    why: "a bug report shows the host's Wi-Fi password",
  },
  {
    file: 'nodes/sonota-host/evidence-routes.ts',
    find: 'secrets: [ssid, password]',
    replace: 'secrets: [password]',
    tests: ['nodes/evidence'],
    why: "a bug report shows the name of the host's Wi-Fi",
  },
  {
    file: 'lib/flash/job/evidence-bundle.ts',
    find: "for (const secret of secrets) clean = clean.replaceAll(secret, '…');",
    replace: '',
    tests: ['nodes/evidence'],
    why: 'a bug report shows every word that was to be hidden',
  },
  {
    file: 'lib/flash/job/evidence-bundle.ts',
    find: 'redactKeys(text)',
    replace: 'text',
    tests: ['flash/evidence'],
    why: 'a bug report shows the keys of a device',
  },
  {
    file: 'lib/flash/stage/provision.ts',
    find: 'context.job.evidence.hide(options.password);',
    replace: '',
    tests: ['flash/provision'],
    why: 'a bug report shows a Wi-Fi password that came with a message',
  },
  {
    file: 'lib/flash/stage/provision.ts',
    find: 'context.job.evidence.hide(options.ssid);',
    replace: '',
    tests: ['flash/provision'],
    why: 'a bug report shows the name of a Wi-Fi that came with a message',
  },
];
