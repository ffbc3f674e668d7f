import assert from 'node:assert/strict';
import { once, type EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { makeFinalImage, makeUserImage, type Examination } from '../../lib/image';
import { wording } from '../../lib/wordings/wording';
import { libraryOf } from '../../nodes/shared/library';
import register from '../../nodes/sonota-image-doctor/sonota-image-doctor';
import { useHttpServers } from '../shared/http-server';
import { useAdminServer } from './admin-server';

type Result = Record<string, unknown> & { payload: Examination; picture: string };

interface Caught {
  error: { code: string; message: string };
}

/** Takes everything out of an object, as deep as it goes. */
function emptied(part: Record<string, unknown>): void {
  for (const [key, inner] of Object.entries(part)) {
    if (typeof inner === 'object' && inner !== null) emptied(inner as Record<string, unknown>);
    delete part[key];
  }
}

describe('nodes/image-doctor', () => {
  const http = useHttpServers();
  let folder: string;

  useAdminServer();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-doctor-'));
  });
  afterEach(async () => {
    await helper.unload();
    await rm(folder, { recursive: true });
  });

  async function load(road = ''): Promise<{ doctor: Node; sink: Node; caught: Node }> {
    helper.settings({ userDir: folder });
    const flow = [
      { id: 'tab', type: 'tab' },
      { id: 'doctor', type: 'sonota-image-doctor', z: 'tab', road, wires: [['sink']] },
      { id: 'sink', type: 'helper', z: 'tab' },
      { id: 'catcher', type: 'catch', z: 'tab', wires: [['caught']] },
      { id: 'caught', type: 'helper', z: 'tab' },
    ];
    await helper.load([register], flow);
    const [doctor, sink, caught] = ['doctor', 'sink', 'caught'].map((id) => helper.getNode(id));
    assert.ok(doctor && sink && caught);
    return { doctor, sink, caught };
  }

  /** What comes out for a message, and the status that goes with it. */
  async function examined(message: object, road = ''): Promise<{ result: Result; status: unknown }> {
    const { doctor, sink } = await load(road);
    const output = once(sink, 'input');
    doctor.receive(message as never);
    const [result] = (await output) as [Result];
    // The helper puts a spy in the place of each of a node's own functions.
    const spied = doctor as unknown as { status: { lastCall: { args: unknown[] } } };
    return { result, status: spied.status.lastCall.args[0] };
  }

  async function refused(message: object): Promise<Caught['error']> {
    const { doctor, caught } = await load();
    const output = once(caught, 'input');
    doctor.receive(message as never);
    const [{ error }] = (await output) as [Caught];
    const spied = doctor as unknown as { status: { lastCall: { args: unknown[] } } };
    assert.deepEqual(spied.status.lastCall.args[0], { fill: 'red', shape: 'ring', text: error.code });
    return error;
  }

  it('examines a Buffer, and keeps what else the message carries', async () => {
    const { result, status } = await examined({ payload: makeFinalImage(), topic: 'mine', password: 'for later' });
    assert.notEqual(result.payload.verdict, 'refuse');
    assert.equal(result.payload.target, 'finalstage');
    assert.match(result.picture, /^<svg/);
    assert.match(String(result['text']), /^This image fits/);
    assert.deepEqual([result['topic'], result['password']], ['mine', 'for later']);
    assert.notEqual((status as { fill: string }).fill, 'red');
    assert.doesNotThrow(() => JSON.stringify(result.payload));
  });

  it('lets a bad image out too, with the reasons, and a red status', async () => {
    const { result, status } = await examined({ payload: makeUserImage({ slot: 1 }), target: 'cloud-user2' });
    assert.equal(result.payload.verdict, 'refuse');
    assert.equal(result.payload.findings[0]?.code, 'image-wrong-slot');
    assert.match(String(result['text']), /^This image must not be installed\. .*user1/);
    assert.deepEqual(status, { fill: 'red', shape: 'ring', text: 'image-wrong-slot' });
  });

  it('shows by its status how an image is: fits, may fit, or does not', async () => {
    const { doctor } = await load();
    const spied = doctor as unknown as { status: { args: unknown[][] } };
    const seed = (text: string): Buffer => makeFinalImage({ text });
    const shown = async (payload: Buffer | string): Promise<[Result, unknown]> => {
      const output = once(helper.getNode('sink') as EventEmitter, 'input');
      doctor.receive({ payload });
      const [result] = (await output) as [Result];
      return [result, spied.status.args.at(-1)?.[0]];
    };
    const kinds = new Set<string>();
    const pictures = new Set<string>();
    for (const image of [seed('Tasmota'), 'rehearsal:final', makeUserImage({ slot: 1 })]) {
      const [{ payload, text, picture }, status] = await shown(image);
      const { verdict, findings } = payload;
      pictures.add(picture);
      const [first] = findings;
      const code = first?.code;
      const whole = {
        ok: 'This image fits.',
        warn: 'This image fits, with a reservation.',
        refuse: 'This image must not be installed.',
      };
      assert.equal(text, first ? `${whole[verdict]} ${first.text} ${first.remedy}` : whole[verdict]);
      kinds.add(verdict);
      const expected = {
        ok: { fill: 'green', shape: 'dot', text: 'fits' },
        warn: { fill: 'yellow', shape: 'dot', text: code },
        refuse: { fill: 'red', shape: 'ring', text: code },
      };
      assert.deepEqual(status, expected[verdict]);
    }
    assert.deepEqual([...kinds].sort(), ['ok', 'refuse', 'warn']);
    assert.equal(pictures.size, 3, 'each is drawn as it lies in the flash');
  });

  it('puts out what a flow may change without a change to the next result', async () => {
    const { doctor } = await load();
    const results: Examination[] = [];
    for (const mine of [1, 2]) {
      const output = once(helper.getNode('sink') as EventEmitter, 'input');
      doctor.receive({ mine, payload: makeUserImage({ slot: 1 }) });
      const [{ payload }] = (await output) as [Result];
      results.push(structuredClone(payload));
      for (const part of Object.values(payload))
        if (typeof part === 'object' && part !== null) emptied(part as Record<string, unknown>);
    }
    assert.deepEqual(results[1], results[0]);
  });

  it('takes the older name of a target, and reports under both', async () => {
    const { result } = await examined({ payload: makeUserImage({ slot: 2 }), road: 'diy' });
    assert.deepEqual([result.payload.target, (result.payload as { road?: unknown }).road], ['diy', 'diy']);
    await helper.unload();
    const both = await examined({ payload: makeUserImage({ slot: 2 }), target: 'one-hop', road: 'diy' });
    assert.equal(both.result.payload.target, 'one-hop', 'the newer name wins');
  });

  it('goes by the form first, then by the message', async () => {
    const image = makeUserImage({ slot: 2 });
    assert.notEqual(
      (await examined({ payload: image, target: 'diy' }, 'cloud-user2')).result.payload.verdict,
      'refuse',
    );
    await helper.unload();
    assert.equal((await examined({ payload: image, target: 'diy' })).result.payload.target, 'diy');
  });

  it('reads a path, a made-up image, and an address', async () => {
    const path = join(folder, 'final.bin');
    await writeFile(path, makeFinalImage());
    const address = await http.serve((_, response) => response.end(makeFinalImage()));
    const library = libraryOf({ settings: { userDir: folder } } as NodeAPI);
    const kept = await library.store.keep(makeFinalImage(), 'a file', wording('image-final'));
    for (const payload of [path, 'rehearsal:final', address, `store:${kept}`]) {
      assert.notEqual((await examined({ payload })).result.payload.verdict, 'refuse', payload);
      await helper.unload();
    }
    assert.equal((await examined({ payload: 'rehearsal:user1' })).result.payload.verdict, 'refuse');
  });

  it('says by an error what it could not read', async () => {
    const cases: [message: object, code: string][] = [
      [{ payload: join(folder, 'nowhere.bin') }, 'image-unreadable'],
      [{ payload: 42 }, 'image-unreadable'],
      [{}, 'image-unreadable'],
      [{ payload: Buffer.alloc(3 * 1024 * 1024) }, 'image-too-large'],
      [{ payload: `store:${'0'.repeat(64)}` }, 'firmware-missing'],
      [{ payload: makeFinalImage(), road: 'serial' }, 'road-unknown'],
      [{ payload: makeFinalImage(), road: { x: 1 } }, 'road-unknown'],
    ];
    for (const [message, code] of cases) {
      const error = await refused(message);
      assert.equal(error.code, code, error.message);
      if (code === 'road-unknown') assert.match(error.message, /cloud-user1, cloud-user2, finalstage, one-hop, diy/);
      await helper.unload();
    }
  });

  it('lets go of a download that stalls when it is closed, without an error', async () => {
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const address = await http.serve((request) => {
      request.socket.on('close', () => closed());
      asked();
    });
    let closed = (): void => undefined;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { doctor } = await load();
    const errors: unknown[] = [];
    (doctor as EventEmitter).on('call:error', ({ args }: { args: unknown[] }) => errors.push(args));
    doctor.receive({ payload: address });
    await isAsked;
    await helper.unload();
    await isClosed;
    assert.deepEqual(errors, []);
  });
});
