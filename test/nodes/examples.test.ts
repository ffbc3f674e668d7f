import assert from 'node:assert/strict';
import { freePort } from '../flash/bench';
import { example, plainExamples } from '../shared/examples';
import { startNodeRed, type Flow } from '../shared/node-red';

const COMPLAINT = /\[(error|warn)\]|missing|unknown|unhandled/i;
/** What Node-RED says of the settings that the test gives it. */
const OF_THE_TEST = /Projects disabled|unencrypted credentials/;

/** An example as it is, but on ports that nobody has, so that tests may run beside a real Node-RED. */
async function onFreePorts(name: string): Promise<Flow> {
  const flow = example(name);
  const apPort = String(await freePort());
  const httpPort = String(await freePort());
  const homePort = String(await freePort());
  const newApPort = String(await freePort());
  const hosts = { httpsPort: String(await freePort()), legacyPort: String(await freePort()), httpPort };
  const local = /^http:\/\/127\.0\.0\.1:/;
  return flow.map((node) => ({
    ...node,
    ...(node.type === 'sonota-host' ? { ...hosts, finalStagePort: httpPort, bind: '127.0.0.1' } : {}),
    ...(node.type === 'sonota-virtual-device' ? { apPort, homePort } : {}),
    ...(node['newApPort'] ? { newApPort } : {}),
    ...(local.test(String(node['address'])) ? { address: `http://127.0.0.1:${homePort}` } : {}),
    ...(local.test(String(node['url']))
      ? { url: `http://127.0.0.1:${node.type === 'sonota-tasmota-setup' ? newApPort : apPort}` }
      : {}),
  }));
}

describe('nodes: the examples in a real Node-RED', function () {
  this.timeout(90_000);

  for (const { name } of plainExamples()) {
    it(`${name} starts without an error`, async () => {
      const flow = await onFreePorts(name);
      const red = await startNodeRed({ flow });
      try {
        const hasHost = flow.some(({ type }) => type === 'sonota-host');
        if (hasHost) await red.logged(/listening on 127\.0\.0\.1/, 10_000);
        assert.deepEqual(
          red.log.filter((line) => COMPLAINT.test(line) && !OF_THE_TEST.test(line)),
          [],
        );
      } finally {
        await red.stop();
      }
    });
  }

  for (const name of ['01 - Rehearse with a virtual Sonoff', '12 - Rehearse one hop']) {
    it(`${name.slice(0, 2)} runs to its end`, () => runToEnd(name));
  }

  async function runToEnd(name: string): Promise<void> {
    const flow = await onFreePorts(name);
    const red = await startNodeRed({ flow });
    const comms = await red.comms();
    try {
      const inject = flow.find(({ type }) => type === 'inject');
      await red.inject(String(inject?.id));
      const flashed = flow.find(({ name }) => name === 'flashed');
      const status = await comms.status((id, { text }) => id === flashed?.id && text !== undefined, 80_000);
      assert.equal(status.text, 'done');
      const ended = flow.find(({ name }) => name === 'virtual device ended');
      assert.equal((await comms.status((id, { text }) => id === ended?.id && Boolean(text), 5000)).text, 'flashed');
      const wrong = flow.find(({ name }) => name === 'what went wrong');
      assert.deepEqual(
        comms.debugs.filter(({ id }) => id === wrong?.id),
        [],
      );
    } finally {
      comms.close();
      await red.stop();
    }
  }
});
