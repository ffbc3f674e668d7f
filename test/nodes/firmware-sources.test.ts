import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { NodeAPI } from 'node-red';
import type { ErrorCode } from '../../lib/errors';
import { Catalog, sourceOf } from '../../lib/firmware/library/catalog';
import { digestOf, makeFinalImage, makeUserImage } from '../../lib/image';
import { chooseOrRecommend, type FirmwareChoice, type FirmwareNode } from '../../nodes/shared/firmware-choice';
import { MessageValues } from '../../nodes/shared/messages';
import { useHttpServers } from '../shared/http-server';
import { Bed, freePorts, road } from './bed';

const [USER1, USER2, FINAL] = [makeUserImage({ slot: 1 }), makeUserImage({ slot: 2 }), makeFinalImage({ seed: 21 })];
const DEVICE = { deviceid: '1000a1b2c3' };

describe('nodes: where a firmware comes from', () => {
  const http = useHttpServers();
  let folder: string;
  let bed: Bed | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-sources-'));
  });
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
    await rm(folder, { recursive: true });
  });

  it('reports on output 2 how far a download is', async () => {
    let finish = (): void => undefined;
    const base = await http.serve((_, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': FINAL.length });
      response.write(FINAL.subarray(0, 20_000));
      finish = () => response.end(FINAL.subarray(20_000));
    });
    bed = await Bed.load(road(await freePorts(), { upgrade: { firmware: '' } }));
    const final = `${base}/final.bin?token=secret`;
    bed.send('upgrade', { ...DEVICE, firmware: { user1: USER1, user2: USER2, final } });
    const { text, details, payload, topic } = await bed.at('upgrade-progress', ({ text: said }) =>
      /Downloading/.test(String(said)),
    );
    assert.match(String(text), new RegExp(`^Downloading the final image: \\d+ of ${FINAL.length} bytes\\.$`));
    assert.equal(details, `Source: ${base}/final.bin`);
    assert.equal(payload, 20);
    assert.equal(topic, `${DEVICE.deviceid}/upgrade`);
    finish();
    await bed.at('upgrade-progress', (msg) => /^Waiting for the device/.test(String(msg['text'])));
    bed.send('upgrade', { cancel: true });
    assert.equal((await bed.at('caught')).error?.code, 'cancelled');
  });

  it('reports how much has come where the total is not known', async () => {
    let finish = (): void => undefined;
    const base = await http.serve((_, response: ServerResponse) => {
      response.write(FINAL.subarray(0, 20_000));
      finish = () => response.end(FINAL.subarray(20_000));
    });
    bed = await Bed.load(road(await freePorts(), { upgrade: { firmware: '' } }));
    bed.send('upgrade', { ...DEVICE, firmware: { user1: USER1, user2: USER2, final: `${base}/final.bin` } });
    await bed.at('upgrade-progress', ({ text }) =>
      /^Downloading the final image: \d+ of an unknown number of bytes\.$/.test(String(text)),
    );
    finish();
    await bed.at('upgrade-progress', (msg) => /^Waiting for the device/.test(String(msg['text'])));
    bed.send('upgrade', { cancel: true });
    await bed.at('caught');
  });

  it('refuses each wrong image with its own code, before the device gets a command', async () => {
    const served: Record<string, (response: ServerResponse) => void> = {
      page: (response) => void response.end('<!DOCTYPE html><title>Sign in</title>'),
      loop: (response) => void response.writeHead(302, { location: '/loop' }).end(),
      gone: (response) => void response.writeHead(404).end(),
    };
    const base = await http.serve((request, response) => served[(request.url ?? '').slice(1)]?.(response));
    const cases: [firmware: object, code: ErrorCode][] = [
      [{ final: gzipSync(FINAL) }, 'image-compressed'],
      [{ final: makeFinalImage({ flashMode: 'DIO' }) }, 'image-wrong-flash-mode'],
      [{ final: makeFinalImage({ text: '<h3>MINIMAL firmware - please upgrade</h3>' }) }, 'image-minimal'],
      [{ final: FINAL.subarray(0, 3000) }, 'image-truncated'],
      [{ user1: USER2, user2: USER1 }, 'image-wrong-slot'],
      [{ user1: makeUserImage({ slot: 1, size: 480_000 }) }, 'image-too-large'],
      [{ digests: { final: '0'.repeat(64) } }, 'image-changed'],
      [{ final: `${base}/page` }, 'image-web-page'],
      [{ final: `${base}/loop` }, 'fetch-redirected'],
      [{ final: `${base}/gone` }, 'fetch-failed'],
      [{ final: join(folder, 'nowhere.bin') }, 'image-unreadable'],
      [{ final: 'catalog:nothing' }, 'firmware-missing'],
    ];
    bed = await Bed.load(road(await freePorts(), { upgrade: { firmware: '' } }));
    for (const [index, [wrong, code]] of cases.entries()) {
      const firmware = { user1: USER1, user2: USER2, final: FINAL, ...wrong };
      bed.send('upgrade', { ...DEVICE, firmware, index });
      const { error } = await bed.at('caught', (msg) => msg['index'] === index);
      assert.equal(error?.code, code, error?.message);
      assert.deepEqual(bed.shown('upgrade'), { fill: 'red', shape: 'ring', text: code });
    }
  });

  it('asks a person to confirm what an address brings that is typed into the form, of its own node alone', async () => {
    process.env['SONOTA_TEST_ADDRESS'] = 'https://example.com/final.bin';
    const [user1, user2] = [' HTTPS://example.com/1.bin', 'http://example.com/2.bin'];
    const firmware = { type: 'sonota-firmware', name: '' };
    const paths = { user1: '/data/1.bin', user2: 'catalog:httpd', final: '' };
    try {
      bed = await Bed.load([
        ...road(await freePorts(), { firmware: { user1, user2, final: '${SONOTA_TEST_ADDRESS}' } }),
        { ...firmware, ...paths, id: 'paths' },
        { ...firmware, ...paths, final: 'http://example.com/final.bin', id: 'final' },
      ]);
      const nodes = ['firmware', 'paths', 'final'].map((id) => (bed?.node(id) as FirmwareNode).readSources());
      assert.deepEqual(
        nodes.map(({ final, mustBeConfirmed }) => [final, mustBeConfirmed]),
        [
          ['https://example.com/final.bin', ['user1', 'user2']],
          [undefined, []],
          ['http://example.com/final.bin', ['final']],
        ],
      );
    } finally {
      delete process.env['SONOTA_TEST_ADDRESS'];
    }
  });

  it('holds a firmware node to the digests that its form saw', async () => {
    const paths = { user1: join(folder, '1.bin'), user2: join(folder, '2.bin'), final: join(folder, 'f.bin') };
    await writeFile(paths.user1, USER1);
    await writeFile(paths.user2, USER2);
    await writeFile(paths.final, FINAL);
    const digests = { user1: digestOf(USER1), final: digestOf(FINAL) };
    bed = await Bed.load(road(await freePorts(), { firmware: { ...paths, digests } }));
    bed.send('upgrade', { ...DEVICE });
    await bed.at('upgrade-progress', (msg) => /^Waiting for the device/.test(String(msg['text'])));
    bed.send('upgrade', { cancel: true });
    await bed.at('caught');
    await writeFile(paths.final, makeFinalImage({ seed: 22 }));
    bed.send('upgrade', { ...DEVICE, again: true });
    const { error } = await bed.at('caught', (msg) => msg['again'] === true);
    assert.equal(error?.code, 'image-changed', error?.message);
  });
});

