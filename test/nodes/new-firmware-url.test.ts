import assert from 'node:assert/strict';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { Job } from '../../lib/flash/job/job';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { ONE_HOP } from '../../lib/flash/routes';
import { makeFinalImage } from '../../lib/image';
import type { HostNode } from '../../nodes/shared/hosts';
import { FIRMWARE } from '../flash/bench';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { Bed, freePorts, road } from './bed';

const PAGE = "<title>Tasmota</title><a href='/'>Tasmota 14.1.0 by Theo Arends</a>";
const DEVICE = '1000a1b2c3';

describe('nodes: where a flash is known by its new firmware alone', () => {
  const servers = useHttpServers();
  let bed: Bed;
  afterEach(() => bed.unload());

  /** A flow in which a node looks for the new firmware at this address, at the end. */
  async function load(formUrl: string): Promise<HostNode['flashHost']> {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const looking = { id: 'new', type: 'sonota-new-firmware', host: 'host', name: '', timeout: '600', url: formUrl };
    const flow = road(await freePorts(), {
      upgrade: { firmware: '', wires: [['upgrade-out', 'new'], ['upgrade-progress']] },
      finalstage: { url: nobody, wires: [['finalstage-out', 'new'], ['finalstage-progress']] },
    });
    bed = await Bed.load([...flow, { ...looking, z: 'tab', x: 100, y: 100, wires: [[], []] }]);
    return (bed.node('host') as HostNode).flashHost;
  }

  const WAYS = {
    /** The final image was on the wire when the process ended. */
    finalstage: ({ jobs }: HostNode['flashHost']): object => {
      jobs.jobFor('finalstage', DEVICE).finalStage = FinalStageSession.restore({
        ...{ since: new Date().toISOString(), peer: '127.0.0.1' },
        deliveries: { final: { size: 1000, sent: 1000, tries: 1, state: 'flowing' } },
      });
      return FIRMWARE;
    },
    /** The device had its image, which it puts in place itself, to the last byte when the process ended. */
    upgrade: ({ jobs }: HostNode['flashHost']): object => {
      const before = new Job('upgrade', DEVICE);
      before.enter('upgrade');
      before.route = ONE_HOP;
      const { id, lastStage } = before;
      const job = Job.restore({ id, lastStage, snapshot: before.snapshot() });
      const download = new UpgradeDownload();
      download.offered();
      download.requested('user2', 8192, 'range');
      download.sentUpTo(8192);
      job.download = UpgradeDownload.restore(download.record());
      jobs.restore(job);
      return { final: makeFinalImage({ size: 24_576, redundancy: 0.7, text: 'Theo Arends' }), intermediate: 'one-hop' };
    },
  };
  for (const [stage, prepare] of Object.entries(WAYS)) {
    it(`${stage} looks for it where the node behind it does, before the address of the message`, async () => {
      const url = await servers.serve((_, response) => response.end(PAGE));
      const firmware = prepare(await load(url));
      bed.send(stage, { deviceid: DEVICE, firmware, newfirmware: `http://127.0.0.1:${await freePort()}` });
      assert.equal((await bed.at(`${stage}-out`))['deviceid'], DEVICE);
    });

    it(`${stage} looks for it at the address of the message, where no node says`, async () => {
      const url = await servers.serve((_, response) => response.end(PAGE));
      const firmware = prepare(await load(''));
      bed.send(stage, { deviceid: DEVICE, firmware, newfirmware: url });
      assert.equal((await bed.at(`${stage}-out`))['deviceid'], DEVICE);
    });
  }
});
