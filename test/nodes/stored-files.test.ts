import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { hosts } from '../../nodes/shared/hosts';
import { PENDING } from '../flash/stored-samples';
import { damagedFiles } from '../shared/mutations';
import { useAdminServer } from './admin-server';
import type { Bed } from './bed';
import { assertEachReportedOnce, damagedJobs, OWN, SHARED, showsAll, startOn } from './damaged-folder';

/* What is left out, cut off or of a newer version here; every other damage in `test:hostile`. */
describe('nodes: damaged files in the user folder', () => {
  let bed: Bed | undefined;

  useAdminServer();
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  it('never end Node-RED, whatever a job, a message or an observation lacks', async () => {
    bed = await startOn([{ jobs: damagedJobs(({ where }) => where.endsWith('left out')) }]);
    await showsAll(bed, 1);
  });

  it('never end Node-RED where they are cut off or of a newer version, and are each reported once', async () => {
    const cases = Object.entries(OWN).flatMap(([folder, content]) =>
      damagedFiles(JSON.stringify(content)).map((text) => ({ [folder]: text })),
    );
    bed = await startOn(cases);
    await showsAll(bed, cases.length);
    assertEachReportedOnce(cases.length);
  });

  it('never end Node-RED where a file that all share is cut off', async () => {
    const cut = Object.fromEntries(
      Object.entries(SHARED).map(([name, content]) => [name, JSON.stringify(content).slice(0, -1)]),
    );
    bed = await startOn([{ 'home-assistant': JSON.stringify(OWN['home-assistant']) }], cut);
    await showsAll(bed, 1);
    await helper.request().get('/sonota/firmware/images').expect(200);
  });

  it('lead to no message twice: what an earlier run held is restarted as the same one', async () => {
    const pending = { ...PENDING, left: [], images: {}, outcome: undefined };
    const content = { format: 'sonota-jobs/1', jobs: [], tickets: [pending] };
    bed = await startOn([{ jobs: JSON.stringify(content) }]);
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const [host] = hosts.all().map(([, one]) => one);
    assert.deepEqual(
      host?.runs.pending.all().map(({ id, nodeId }) => [id, nodeId]),
      [[PENDING.id, 'cloud']],
    );
  });
});
