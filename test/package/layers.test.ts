import assert from 'node:assert/strict';
import { lintWithoutTypes } from '../shared/lint';

/** Folder of the importing file, what it may not say, and what it may. */
const RULES: ReadonlyArray<[folder: string, refused: string[], taken: string[]]> = [
  [
    'lib/protocol',
    ["import '../server/x';", "import 'node:net';", "import 'node:fs/promises';", "import 'node-red';"],
    ["import '../errors';"],
  ],
  [
    'lib/image',
    ["import '../flash/x';", 'Date.now();', 'new Date();', 'setTimeout(() => 1, 1);'],
    ["import '../errors';"],
  ],
  [
    'lib/server',
    ["import '../flash/x';", "import '../virtual/x';", "import '../../nodes/shared/x';"],
    ["import '../protocol/x';"],
  ],
  [
    'lib/client',
    ["import '../flash/x';", "import '../tasmota/x';", "import '@node-red/util';"],
    ["import '../image';", "import '../protocol/tasmota';"],
  ],
  ['lib/net', ["import '../flash/x';"], ["import 'node:net';"]],
  ['lib/storage', ["import '../flash/x';", "import '../server/x';"], ["import '../errors';"]],
  ['lib/timing', ["import '../flash/x';"], ["import '../errors';"]],
  [
    'lib/firmware',
    ["import '../flash/x';", "import '../server/x';"],
    ["import '../client/x';", "import '../storage/x';"],
  ],
  [
    'lib/tasmota',
    ["import '../flash/x';", "import '../firmware/x';", "import '../server/x';", "import '../storage/x';"],
    ["import '../client/x';", "import '../net/wifi/x';", "import '../protocol/tasmota';"],
  ],
  ['lib/preflight', ["import '../home-assistant/x';", "import 'node-red';"], ["import '../flash/x';"]],
  [
    'lib/flash',
    ["import '../preflight/x';", "import '../virtual/x';", "import '../../nodes/shared/x';", "import 'node-red';"],
    ["import '../server/x';", "import '../tasmota/x';"],
  ],
  [
    'lib/virtual',
    [
      "import '../../tasmota/x';",
      "import { x } from '../protocol/x'; x();",
      "import '../server/x';",
      "import '../errors';",
    ],
    ["import type { X } from '../protocol/x'; export type Y = X;"],
  ],
  ['lib', ["import './server/x';", "import './protocol/x';"], ["import './wordings/x';"]],
  ['lib/wordings', ["import '../errors';", "import '../protocol/x';"], ["import './x';"]],
];

describe('the layers', () => {
  const eslint = lintWithoutTypes();

  async function faults(folder: string, code: string): Promise<string[]> {
    const [result] = await eslint.lintText(code, { filePath: `${folder}/probe.ts` });
    return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? 'error'}: ${message}`);
  }

  for (const [folder, refused, taken] of RULES) {
    it(`${folder} imports downwards only`, async () => {
      for (const code of refused) {
        const found = await faults(folder, code);
        assert.ok(
          found.some((fault) => /no-restricted/.test(fault)),
          `${folder} may say: ${code} ${found.join('; ')}`,
        );
      }
      for (const code of taken) assert.deepEqual(await faults(folder, code), [], `${folder} may not say: ${code}`);
    });
  }

  for (const folder of ['lib/flash', 'lib/server', 'lib/virtual', 'nodes/shared']) {
    it(`${folder} has no emitter without types`, async () => {
      const begin = "import { EventEmitter } from 'node:events'; export ";
      for (const use of ['class X extends EventEmitter', 'const x = new EventEmitter']) {
        const end = use.startsWith('class') ? ' {}' : '();';
        const [untyped, typed] = ['', '<{ changed: [] }>'].map((types) => `${begin}${use}${types}${end}`);
        assert.match((await faults(folder, untyped ?? '')).join(), /no-restricted-syntax: State its events/);
        assert.deepEqual(await faults(folder, typed ?? ''), []);
      }
    });
  }
});
