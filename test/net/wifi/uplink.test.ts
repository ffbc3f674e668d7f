import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { whyUplink } from '../../../lib/net/wifi/uplink';

/** The loopback is the one interface whose name and address every Linux has. */
const LOOPBACK = process.platform === 'linux' ? 'lo' : undefined;
const elsewhere = async (): Promise<string> => '192.0.2.9';

describe('net/wifi/uplink', () => {
  before(function () {
    if (LOOPBACK) return;
    console.log('    skipped: Wi-Fi is joined by itself on Linux alone');
    this.skip();
  });

  it('refuses the interface of the default route, and no other', async () => {
    assert.match((await whyUplink('lo', { routed: async () => '127.0.0.1' }))?.text ?? '', /default route/);
    assert.equal(await whyUplink('wlan0', { routed: async () => '127.0.0.1' }), undefined);
  });

  for (const address of ['127.0.0.1', '::1']) {
    it(`refuses the interface over which the editor is open (${address})`, async function () {
      const server = createServer().listen(0, address);
      const isThere = await once(server, 'listening').then(
        () => true,
        () => false,
      );
      if (!isThere) {
        console.log(`    skipped: this machine has no ${address}`);
        return this.skip();
      }
      const { port: editorPort } = server.address() as AddressInfo;
      assert.equal(await whyUplink('lo', { editorPort, routed: elsewhere }), undefined);
      const session = connect(editorPort, address);
      await Promise.all([once(session, 'connect'), once(server, 'connection')]);
      try {
        assert.match((await whyUplink('lo', { editorPort, routed: elsewhere }))?.text ?? '', /editor is open/);
        assert.equal(await whyUplink('wlan0', { editorPort, routed: elsewhere }), undefined);
      } finally {
        session.destroy();
        server.close();
      }
    });
  }
});
