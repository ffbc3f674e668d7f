import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';

/** The stage behind each node, and the function that documents its codes. */
const STAGES = {
  'sonota-provision': ['provision/provision', 'provision'],
  'sonota-cloud-emulator': ['cloud', 'cloud'],
  'sonota-ota-serve': ['upgrade', 'upgrade'],
  'sonota-finalstage-watch': ['finalstage', 'finalStage'],
  'sonota-diy-flash': ['diy/diy-flash', 'diyFlash'],
  'sonota-new-firmware': ['new-firmware', 'newFirmware'],
} as const;

/** What the node itself adds: its form, its host, and which device it is for. */
const OF_THE_NODE = [
  'host-missing',
  'port-in-use',
  'address-invalid',
  'url-invalid',
  'device-unknown',
  'device-not-ready',
  'device-busy',
];

describe('the errors that a help lists', () => {
  for (const [node, [file, name]] of Object.entries(STAGES)) {
    it(`${node}: are those that its stage documents`, () => {
      const documented = codesIn(documentationOf(file, name));
      const listed = codesIn(errorsIn(node));
      assert.ok(documented.length > 3 && listed.length > 3);
      assert.deepEqual(
        documented.filter((code) => !listed.includes(code)),
        [],
        'documented, and not in the help',
      );
      assert.deepEqual(
        listed.filter((code) => !documented.includes(code) && !OF_THE_NODE.includes(code)),
        [],
        'in the help, and not documented',
      );
    });
  }
});

function documentationOf(file: string, name: string): string {
  const source = readFileSync(join(packageRoot(), 'lib/flash/stage', `${file}.ts`), 'utf8');
  const before = source.slice(0, source.indexOf(`export async function ${name}(`));
  return before.slice(before.lastIndexOf('@throws'));
}

function errorsIn(node: string): string {
  const help = readFileSync(join(packageRoot(), 'nodes', node, 'locales/en-US', `${node}.html`), 'utf8');
  const from = help.lastIndexOf('<code>msg.error.code</code>');
  return help.slice(from, help.indexOf('</p>', from)).replaceAll('…', '*');
}

/** Codes, or families of them as `image-*`. */
function codesIn(text: string): string[] {
  return [...text.matchAll(/(?:`|<code>)([a-z][a-z0-9]*(?:-[a-z0-9*]+)*)(?:`|<\/code>)/g)].map(([, code = '']) => code);
}
