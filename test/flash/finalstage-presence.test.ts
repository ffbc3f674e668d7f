import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { localIPv4 } from '../../lib/net/addresses';
import { FinalStagePresence, type PresenceOptions } from '../../lib/flash/stage/finalstage-presence';
import type { OwnAddress } from '../../lib/flash/observation';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const OWN = { name: 'wlan0', address: '192.168.4.2' };

describe('flash/stage/finalstage-presence', () => {
  const servers = useHttpServers();
  let presence: FinalStagePresence | undefined;
  afterEach(() => {
    timeGoesOn();
    presence?.stop();
  });

  /** Looks at the web server of new firmware, in the place of FinalStage's own address. */
  async function watch(options: Partial<PresenceOptions>) {
    const looksBegun = new EventEmitter();
    const asked: string[] = [];
    const url = await servers.serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('<title>Tasmota</title>');
    });
    const ownAddresses = (): OwnAddress[] => {
      looksBegun.emit('look');
      return [OWN];
    };
    const seen = (presence = new FinalStagePresence(url, { ownAddresses, ...options }));
    seen.start();
    return { seen, asked, looksBegun };
  }

  it("asks a device at work for nothing, and takes any answer for FinalStage's", async () => {
    const { seen, asked } = await watch({ mayBeReplaced: () => false });
    await once(seen, 'looked');
    assert.equal(seen.isAnswered, true);
    assert.equal(seen.ownAddress, OWN.address);
    assert.deepEqual(asked, []);
  });

  it('knows what serves a page for new firmware, and its network for that of the new firmware', async () => {
    let isWritten = false;
    const { seen, asked } = await watch({ mayBeReplaced: () => isWritten });
    await once(seen, 'looked');
    isWritten = true;
    await once(seen, 'looked');
    assert.equal(seen.isAnswered, false);
    assert.equal(seen.ownAddress, undefined);
    assert.deepEqual(asked, ['/']);
    await once(seen, 'looked');
    assert.equal(seen.looksSince, 2);
  });

  it("sees nothing while this machine is in another device's network of the same numbers", async () => {
    let isElsewhere = true;
    const { seen, looksBegun } = await watch({ isElsewhere: () => isElsewhere });
    let looks = 0;
    seen.on('looked', () => looks++);
    for (let times = 0; times < 3; times++) await once(looksBegun, 'look');
    assert.equal(looks, 0);
    isElsewhere = false;
    await once(seen, 'looked');
    assert.equal(seen.isAnswered, true);
  });

  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await nextTurn();
  };

  it('looks twice a second', async () => {
    timeStands(['setTimeout']);
    const { seen } = await watch({});
    let looks = 0;
    seen.on('looked', () => looks++);
    await once(seen, 'looked');
    await turns();
    assert.equal(looks, 1);
    timePasses(499);
    await turns();
    assert.equal(looks, 1);
    const looked = once(seen, 'looked');
    timePasses(1);
    await looked;
    seen.stop();
    timePasses(10_000);
    await turns();
    assert.equal(looks, 2, 'it was stopped');
  });

  it('reports nothing of a look in whose middle it was stopped', async () => {
    const { seen, looksBegun } = await watch({});
    let looks = 0;
    seen.on('looked', () => looks++);
    await once(seen, 'looked');
    await once(looksBegun, 'look');
    seen.stop();
    await turns();
    assert.equal(looks, 1);
  });

  describe('at the loopback, where a rehearsal has it', () => {
    /** An address that no other test has, so that a port of everyone's can be taken there. */
    const HERE = '127.0.0.178';

    /** What takes connections there and says nothing; undefined where this process may not listen. */
    async function listening(port: number): Promise<{ server: Server; close(): Promise<void> } | undefined> {
      const server = createServer((socket) => socket.on('error', () => undefined)).listen(port, HERE);
      const isThere = await Promise.race([
        once(server, 'listening').then(() => true),
        once(server, 'error').then(() => false),
      ]);
      if (!isThere) return undefined;
      const sockets = new Set<Socket>();
      server.on('connection', (socket) => sockets.add(socket));
      const close = async (): Promise<void> => {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      };
      return { server, close };
    }

    it('is looked for at port 80 unless another one is given', async function () {
      const web = await listening(80);
      if (web === undefined) return this.skip();
      const seen = (presence = new FinalStagePresence(`http://${HERE}`, { ownAddresses: () => [] }));
      seen.start();
      await once(seen, 'looked');
      assert.equal(seen.isAnswered, true);
      seen.stop();
      await web.close();
    });

    it('is what takes a connection and serves no page within two seconds, although ESPHome is spoken there', async () => {
      const [silent, esphome] = [await listening(0), await listening(6053)];
      assert.ok(silent && esphome);
      const options = { ownAddresses: () => [], mayBeReplaced: () => true };
      const { port } = silent.server.address() as AddressInfo;
      const seen = (presence = new FinalStagePresence(`http://${HERE}:${port}`, options));
      let looks = 0;
      seen.on('looked', () => looks++);
      timeStands(['setTimeout']);
      seen.start();
      // The probe, then the question for a page.
      for (let times = 0; times < 2; times++) await once(silent.server, 'connection');
      timePasses(1999);
      await turns();
      assert.equal(looks, 0);
      const looked = once(seen, 'looked');
      timePasses(1);
      await looked;
      assert.deepEqual([seen.isAnswered, looks], [true, 1]);
      seen.stop();
      await Promise.all([silent.close(), esphome.close()]);
    });
  });

  describe('on a network, where a host that refuses is there all the same', () => {
    /** It leads to this machine, but not by an address of the loopback. */
    const HERE = '0.0.0.0';

    it('is there, at the port of every web server unless another one is given', async () => {
      for (const url of [`http://${HERE}`, `http://${HERE}:${await freePort()}`]) {
        const seen = (presence = new FinalStagePresence(url, { ownAddresses: () => [] }));
        seen.start();
        await once(seen, 'looked');
        assert.deepEqual([seen.isAnswered, seen.looksSince], [true, 0], url);
        seen.stop();
      }
    });

    it('is not there where the protocol of ESPHome is spoken', async function () {
      const own = localIPv4()[0]?.address;
      if (own === undefined) return this.skip();
      const ownAddresses = (): OwnAddress[] => [{ name: 'wlan0', address: own }];
      const url = `http://${own}:${await freePort()}`;
      const seen = (presence = new FinalStagePresence(url, { ownAddresses, mayBeReplaced: () => true }));
      seen.start();
      await once(seen, 'looked');
      assert.deepEqual([seen.isAnswered, seen.ownAddress], [true, own]);
      const esphome = createServer((socket) => socket.destroy()).listen(6053, own);
      await once(esphome, 'listening');
      try {
        while (seen.isAnswered) await once(seen, 'looked');
        assert.deepEqual([seen.isAnswered, seen.ownAddress], [false, undefined]);
      } finally {
        seen.stop();
        esphome.close();
        await once(esphome, 'close');
      }
    });
  });

  describe('where nothing answers', () => {
    /** Looks at a port at which nothing listens. */
    async function silent(own: readonly string[], options: Partial<PresenceOptions> = {}): Promise<FinalStagePresence> {
      const ownAddresses = (): OwnAddress[] => own.map((address) => ({ name: 'wlan0', address }));
      presence = new FinalStagePresence(`http://127.0.0.1:${await freePort()}`, { ownAddresses, ...options });
      presence.start();
      await once(presence, 'looked');
      return presence;
    }

    it('is there as long as this machine has an address in its network', async () => {
      const seen = await silent(['192.0.2.7', '192.168.4.9']);
      assert.deepEqual([seen.isAnswered, seen.ownAddress, seen.looksSince], [false, '192.168.4.9', 0]);
      assert.equal(seen.wrongAddress, '192.168.4.9');
      assert.deepEqual(
        seen.addresses.map(({ address }) => address),
        ['192.0.2.7', '192.168.4.9'],
      );
      await once(seen, 'looked');
      assert.equal(seen.looksSince, 0);
    });

    it('concludes nothing from an address that stays until this machine leaves on its own', async () => {
      const seen = await silent(['192.168.4.2'], { isJoinedByItself: () => true });
      const { lastThere } = seen;
      assert.deepEqual([seen.ownAddress, seen.looksSince, seen.wrongAddress], ['192.168.4.2', 1, undefined]);
      await once(seen, 'looked');
      assert.deepEqual([seen.looksSince, seen.lastThere], [2, lastThere]);
      const now = lastThere + 60_000;
      timeStands(['Date'], now);
      seen.touch();
      assert.deepEqual([seen.looksSince, seen.lastThere], [0, now]);
    });

    it('knows the address that it dials among several', async () => {
      const seen = await silent(['192.168.4.9', '192.168.4.2']);
      assert.deepEqual([seen.ownAddress, seen.wrongAddress], ['192.168.4.2', undefined]);
    });

    it('is not there where this machine is in no such network', async () => {
      const seen = await silent(['192.168.5.2', '10.0.0.1']);
      assert.deepEqual([seen.ownAddress, seen.wrongAddress, seen.looksSince], [undefined, undefined, 1]);
    });
  });
});
