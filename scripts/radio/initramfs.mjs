/** The initramfs of the virtual machine: Debian's kernel, and a busybox that mounts this machine's root and continues from it. */
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { root } from '../prepare.mjs';

/** What it takes until the root is there; each brings what it depends on. */
const MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay', 'virtio-rng'];

/**
 * Builds the initramfs in `folder`.
 *
 * @param {string} tools the folder with the unpacked packages
 * @returns {Promise<{kernel: string, initramfs: string}>} their paths
 */
export async function buildInitramfs(folder, tools) {
  const [version] = await readdir(join(tools, 'lib', 'modules'));
  const modules = join(tools, 'lib', 'modules', version);
  execFileSync(join(tools, 'bin', 'kmod'), ['-b', tools, version], { argv0: 'depmod' });
  const staging = join(folder, 'initramfs');
  await rm(staging, { recursive: true, force: true });
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev', 'lower/machine', 'lower/tools', 'upper', 'root']) {
    await mkdir(join(staging, name), { recursive: true });
  }
  const order = inOrder(await readFile(join(modules, 'modules.dep'), 'utf8'));
  for (const module of order) await copyFile(join(modules, module), join(staging, 'modules', basename(module)));
  await writeFile(join(staging, 'modules', 'order'), order.map((module) => `${basename(module)}\n`).join(''));
  const busybox = join(tools, 'bin', 'busybox');
  await cp(busybox, join(staging, 'bin', 'busybox'));
  await symlink('busybox', join(staging, 'bin', 'sh'));
  await copyFile(join(root, 'test', 'radio', 'guest', 'init.sh'), join(staging, 'init'));
  await chmod(join(staging, 'init'), 0o755);
  const files = execFileSync('find', ['.'], { cwd: staging });
  const cpio = execFileSync(busybox, ['cpio', '-o', '-H', 'newc'], {
    cwd: staging,
    input: files,
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const initramfs = join(folder, 'initramfs.cpio');
  await writeFile(initramfs, cpio);
  return { kernel: join(tools, 'boot', `vmlinuz-${version}`), initramfs };
}

/** The modules' paths, each behind what it depends on. */
function inOrder(dependencies) {
  const needs = new Map();
  for (const line of dependencies.split('\n')) {
    const [module, rest] = line.split(':');
    if (rest !== undefined) needs.set(module, rest.trim().split(' ').filter(Boolean));
  }
  const order = [];
  const add = (module) => {
    for (const one of needs.get(module) ?? []) add(one);
    if (!order.includes(module)) order.push(module);
  };
  for (const name of MODULES) {
    const path = [...needs.keys()].find((module) => basename(module) === `${name}.ko`);
    if (path === undefined) throw new Error(`the kernel has no module ${name}`);
    add(path);
  }
  return order;
}
