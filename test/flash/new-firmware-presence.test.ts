import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Job } from '../../lib/flash/job/job';
import { isOwnFirmware, NewFirmwarePresence, placesOf } from '../../lib/flash/stage/new-firmware-presence';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';

const AP = { url: 'http://192.168.4.1', isAccessPoint: true };
const MAC = '5C:CF:7F:00:11:22';

describe('flash/stage/new-firmware-presence', () => {
  const servers = useHttpServers();

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
    const stranger = await seen(url, { mac: MAC });
    assert.deepEqual([stranger.found, stranger.sighting?.result], [undefined, 'stranger']);
    const refused = await seen(url, { mayBeOurs: () => false });
    assert.deepEqual([refused.found, refused.sighting?.result], [undefined, 'stranger']);
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
