import assert from 'node:assert/strict';
import { newFirmwareUrlBehind } from '../../nodes/shared/new-firmware-behind';
import type { Flow } from '../shared/node-red';
import { Bed, freePorts, road } from './bed';

describe('nodes: the new firmware at the end of a flow', () => {
  let bed: Bed;
  let flow: Flow;
  beforeEach(async () => {
    flow = road(await freePorts());
  });
  afterEach(() => bed.unload());

  const at = { z: 'tab', x: 100, y: 100 };
  const looking = (id: string, url: string): Flow[number] => ({
    ...{ id, type: 'sonota-new-firmware', name: '', host: 'host', url, ...at, wires: [[], []] },
  });

  /** The address that the upgrade's node gets, with these nodes and wires besides. */
  async function behind(more: Flow, wires: Record<string, string[]>): Promise<string | undefined> {
    const wired = [...flow, ...more].map((node) => {
      const next = wires[node.id];
      return next ? { ...node, wires: [next, ...((node['wires'] as string[][]).slice(1) ?? [])] } : node;
    });
    bed = await Bed.load(wired);
    const { RED } = bed;
    assert.ok(RED);
    return newFirmwareUrlBehind(RED, 'upgrade');
  }

  it('is found behind other nodes, and where the flow goes round', async () => {
    const url = 'http://192.168.1.20';
    assert.equal(await behind([looking('new', url)], { finalstage: ['cloud', 'new'] }), url);
  });

  it('is found behind links', async () => {
    const links = [
      { id: 'out', type: 'link out', ...at, links: ['in'], wires: [] },
      { id: 'in', type: 'link in', ...at, links: ['out'], wires: [['new']] },
    ];
    const url = 'http://192.168.1.20';
    assert.equal(await behind([...links, looking('new', url)], { finalstage: ['out'] }), url);
  });

  it('is not known where none is behind it, or several with different addresses', async () => {
    const url = 'http://192.168.1.20';
    assert.equal(await behind([looking('new', url)], {}), undefined);
    await bed.unload();
    const both = { finalstage: ['new', 'other'] };
    assert.equal(await behind([looking('new', url), looking('other', 'http://192.168.1.21')], both), undefined);
    await bed.unload();
    assert.equal(await behind([looking('new', url), looking('other', url)], both), url);
  });
});
