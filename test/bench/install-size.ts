/** The size of an installation: files of the package itself, and packages that it needs. */

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';
import type { Row } from './figures';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
}

export function installSize(): Row {
  const root = packageRoot();
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [own] = JSON.parse(packed.toString()) as { unpackedSize: number }[];
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const needed = Object.entries(packages).filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional);
  const bytes = needed.reduce((sum, [path]) => sum + sizeOf(join(root, path)), 0);
  const one = (unit: string, value: number, digits = 0): Row['figures'][string] => ({ unit, digits, ours: [value] });
  return {
    name: 'installation',
    partner: '',
    figures: {
      'the package': one('MB', (own?.unpackedSize ?? NaN) / 1e6, 2),
      'with all that it needs': one('MB', ((own?.unpackedSize ?? NaN) + bytes) / 1e6, 1),
      'packages that it needs': one('', needed.length),
    },
  };
}

/** Of a package's own files; those of packages within it are packages of their own. */
function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? sizeOf(path) : statSync(path).size;
  }
  return bytes;
}
