/**
 * A real Home Assistant to test with. It needs a Python of its own choice: where this machine has none, a Debian with it
 * is put into a folder (debootstrap, as root). All of it lies in the folder for temporary files, and is made once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { root } from '../prepare.mjs';

const requirements = join(root, 'test', 'home-assistant', 'requirements.txt');
const wanted = readFileSync(requirements, 'utf8');
const version = /^homeassistant==(\S+)$/m.exec(wanted)[1];
/** Another list is installed again, over what is there. */
const edition = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
/** The next run continues from what is there. */
const LIMIT_MS = 10 * 60_000;
const until = Date.now() + LIMIT_MS;
/** The first and the first too new Python for it: `Requires-Python`, and what its pinned packages have wheels for. */
const PYTHON_FROM = [3, 14, 2];
const PYTHON_BEFORE = [3, 15, 0];
const DEBIAN = 'forky';
/** An older debootstrap does not know that name, but makes every new Debian in the same way. */
const DEBOOTSTRAP_SCRIPT = 'sid';
/** Its pip and its Python look for these where they lie on every Debian. */
const FROM_HERE = ['/etc/resolv.conf', '/etc/hosts', '/etc/pip.conf', '/etc/ssl/certs/ca-certificates.crt'];

/**
 * @returns {{ command: string[], root: string, version: string } | { skip: string }} `command` before the arguments of
 *   `hass`, which sees the folder `root` as its own `/`; skip: a half-sentence
 */
export function homeAssistant() {
  const place = join(tmpdir(), `sonota-home-assistant-${version}`);
  const python = suitablePython();
  const made = python ? { python, enter: [], at: place } : debian(place);
  if (made.skip) return made;
  const done = join(place, `done-${edition}`);
  if (!existsSync(done)) {
    console.log(`Installing Home Assistant ${version} into ${place}; this takes a few minutes.`);
    const list = join(place, 'requirements.txt');
    mkdirSync(place, { recursive: true });
    const inside = python ? list : '/requirements.txt';
    copyFileSync(requirements, python ? list : join(made.at, 'requirements.txt'));
    const steps = [
      [made.python, '-m', 'venv', made.venv ?? join(place, 'venv')],
      [
        `${made.venv ?? join(place, 'venv')}/bin/pip`,
        'install',
        '--quiet',
        '--no-deps',
        '--prefer-binary',
        '-r',
        inside,
      ],
    ];
    for (const [command, ...args] of steps) {
      if (!runs([...made.enter, command, ...args]))
        return { skip: `Home Assistant ${version} could not be installed ${inTime()}` };
    }
    writeFileSync(done, '');
  }
  return {
    command: [...made.enter, `${made.venv ?? join(place, 'venv')}/bin/hass`],
    root: python ? '' : made.at,
    version,
  };
}

/** A Python of this machine that Home Assistant takes. */
function suitablePython() {
  return ['python3.14', 'python3'].find((command) => {
    const { stdout } = spawnSync(command, ['-c', 'import venv, sys; print(*sys.version_info[:3])'], {
      encoding: 'utf8',
    });
    const found = (stdout ?? '').trim().split(' ').map(Number);
    return found.length === 3 && compare(found, PYTHON_FROM) >= 0 && compare(found, PYTHON_BEFORE) < 0;
  });
}

/** A Debian in a folder, entered with mounts of its own that go with the process. */
function debian(place) {
  const why = `it needs Python ${PYTHON_FROM.join('.')} or newer, and a Debian with it`;
  if (process.platform !== 'linux' || process.getuid() !== 0)
    return { skip: `${why} can only be made by root on Linux` };
  if (spawnSync('debootstrap', ['--version']).error) return { skip: `${why} needs debootstrap` };
  const at = join(place, DEBIAN);
  const done = join(place, `done-${DEBIAN}`);
  if (!existsSync(done)) {
    console.log(`Making a Debian ${DEBIAN} in ${at}.`);
    rmSync(at, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    const packages = '--include=ca-certificates,python3,python3-venv';
    // In mounts of its own: what it mounts goes with it, even where it is killed.
    const debootstrap = ['debootstrap', '--variant=minbase', packages, DEBIAN, at, '', DEBOOTSTRAP_SCRIPT];
    if (!runs(['unshare', '--mount', ...debootstrap], 'ignore')) {
      return { skip: `${why} could not be made ${inTime()}` };
    }
    for (const path of FROM_HERE.filter((one) => existsSync(one))) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      cpSync(path, join(at, path), { dereference: true });
    }
    writeFileSync(done, '');
  }
  // Folders of packages in this machine's pip configuration are not there inside.
  const mount =
    'unset PIP_FIND_LINKS; mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"';
  return { python: 'python3', venv: '/venv', enter: ['unshare', '--mount', 'sh', '-c', mount, at], at };
}

function runs([command, ...args], output = 'inherit') {
  const timeout = until - Date.now();
  return timeout > 0 && spawnSync(command, args, { stdio: ['ignore', output, 'inherit'], timeout }).status === 0;
}

/** Why not: a failing step has reported that. */
function inTime() {
  return Date.now() < until ? '(why stands above)' : `within ${LIMIT_MS / 60_000} minutes`;
}

function compare(one, other) {
  const index = one.findIndex((part, at) => part !== other[at]);
  return index < 0 ? 0 : one[index] - other[index];
}
