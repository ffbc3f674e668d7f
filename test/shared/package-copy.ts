import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root';

/** What of the package Node-RED reads. */
const PARTS = ['package.json', 'dist/lib', 'dist/nodes', 'examples', 'firmware'];

interface CatalogFile {
  images: { name: string; url: string; sha256: string | null; size: number | null }[];
}

export interface CatalogChange {
  readonly url: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * A copy of the built package whose catalog has other files behind its names: what a flash fetches then comes from a server
 * of the test. It lies within the repository, where it finds its dependencies.
 */
export async function packageWithCatalog(changes: Readonly<Record<string, CatalogChange>>): Promise<PackageCopy> {
  const place = join(packageRoot(), '.palettes');
  await mkdir(place, { recursive: true });
  const folder = await mkdtemp(join(place, 'copy-'));
  for (const part of PARTS) await cp(join(packageRoot(), part), join(folder, part), { recursive: true });
  await symlink(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'), 'dir');
  const file = join(folder, 'firmware', 'catalog.json');
  const catalog = JSON.parse(readFileSync(file, 'utf8')) as CatalogFile;
  for (const image of catalog.images) Object.assign(image, changes[image.name]);
  await writeFile(file, JSON.stringify(catalog));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export interface PackageCopy {
  readonly folder: string;
  remove(): Promise<void>;
}
