import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kept, Neighbours, type PublishedGroup } from '../../lib/home-assistant';
import { OwnPlace } from '../../nodes/sonota-home-assistant/own-place';
import { NodePublications, Publications } from '../../nodes/sonota-home-assistant/publications';

const NAMES = { prefix: 'homeassistant', base: 'sonota' };
const WIRING = { outlets: ['out'], broker: 'localhost:1883', filters: [] };
const FLASHER: PublishedGroup = { config: 'config/flasher', states: ['flasher'] };
const DEVICE: PublishedGroup = { config: 'config/device', states: ['update', 'state'] };

describe('nodes: what sonota-home-assistant has published', () => {
  let folder: string;
  const warnings: string[] = [];
  const publications = (): Publications => Publications.in(folder, (text) => warnings.push(text));
  /** As another run of Node-RED reads the file of a node. */
  const stored = (nodeId = 'ha'): NodePublications =>
    new NodePublications(folder, nodeId, (text) => warnings.push(text));
  const ownPlace = (nodeId = 'ha', wiring = WIRING): OwnPlace => {
    const own = publications().arrives(nodeId);
    publications().publishesAt(nodeId, wiring.broker);
    return new OwnPlace(own, publications(), wiring, NAMES);
  };
  const nobody = (): Neighbours => new Neighbours('00000000', () => false);
  const topics = (place: OwnPlace, wanted: string[] = [], neighbours = nobody()): string[] =>
    place.clean(new Set(wanted), neighbours).map(({ topic, payload, retain }) => {
      assert.deepEqual([payload, retain], ['', true]);
      return topic;
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-publications-'));
    warnings.length = 0;
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is on disk before it is published, with an instance that stays the same', async () => {
    const place = ownPlace();
    await place.add([FLASHER, DEVICE]);
    const { instance } = publications().arrives('ha');
    assert.match(instance, /^[0-9a-f]{8}$/);
    const again = stored();
    assert.equal(again.instance, instance);
    assert.deepEqual(again.at(WIRING.broker), { broker: WIRING.broker, outlets: ['out'], groups: [FLASHER, DEVICE] });
    assert.deepEqual(again.at('elsewhere:1883').groups, []);
  });

  it('is kept once, however often it is published, with the outlets of now', async () => {
    await ownPlace().add([FLASHER]);
    const place = ownPlace('ha', { ...WIRING, outlets: ['other'] });
    await place.add([FLASHER, DEVICE]);
    await place.add([DEVICE, { ...DEVICE, states: ['update'] }]);
    const expected = [FLASHER, DEVICE, { ...DEVICE, states: ['update'] }];
    assert.deepEqual(stored().at(WIRING.broker), { broker: WIRING.broker, outlets: ['other'], groups: expected });
  });

  it('remembers under which names another instance was first', async () => {
    const place = ownPlace();
    await place.add([FLASHER]);
    assert.equal(place.isTaken, false);
    place.take();
    await publications().arrives('ha').settled();
    assert.ok(ownPlace().isTaken);
    for (const other of [{ base: 'garage' }, { prefix: 'garage' }]) {
      const renamed = new OwnPlace(publications().arrives('ha'), publications(), WIRING, { ...NAMES, ...other });
      assert.equal(renamed.isTaken, false, 'of other names nothing is known');
    }
    assert.deepEqual(stored().at(WIRING.broker).groups, [FLASHER]);
    await place.add([DEVICE]);
    await place.replace([DEVICE]);
    assert.ok(place.isTaken, 'whatever is published later');
    const taken = `${NAMES.prefix} ${NAMES.base}`;
    const now = { broker: WIRING.broker, outlets: ['out'], groups: [DEVICE], taken };
    assert.deepEqual(stored().at(WIRING.broker), now);
  });

  it('is forgotten once all of it was removed, and not before', async () => {
    const place = ownPlace();
    await place.add([FLASHER, DEVICE]);
    await place.removed([kept('config/device', ''), kept('update', ''), kept('state', 'not empty')]);
    assert.ok(place.has('config/device'));
    await place.removed([kept('config/device', ''), kept('update', ''), kept('state', '')]);
    assert.ok(!place.has('config/device') && place.has('config/flasher'));
    assert.deepEqual(stored().at(WIRING.broker).groups, [FLASHER]);
  });

  it('is removed where it is not wanted any more, except what is now of another', async () => {
    const place = ownPlace();
    await place.add([{ states: ['status'] }, FLASHER, DEVICE]);
    assert.deepEqual(topics(place, ['status', 'config/flasher', 'flasher']), ['config/device', 'update', 'state']);
    const neighbours = nobody();
    neighbours.announced('config/flasher', 'ffffffff');
    assert.deepEqual(topics(place, ['status'], neighbours), ['config/device', 'update', 'state']);
  });

  it('names what was deleted elsewhere, unless the broker has lost all', async () => {
    const place = ownPlace();
    await place.add([FLASHER, DEVICE]);
    for (const config of ['config/flasher', 'config/device', 'config/stranger', 'config/flasher'])
      place.arrived(config);
    const broker = nobody();
    assert.deepEqual(place.missingAt(broker), [], 'it has lost all');
    broker.announced('config/flasher', undefined);
    assert.deepEqual(place.missingAt(broker), ['config/device']);
    await place.add([{ ...DEVICE, config: 'config/later' }]);
    assert.deepEqual(place.missingAt(broker), ['config/device'], 'that one may be on its way');
    await publications().arrives('ha').settled();
    assert.deepEqual(stored().at(WIRING.broker).arrived, ['config/flasher', 'config/device']);
    place.lost('config/device');
    assert.deepEqual(place.missingAt(broker), []);
    const later = ['config/later'];
    assert.deepEqual(topics(place, ['config/flasher', 'flasher', ...later]), ['update', 'state'], 'its config is gone');
    await place.replace([{ ...DEVICE, config: 'config/later' }]);
    broker.announced('config/later', undefined);
    place.arrived('config/later');
    broker.removed('config/flasher');
    assert.deepEqual(place.missingAt(broker), [], 'it has no flasher itself any more');
    await publications().arrives('ha').settled();
  });

  it('of a node that is gone is left to another one at the same broker alone', async () => {
    const gone = ownPlace('gone');
    await gone.add([DEVICE]);
    const node = publications().arrives('gone');
    const { instance } = node;
    assert.ok(!publications().isGone(instance));
    publications().leaves('gone');
    assert.ok(publications().isGone(instance));
    const elsewhere = ownPlace('elsewhere', { ...WIRING, broker: 'elsewhere:1883' });
    assert.deepEqual(topics(elsewhere), []);
    const unknown = ownPlace('unknown', { ...WIRING, broker: '' });
    assert.deepEqual(topics(unknown), []);
    const next = ownPlace('next');
    assert.deepEqual(topics(next), ['config/device', 'update', 'state']);
    assert.deepEqual(topics(next), [], 'once');
    await node.settled();
    assert.ok(!existsSync(join(folder, 'gone.published.json')));
  });

  it('of a node whose broker was not known is left alone by others of which it is not known either', async () => {
    const gone = ownPlace('gone', { ...WIRING, broker: '' });
    await gone.add([DEVICE]);
    publications().leaves('gone');
    assert.deepEqual(topics(ownPlace('unknown', { ...WIRING, broker: '' })), []);
    assert.deepEqual(topics(ownPlace('known')), []);
    assert.equal(publications().leftovers().length, 1);
  });

  it('of a node that has moved to another broker is left there', async () => {
    await ownPlace('ha').add([DEVICE]);
    const moved = ownPlace('ha', { ...WIRING, broker: 'elsewhere:1883' });
    await moved.add([FLASHER]);
    assert.ok(!moved.has('config/device'));
    assert.deepEqual(
      publications()
        .leftovers()
        .map(({ broker, groups }) => [broker, groups]),
      [[WIRING.broker, [DEVICE]]],
    );
    assert.ok(!publications().hasNodeAt(WIRING.broker));
  });

  it('is asked of the disk after a restart, of nodes that are not there any more', async () => {
    await ownPlace('ha').add([DEVICE]);
    const other = await mkdtemp(join(tmpdir(), 'sonota-publications-'));
    try {
      await writeFile(join(other, 'ha.published.json'), readFileSync(join(folder, 'ha.published.json')));
      await writeFile(join(other, 'broken.published.json'), '{');
      // The node's memory of its devices lies there, too.
      await writeFile(join(other, 'ha.json'), '{');
      const [leftover] = Publications.in(other, (text) => warnings.push(text)).leftovers();
      assert.deepEqual(leftover?.groups, [DEVICE]);
      assert.equal(warnings.length, 1);
      assert.ok(existsSync(join(other, 'broken.published.json.broken')));
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  it('has the same instance after a restart also where nothing can be kept', () => {
    const instance = new NodePublications(undefined, 'ha', () => undefined).instance;
    assert.equal(new NodePublications(undefined, 'ha', () => undefined).instance, instance);
    assert.notEqual(new NodePublications(undefined, 'other', () => undefined).instance, instance);
  });
});
