import assert from 'node:assert/strict';
import type { LoadedImage } from '../../lib/firmware/firmware';
import type { Job } from '../../lib/flash/job/job';
import { projectOf } from '../../lib/flash/overview/project-of';
import { makeFinalImage } from '../../lib/image';

describe('flash/overview/project-of', () => {
  it('looks at an image once, however many jobs have it', () => {
    const bytes = makeFinalImage({ size: 8192, text: 'Theo Arends' });
    let looks = 0;
    const includes = bytes.includes.bind(bytes);
    Object.assign(bytes, { includes: (value: Buffer) => ((looks += 1), includes(value)) });
    // Each job loads its own image, of bytes that all of them share.
    const jobs = Array.from({ length: 3 }, () => ({ firmware: { final: { bytes } as LoadedImage } }) as Job);
    assert.equal(projectOf(jobs[0] as Job), 'tasmota');
    const afterOne = looks;
    assert.ok(afterOne > 0);
    assert.deepEqual(jobs.map(projectOf), ['tasmota', 'tasmota', 'tasmota']);
    assert.equal(looks, afterOne);
  });

  it('is nothing where there is no final image yet', () => {
    assert.equal(projectOf({ firmware: {} } as Job), undefined);
  });
});
