import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

describe('README', () => {
  it('lists every error code as lib/errors.ts has it, and draws the flash as it is checked', async () => {
    const script = join(packageRoot(), 'scripts', 'readme.mjs');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [script, '--check']));
  });
});
