import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { crc32 } from '../../lib/image/crc32';
import { RELOCATOR } from '../../lib/image/one-hop/relocator';
import { packageRoot } from '../shared/package-root';

describe('image/one-hop/relocator', () => {
  it('is what its sources in firmware/one-hop make', function () {
    const script = join(packageRoot(), 'firmware', 'one-hop', 'build.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    if (status === 2) {
      this.test!.title += ` (skipped: ${(stdout + stderr).trim()})`;
      this.skip();
    }
    assert.equal(status, 0, stdout + stderr);
  });

  it('is named by its bytes', () => {
    const bytes = RELOCATOR.segments.map(({ data }) => Buffer.from(data, 'base64'));
    assert.equal(crc32(Buffer.concat(bytes)), RELOCATOR.build);
    for (const part of bytes) assert.equal(part.length % 4, 0);
  });
});