describe('nodes: the firmware of sonota-flash', () => {
  const OF_NODE = { final: 'of the node' };
  const node = { type: 'sonota-firmware', readSources: () => OF_NODE };
  const RED = {
    nodes: { getNode: (id: string) => (id === 'firmware' ? node : null), eachNode: () => undefined },
    settings: {},
  } as unknown as NodeAPI;
  const { recommended } = Catalog.ofPackage();
  const NONE = { firmware: undefined, image: undefined, intermediate: undefined };
  const ofMessage = { firmware: { final: 'of the message' } };

  const CASES: [what: string, choice: Partial<FirmwareChoice>, message: Record<string, unknown>, final: unknown][] = [
    ['the node of the form before all else', { firmware: 'firmware', image: 'rehearsal:' }, ofMessage, OF_NODE.final],
    ['the image of the form before the message', { image: 'rehearsal:' }, ofMessage, 'rehearsal:'],
    ["the message's, where the form has neither", {}, ofMessage, 'of the message'],
    ["the message's, where the node of the form is gone", { firmware: 'gone' }, ofMessage, 'of the message'],
    ['the image of the form, where its node is gone', { firmware: 'gone', image: 'rehearsal:' }, {}, 'rehearsal:'],
    ['what the catalog recommends', {}, {}, recommended && sourceOf(recommended)],
  ];
  for (const [what, choice, message, final] of CASES) {
    it(`is ${what}`, () => {
      const sources = chooseOrRecommend(RED, { ...NONE, ...choice }, new MessageValues({ ...message }));
      assert.ok(final !== undefined && sources);
      assert.equal(sources.final, final);
    });
  }

  it('goes the way that the form says, where the image is its own', () => {
    const way = (choice: Partial<FirmwareChoice>): unknown =>
      chooseOrRecommend(RED, { ...NONE, ...choice }, new MessageValues({}))?.intermediate;
    assert.deepEqual([way({}), way({ intermediate: 'One-Hop' })], [undefined, 'one-hop']);
  });
});
