import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { type FlashError } from '../../lib/errors';
import { chooseFirmware } from '../../nodes/shared/firmware-choice';
import { MessageValues } from '../../nodes/shared/messages';
import { readSources } from '../../nodes/shared/sources';
import { Values } from '../../nodes/shared/values';

/** Firmware nodes with these names; a disabled one has a definition and no node. */
function runtimeWith(...nodes: { id: string; name: string; type?: string; isDisabled?: boolean }[]): NodeAPI {
  const made = nodes.map(({ type = 'sonota-firmware', ...node }) => ({ ...node, type }));
  return {
    nodes: {
      eachNode: (tell: (node: object) => void) => made.forEach(tell),
      getNode: (id: string) => {
        const found = made.find((node) => node.id === id && !node.isDisabled);
        return found ? { ...found, readSources: () => ({ final: `of ${id}` }) } : null;
      },
    },
  } as unknown as NodeAPI;
}

describe('nodes: the firmware that a message names', () => {
  const chosen = (RED: NodeAPI, firmware: unknown): unknown =>
    chooseFirmware(RED, undefined, new MessageValues({ firmware }))?.final;

  it('is the only enabled node of that name', () => {
    const RED = runtimeWith({ id: 'a', name: 'Tasmota', isDisabled: true }, { id: 'b', name: ' Tasmota ' });
    assert.equal(chosen(RED, 'Tasmota'), 'of b');
  });

  it('is the node of that id before one of that name, and none of another type', () => {
    const RED = runtimeWith({ id: 'a', name: 'b' }, { id: 'b', name: 'other' }, { id: 'c', name: 'x', type: 'inject' });
    assert.equal(chosen(RED, 'b'), 'of b');
    for (const name of ['c', 'x']) assert.throws(() => chosen(RED, name), { code: 'firmware-missing' });
  });

  it('is refused with the ids of all that have its name', () => {
    const RED = runtimeWith({ id: 'a', name: 'Tasmota' }, { id: 'b', name: 'Tasmota' });
    assert.throws(
      () => chosen(RED, 'Tasmota'),
      ({ code, values, message }: FlashError) => {
        assert.deepEqual([code, values['name'], values['ids']], ['reference-ambiguous', 'Tasmota', 'a, b']);
        assert.match(message, /firmware/);
        return true;
      },
    );
  });

  it('is named in the error where there is none, cut where it is no name', () => {
    for (const [name, quoted] of [
      ['Tasmota', 'Tasmota'],
      ['x'.repeat(200), 'x'.repeat(80)],
    ] as const) {
      assert.throws(
        () => chosen(runtimeWith(), name),
        ({ code, message }: FlashError) => {
          assert.equal(code, 'firmware-missing');
          assert.equal(/Tasmota|x{2,}/.exec(message)?.[0], quoted);
          return true;
        },
      );
    }
    const twice = runtimeWith({ id: 'a', name: 'x'.repeat(200) }, { id: 'b', name: 'x'.repeat(200) });
    assert.throws(
      () => chosen(twice, 'x'.repeat(200)),
      (error: FlashError) => error.values['name'] === 'x'.repeat(80),
    );
  });
});

describe('nodes: the images that a form or a message has', () => {
  it('are read with the way into the flash and the digests, in small letters', () => {
    const final = Buffer.from('image');
    const given = {
      ...{ user1: ' /data/1.bin ', user2: '', final, intermediate: ' One-Hop ' },
      digests: { user1: 'AB', user2: '', final: ' cd ', other: 'ef' },
    };
    assert.deepEqual(readSources(Values.ofForm(given)), {
      ...{ user1: '/data/1.bin', user2: undefined, final, intermediate: 'one-hop' },
      digests: { user1: 'ab', final: 'cd' },
    });
    assert.deepEqual(readSources(Values.ofForm({})), {
      ...{ user1: undefined, user2: undefined, final: undefined, intermediate: undefined, digests: {} },
    });
  });
});
