import assert from 'node:assert/strict';
import { countDownloads, type DownloadCount } from '../../../lib/protocol/diy/download-count';

const row = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const NONE: DownloadCount = { lost: 0, reboots: 0, alternations: 0, repeated: 0 };

describe('protocol/diy/download-count', () => {
  for (const [what, positions, count] of [
    ['nothing', [], {}],
    ['other generators', [undefined, undefined], {}],
    ['a download in order', row(3, 130), {}],
    ['requests that were lost', [3, 4, 6, 9], { lost: 3 }],
    ['a counter used for something else in between', [3, 4, 200, 201], {}],
    ['a boot in mid-way', [...row(70, 90), ...row(3, 10)], { reboots: 1 }],
    ['a boot, and a download longer than before it', [...row(70, 90), ...row(3, 130)], { reboots: 1 }],
    ['the same, with a request lost where the first count ended', [70, 71, ...row(3, 71), 73], { reboots: 1, lost: 1 }],
    ['two boots', [50, 51, 3, 4, 3, 4], { reboots: 2 }],
    ['two that use one id', [100, 3, 101, 4, 102], { reboots: 1, alternations: 3 }],
    ['a proxy that sends each request twice', [3, 3, 4, 4, 5], { repeated: 2 }],
    ['requests without a position among others', [3, undefined, 4], {}],
  ] as const) {
    it(`counts ${what}`, () => assert.deepEqual(countDownloads(positions), { ...NONE, ...count }));
  }
});
