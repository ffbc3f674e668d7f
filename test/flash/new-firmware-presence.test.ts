import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Job } from '../../lib/flash/job/job';
import { isOwnFirmware, NewFirmwarePresence, placesOf } from '../../lib/flash/stage/new-firmware-presence';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const AP = { url: 'http://192.168.4.1', isAccessPoint: true };
const MAC = '5C:CF:7F:00:11:22';

describe('flash/stage/new-firmware-presence', () => {
  const servers = useHttpServers();
  afterEach(timeGoesOn);

  function placesFor(ip: string | undefined, given?: string): unknown {
    const job = new Job('newfirmware');
    if (ip !== undefined) job.learn({ ip });
    return placesOf(job, given);
  }

  it('looks in the access point, and where the device was at home', () => {
    assert.deepEqual(placesFor(undefined), [AP]);
    assert.deepEqual(placesFor('192.168.1.30'), [AP, { url: 'http://192.168.1.30', isAccessPoint: false }]);
    assert.deepEqual(placesFor('127.0.0.1'), [AP], 'in a rehearsal that tells nothing');
    const home = { url: 'http://192.168.4.30', isAccessPoint: false };
    assert.deepEqual(placesFor('192.168.4.30'), [home], 'a home with the numbers of the access point');
  });

  it('looks at the address that a person has given, and nowhere else', () => {
    const given = { url: 'http://192.168.1.77', isAccessPoint: false };
    assert.deepEqual(placesFor('192.168.1.30', given.url), [given]);
    assert.deepEqual(placesFor(undefined, 'http://192.168.4.9'), [{ url: 'http://192.168.4.9', isAccessPoint: true }]);
  });

  it('takes an answer for the device where that names its MAC, or is known firmware at its own address', () => {
    const at = (isAccessPoint: boolean, kind: 'tasmota' | 'other', isProven: boolean): boolean =>
      isOwnFirmware({ place: { url: 'http://x', isAccessPoint }, kind, isProven });
    assert.deepEqual([at(true, 'other', true), at(false, 'tasmota', false)], [true, true]);
    assert.deepEqual([at(true, 'tasmota', false), at(false, 'other', false)], [false, false]);
  });

  /** The observations of a place that answers so. */
  async function seen(url: string, more: Partial<ConstructorParameters<typeof NewFirmwarePresence>[1]> = {}) {
    const presence = new NewFirmwarePresence([{ url, isAccessPoint: false }], {
      ...{ mac: undefined, ownAddresses: () => [], mayBeOurs: () => true },
      ...more,
    });
    presence.start();
    await once(presence, 'looked');
    presence.stop();
    return { found: presence.found, sighting: presence.sightings[0] };
  }

  const tasmota = (mac: string): Promise<string> =>
    servers.serve((request, response) => {
      if (request.url === '/') response.end("<title>Tasmota</title><a href='/'>Tasmota 14.1.0 by Theo Arends</a>");
      else response.end(JSON.stringify({ StatusNET: { Mac: mac } }));
    });

  it('reports what it is, its version, and whose where it says that', async () => {
    const url = await tasmota(MAC);
    const own = await seen(url, { mac: MAC.toLowerCase(), mayBeOurs: ({ isProven }) => isProven });
    assert.deepEqual(own.sighting, { url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof: 'mac' });
    assert.deepEqual([own.found?.url, own.found?.mac, own.found?.kind], [url, MAC, 'tasmota']);
    const page = await servers.serve((_, response) => response.end('<title>my page</title>'));
    const other = await seen(page);
    assert.deepEqual(other.sighting, { url: page, result: 'page', firmware: 'other', proof: 'place' });
    assert.equal('mac' in (other.found ?? {}), false);
  });

  it('takes no device of another MAC, whatever speaks for it, and none that is not taken', async () => {
    const url = await tasmota('5C:CF:7F:FF:FF:FF');
    const other = { url, result: 'stranger', firmware: 'tasmota', version: '14.1.0' };
    assert.deepEqual(await seen(url, { mac: MAC }), { found: undefined, sighting: other });
    assert.deepEqual(await seen(url, { mayBeOurs: () => false }), { found: undefined, sighting: other });
  });

  it('knows the device by the MAC address that the network has shown, which rules nothing out', async () => {
    const url = await tasmota(MAC);
    for (const [linkMac, proof] of [
      [MAC.toLowerCase(), 'mac'],
      ['5C:CF:7F:00:00:01', 'place'],
    ] as const) {
      const { found, sighting } = await seen(url, { linkMac });
      assert.deepEqual(sighting, { url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof });
      assert.equal(found?.mac, MAC);
    }
  });

  it('takes a page that names no MAC address for the device where it was looked for', async () => {
    const url = await servers.serve(({ url: path }, response) =>
      response.end(path === '/' ? 'Tasmota 14.1.0 by Theo Arends' : 'Unauthorized'),
    );
    const { found, sighting } = await seen(url, { mac: MAC });
    assert.deepEqual(sighting, { url, result: 'page', firmware: 'tasmota', version: '14.1.0', proof: 'place' });
    assert.deepEqual(found, { kind: 'tasmota', version: '14.1.0', url });
  });

  it('asks in an access point only from inside of its network, by which it knows the page then', async () => {
    let asked = 0;
    const url = await servers.serve((_, response) => {
      asked++;
      response.end('<title>my page</title>');
    });
    const look = async (...own: string[]): Promise<unknown> => {
      const ownAddresses = () => own.map((address) => ({ name: 'wlan0', address }));
      const options = { mac: undefined, ownAddresses, mayBeOurs: () => true };
      const presence = new NewFirmwarePresence([{ url, isAccessPoint: true }], options);
      presence.start();
      await once(presence, 'looked');
      presence.stop();
      return [presence.sightings, presence.addresses.length, presence.found?.title, asked];
    };
    assert.deepEqual(await look('192.0.2.5'), [[{ url, result: 'not-joined' }], 1, undefined, 0]);
    const sighting = { url, result: 'page', firmware: 'other', proof: 'own-network' };
    assert.deepEqual(await look('192.0.2.5', '192.168.4.9'), [[sighting], 2, 'my page', 1]);
  });

  it("knows ESPHome without a page by its own protocol at the device's address", async () => {
    // An address that no other test has: the port is ESPHome's own.
    const address = '127.0.0.177';
    const esphome = createServer((socket) => socket.destroy()).listen(6053, address);
    await once(esphome, 'listening');
    const url = `http://${address}:${await freePort()}`;
    const { found, sighting } = await seen(url, { mac: MAC });
    esphome.close();
    await once(esphome, 'close');
    assert.deepEqual(sighting, { url, result: 'page', firmware: 'esphome', proof: 'place' });
    assert.deepEqual(found, { kind: 'esphome', url });
  });

  it('takes the first place that shows the device, and looks no more', async () => {
    const asked: string[] = [];
    const page = (name: string): Promise<string> =>
      servers.serve((_, response) => {
        asked.push(name);
        response.end(`<title>${name}</title>`);
      });
    const places = [
      { url: await page('router'), isAccessPoint: false },
      { url: await page('first'), isAccessPoint: false },
      { url: await page('second'), isAccessPoint: false },
    ] as const;
    const presence = new NewFirmwarePresence(places, {
      ...{ mac: undefined, ownAddresses: () => [] },
      mayBeOurs: ({ title }) => title !== 'router',
    });
    timeStands(['setTimeout']);
    presence.start();
    await once(presence, 'looked');
    assert.equal(presence.found?.url, places[1].url);
    assert.deepEqual(
      presence.sightings.map(({ url, result }) => [url, result]),
      places.map(({ url }, at) => [url, at === 0 ? 'stranger' : 'page']),
    );
    timePasses(10_000);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    assert.deepEqual(asked.sort(), ['first', 'router', 'second']);
    presence.stop();
  });

  it('gives a place three seconds for its answer, and looks again a second later', async () => {
    const asked = new EventEmitter();
    const url = await servers.serve(() => void asked.emit('asked'));
    const presence = new NewFirmwarePresence([{ url, isAccessPoint: false }], {
      ...{ mac: undefined, ownAddresses: () => [], mayBeOurs: () => true },
    });
    let looks = 0;
    presence.on('looked', () => looks++);
    timeStands(['setTimeout']);
    presence.start();
    await once(asked, 'asked');
    timePasses(2999);
    await nextTurn();
    assert.equal(looks, 0);
    const looked = once(presence, 'looked');
    timePasses(1);
    await looked;
    assert.deepEqual(presence.sightings, [{ url, result: 'silent' }]);
    const again = once(asked, 'asked');
    timePasses(1000);
    await again;
    presence.stop();
  });

  it('takes a Tasmota that does not tell its MAC address within three seconds for the device all the same', async () => {
    const asked = new EventEmitter();
    const url = await servers.serve((request, response) => {
      if (request.url === '/') response.end('Tasmota 14.1.0 by Theo Arends');
      else asked.emit('asked');
    });
    const options = { mac: MAC, ownAddresses: () => [], mayBeOurs: () => true };
    const presence = new NewFirmwarePresence([{ url, isAccessPoint: false }], options);
    timeStands(['setTimeout']);
    presence.start();
    await once(asked, 'asked');
    timePasses(2999);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.equal(presence.found, undefined);
    const looked = once(presence, 'looked');
    timePasses(1);
    await looked;
    presence.stop();
    assert.deepEqual(presence.found, { kind: 'tasmota', version: '14.1.0', url });
  });

  it('reports nothing of a look in whose middle it was stopped, and looks no more', async () => {
    const asked = new EventEmitter();
    let looks = 0;
    const url = await servers.serve(() => void asked.emit('asked', ++looks));
    const options = { mac: undefined, ownAddresses: () => [], mayBeOurs: () => true };
    const presence = new NewFirmwarePresence([{ url, isAccessPoint: false }], options);
    let reports = 0;
    presence.on('looked', () => reports++);
    timeStands(['setTimeout']);
    presence.start();
    await once(asked, 'asked');
    presence.stop();
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    timePasses(10_000);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.deepEqual([reports, looks], [0, 1]);
  });

  it('asks for no protocol of ESPHome where a page does not come', async () => {
    const address = '127.0.0.176';
    const esphome = createServer((socket) => socket.destroy()).listen(6053, address);
    const mute = createServer((socket) => socket.destroy()).listen(0, address);
    await Promise.all([once(esphome, 'listening'), once(mute, 'listening')]);
    const url = `http://${address}:${(mute.address() as AddressInfo).port}`;
    assert.deepEqual(await seen(url), { found: undefined, sighting: { url, result: 'silent' } });
    for (const server of [esphome, mute]) {
      server.close();
      await once(server, 'close');
    }
  });

  it('looks at home also where this machine is in no access point', async () => {
    const url = await tasmota(MAC);
    const places = [AP, { url, isAccessPoint: false }] as const;
    const options = { mac: undefined, ownAddresses: () => [], mayBeOurs: () => true };
    const presence = new NewFirmwarePresence(places, options);
    presence.start();
    await once(presence, 'looked');
    presence.stop();
    assert.equal(presence.found?.url, url);
    const seen = presence.sightings.map(({ url, result }) => [url, result]);
    assert.deepEqual(seen, [
      [AP.url, 'not-joined'],
      [url, 'page'],
    ]);
  });

  it('recognises a refusal', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { found, sighting } = await seen(url);
    // On this very machine ESPHome could listen.
    if (found === undefined) assert.deepEqual(sighting, { url, result: 'refused' });
  });
});
