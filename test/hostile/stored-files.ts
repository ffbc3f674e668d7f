import helper from 'node-red-node-test-helper';
import { useAdminServer } from '../nodes/admin-server';
import type { Bed } from '../nodes/bed';
import {
  assertEachReportedOnce,
  damagedJobs,
  mutationsOfFile,
  OWN,
  SHARED,
  showsAll,
  startOn,
} from '../nodes/damaged-folder';
import { damagedFiles } from '../shared/mutations';

/** Each file is damaged in every way, and Node-RED started on it, within one test. */
const TEST_LIMIT_MS = 600_000;

describe('hostile: every damage to the files in the user folder', function () {
  this.timeout(TEST_LIMIT_MS);
  let bed: Bed | undefined;

  useAdminServer();
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  it('never ends Node-RED, whichever job, message or observation in them was changed', async () => {
    bed = await startOn([{ jobs: damagedJobs(() => true) }]);
    await showsAll(bed, 1);
  });

  it('never ends Node-RED, however whole files were damaged', async () => {
    const cases = Object.entries(OWN).flatMap(([folder, content]) =>
      [
        ...damagedFiles(JSON.stringify(content)),
        ...mutationsOfFile(folder, content).map(({ value }) => JSON.stringify(value)),
      ].map((text) => ({ [folder]: text })),
    );
    bed = await startOn(cases);
    await showsAll(bed, cases.length);
    assertEachReportedOnce(cases.length);
  });

  for (const [name, content] of Object.entries(SHARED)) {
    it(`never ends Node-RED: ${name}`, async () => {
      const texts = [
        ...damagedFiles(JSON.stringify(content)),
        ...mutationsOfFile(name, content).map(({ value }) => JSON.stringify(value)),
      ];
      for (const text of texts) {
        bed = await startOn([{ 'home-assistant': JSON.stringify(OWN['home-assistant']) }], { [name]: text });
        await showsAll(bed, 1);
        await helper.request().get('/sonota/firmware/images').expect(200);
        await bed.unload();
        bed = undefined;
      }
    });
  }
});
