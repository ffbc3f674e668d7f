import assert from 'node:assert/strict';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
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
