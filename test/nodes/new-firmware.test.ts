import assert from 'node:assert/strict';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { Bed, freePorts, road, type Msg } from './bed';

const PAGE = "<title>Tasmota</title><a href='/'>Tasmota 14.1.0 by Theo Arends</a>";

describe('nodes: sonota-new-firmware', () => {
  const servers = useHttpServers();
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  const node = (more: object): Parameters<typeof road>[1] => ({
    finalstage: { type: 'sonota-new-firmware', firmware: undefined, ...more },
  });

  it('starts a flow, takes the address of the message, and reports what is there', async () => {
    const url = await servers.serve((_, response) => response.end(PAGE));
    bed = await Bed.load(road(await freePorts(), node({ url: '' })));
    bed.send('finalstage', { mine: 1, newfirmware: url.replace('http://', '') });
    const msg = await bed.at('finalstage-out');
    assert.equal(msg['mine'], 1);
    assert.deepEqual(msg.payload, { kind: 'tasmota', version: '14.1.0', title: 'Tasmota', url, address: '127.0.0.1' });
    assert.equal(msg.sonota?.['stage'], 'done');
    assert.equal(msg['deviceid'], null);
    assert.deepEqual(await bed.doneBy('finalstage'), [undefined]);
    const progress = bed.messages('finalstage-progress');
    assert.equal(progress.at(-1)?.payload, 100);
    for (const { topic } of progress) assert.equal(topic, 'unknown/newfirmware');
    assert.deepEqual(bed.shown('finalstage'), { fill: 'green', shape: 'dot', text: 'done' });
  });

  it('counts a rescue where its message asks for that, and none where it does not', async () => {
    bed = await Bed.load(road(await freePorts(), node({ url: `http://127.0.0.1:${await freePort()}` })));
    bed.send('finalstage', { mine: 1 });
    await bed.at('finalstage-progress');
    bed.send('finalstage', { cancel: true });
    await bed.at('caught');
    const isCounted = ({ text }: Msg): boolean => /^Disconnect the device from power: 30 s to go/.test(String(text));
    assert.ok(!bed.messages('finalstage-progress').some(isCounted));
    bed.send('finalstage', { mine: 2, rescue: true });
    await bed.at('finalstage-progress', isCounted);
    bed.send('finalstage', { cancel: true });
    await bed.at('caught', ({ mine }) => mine === 2);
  });

  it('ends well where nothing is wired behind it: no device waits for anything', async () => {
    const url = await servers.serve((_, response) => response.end(PAGE));
    bed = await Bed.load(road(await freePorts(), node({ url, wires: [[], ['finalstage-progress']] })));
    bed.send('finalstage', {});
    assert.deepEqual(await bed.doneBy('finalstage'), [undefined]);
    assert.deepEqual(bed.shown('finalstage'), { fill: 'green', shape: 'dot', text: 'done' });
    assert.ok(!bed.statuses.some(({ status }) => status.text === 'output-not-wired'));
  });

  it('takes the address of its form before that of the message, and says which one is no address', async () => {
    const url = await servers.serve((_, response) => response.end(PAGE));
    bed = await Bed.load(road(await freePorts(), node({ url })));
    bed.send('finalstage', { mine: 1, newfirmware: 'nowhere' });
    assert.equal(((await bed.at('finalstage-out')).payload as { url: string }).url, url);
    await bed.unload();
    bed = await Bed.load(road(await freePorts(), node({ url: '' })));
    bed.send('finalstage', { mine: 2, newfirmware: 'ftp://nowhere' });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'url-invalid');
    assert.match(caught.error.message, /ftp:\/\/nowhere/);
  });

  it('continues over a redeploy, and is cancelled by a message', async () => {
    const flow = road(await freePorts(), node({ url: '' }));
    bed = await Bed.load(flow);
    bed.send('finalstage', { mine: 1 });
    await bed.status('finalstage', ({ fill, text }) => fill === 'yellow' && text.startsWith('join its Wi-Fi'));
    await bed.deploy(flow);
    const from = bed.statuses.length;
    await bed.deploy(flow);
    await bed.status('finalstage', ({ fill, text }) => fill === 'yellow' && text.startsWith('join its Wi-Fi'), from);
    assert.equal(bed.messages('caught').length, 0);
    bed.send('finalstage', { cancel: true });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'cancelled');
    assert.equal(caught['mine'], 1);
  });
});
