import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

const runFile = promisify(execFile);

type Scorecard = Record<string, { test?: boolean; [detail: string]: unknown }>;

describe('the package as npm would publish it', () => {
  let folder: string;
  let packed: string;
  let manifest: {
    'node-red': { nodes: Record<string, string>; plugins: Record<string, string> };
    dependencies: Record<string, string>;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-package-'));
    await runFile('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: packageRoot(),
    });
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball, 'npm pack made no tarball');
    await runFile('tar', ['xzf', tarball], { cwd: folder });
    packed = join(folder, 'package');
    manifest = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8')) as typeof manifest;
    for (const name of Object.keys(manifest.dependencies)) {
      // A scope is a folder of its own.
      const at = join(packed, 'node_modules', name);
      await mkdir(dirname(at), { recursive: true });
      await symlink(join(packageRoot(), 'node_modules', name), at, 'dir');
    }
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('passes every check of node-red-dev', async () => {
    const card = await validate();
    const failed = Object.keys(card).filter((rule) => card[rule]?.test === false);
    assert.deepEqual(failed, []);
    const rules = ['P01', 'P03', 'P04', 'P05', 'P06', 'P07', 'P08', 'N01', 'N02', 'D01', 'D02', 'D03'];
    for (const rule of rules) assert.equal(card[rule]?.test, true, `${rule} was not checked`);
    assert.deepEqual(card['P06']?.['versions'], ['5.0.7', '4.1.15']);
  });

  it('is read by node-red-dev: it finds each visible node in the examples', async () => {
    const visible = Object.keys(manifest['node-red'].nodes).filter((type) => !/^sonota-(host|firmware)$/.test(type));
    assert.deepEqual([...((await validate())['N02']?.['nodes'] as string[])].sort(), visible.sort());
  });

  it('would be caught if another package had one of its types', async () => {
    const card = await validate({ SONOTA_RIVAL_TYPE: 'sonota-host' });
    assert.deepEqual(card['N01'], { test: false, nodes: ['rival'] });
  });

  it('holds what Node-RED loads, and neither tests nor sources', async () => {
    const files = (await readdir(packed, { recursive: true, encoding: 'utf8' })).filter(
      (path) => !path.startsWith('node_modules'),
    );
    for (const file of ['LICENSE', 'CHANGELOG.md']) assert.ok(files.includes(file), file);
    for (const [type, path] of Object.entries(manifest['node-red'].nodes)) {
      assert.ok(files.includes(path), path);
      for (const beside of [`${type}.html`, `locales/en-US/${type}.json`, `locales/en-US/${type}.html`]) {
        assert.ok(files.includes(join(dirname(path), beside)), beside);
      }
    }
    for (const [name, path] of Object.entries(manifest['node-red'].plugins)) {
      for (const beside of [`${name}.js`, `${name}.html`, `locales/en-US/${name}.json`]) {
        assert.ok(files.includes(join(dirname(path), beside)), beside);
      }
    }
    // Node-RED's menu of examples shows every folder, also one without a flow.
    assert.deepEqual(
      files.filter((path) => path.startsWith('examples/') && !path.endsWith('.json')),
      [],
    );
    assert.deepEqual(
      files.filter((path) => /(^|\/)(test|scripts|icons\/\.)|\.map$|(?<!\.d)\.ts$/.test(path)),
      [],
    );
  });

  it('loads with its runtime dependencies alone', async () => {
    // A folder above which no node_modules lies: whatever is not a runtime dependency cannot be found.
    const lonely = join(folder, 'lonely');
    await mkdir(join(lonely, 'node_modules', '@sonota'), { recursive: true });
    const installed = join(lonely, 'node_modules', '@sonota', 'node-red');
    await rename(packed, installed);
    try {
      for (const path of Object.values({ ...manifest['node-red'].nodes, ...manifest['node-red'].plugins })) {
        const script = `const m = require(${JSON.stringify(join(installed, path))}); if (typeof m.default !== 'function') process.exit(3)`;
        await runFile(process.execPath, ['-e', script], { cwd: lonely });
      }
    } finally {
      await rename(installed, packed);
    }
  });

  /** @returns its scorecard: rule -> verdict; its exit code says nothing */
  async function validate(env: Record<string, string> = {}): Promise<Scorecard> {
    const output = join(folder, 'scorecard.json');
    const command = join(packageRoot(), 'node_modules', 'node-red-dev', 'bin', 'run');
    const preload = ['--require', join(__dirname, 'stored-answers.js')];
    await runFile(process.execPath, [...preload, command, 'validate', '-p', packed, '-o', output], {
      env: { ...process.env, ...env },
    });
    return JSON.parse(await readFile(output, 'utf8')) as Scorecard;
  }
});
