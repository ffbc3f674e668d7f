/**
 * What the virtual machine needs, in a folder of its own: downloaded as Debian packages and unpacked, never installed.
 * So no package starts a service here or touches this machine's network.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The emulator itself, and what runs in the machine; what they depend on and is on this machine is used from there. */
const PACKAGES = [
  'qemu-system-x86',
  'linux-image-amd64',
  'busybox-static',
  'kmod',
  'udev',
  'dbus',
  'polkitd',
  'network-manager',
  'wpasupplicant',
  'hostapd',
  'iw',
  'wireless-regdb',
  'dnsmasq-base',
  'iproute2',
];
/** As on the machine whose root lies below: `/lib` and its like are links into `/usr`. */
const LINKS = ['bin', 'sbin', 'lib', 'lib64'];
const DOWNLOAD_LIMIT_MS = 10 * 60_000;

/** Why this machine cannot hold the lab; undefined where it can. */
export function whyNoMachine() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is made for Linux on x86-64';
  if (process.getuid() !== 0) return "it needs root, to show this machine's files to the virtual one";
  if (!works('apt-get', '--version') || !works('dpkg-deb', '--version')) return 'its parts are Debian packages';
  return undefined;
}

/**
 * Fills `folder` unless that was done before.
 *
 * @returns {Promise<string>} the folder with the unpacked packages
 * @throws Error with apt's own words where a package cannot be had
 */
export async function unpackTools(folder) {
  const tools = join(folder, 'tools');
  const done = join(folder, 'done');
  if (existsSync(done)) return tools;
  await rm(folder, { recursive: true, force: true });
  const archives = join(folder, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  apt('update', '-qq');
  // Also those that are here already: they are looked for in the one folder.
  const only = ['--download-only', '--reinstall', '--no-install-recommends', '-o', `Dir::Cache::archives=${archives}`];
  apt('install', '-y', '-qq', ...only, ...PACKAGES);
  for (const name of LINKS) {
    await mkdir(join(tools, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(tools, name));
  }
  for (const name of (await readdir(archives)).filter((file) => file.endsWith('.deb'))) {
    const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', join(archives, name)], { maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '--keep-directory-symlink', '-C', tools], { input: tar });
  }
  await rm(archives, { recursive: true });
  await writeFile(done, '');
  return tools;
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const options = { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: DOWNLOAD_LIMIT_MS };
  try {
    execFileSync('apt-get', args, options);
  } catch (error) {
    throw new Error(`apt-get ${args[0]}: ${error.stderr?.toString().trim() || error.message}`, { cause: error });
  }
}

function works(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
