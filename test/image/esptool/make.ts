/**
 * Makes `fixtures.json` again: asks esptool about every image of `cases.ts`.
 *
 *     python3 -m venv /tmp/esptool && /tmp/esptool/bin/pip install esptool
 *     npm run build && node dist/test/image/esptool/make.js /tmp/esptool/bin/python
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { digestOf, esptoolCases, esptoolImage, type EsptoolAnswer, type EsptoolFixtures } from './cases';
import { packageRoot } from '../../shared/package-root';

const FOLDER = join(packageRoot(), 'test', 'image', 'esptool');

async function main(python: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'esptool-'));
  try {
    const images = esptoolCases().map((one, index) => ({ case: one, name: `${index}.bin`, bytes: esptoolImage(one) }));
    for (const { name, bytes } of images) writeFileSync(join(folder, name), bytes);
    const output = execFileSync(python, [join(FOLDER, 'ask.py'), folder], { encoding: 'utf8' });
    const { esptool, answers } = JSON.parse(output) as { esptool: string; answers: Record<string, EsptoolAnswer> };
    const fixtures = images.map(({ case: one, name, bytes }) => {
      const answer = answers[name];
      if (!answer) throw new Error(`no answer about ${name}`);
      return { case: one, sha256: digestOf(bytes), answer };
    });
    const content: EsptoolFixtures = { esptool, fixtures };
    writeFileSync(
      join(FOLDER, 'fixtures.json'),
      await format(JSON.stringify(content), { parser: 'json', printWidth: 120 }),
    );
    console.log(`esptool ${esptool} answered about ${fixtures.length} images.`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main(process.argv[2] ?? 'python3').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
