import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { keptJobs } from '../shared/stored-jobs';
import { booted, TASMOTA } from '../virtual/booted';
import { closeAll } from '../virtual/lab';

/** A loaded machine takes its time. */
const LIMIT_MS = 60_000;
const HOME = { ssid: 'home', password: 'wifi secret' };
/** What the messages bring. */
const SECRET = 'message secret';

describe('survive: Node-RED is killed while Tasmotas are set up', () => {
  let red: RunningNodeRed;
  afterEach(async () => {
    await closeAll();
    await red.stop();
  });

  it('continues with each message when it is started again; no file of ours holds a password', async () => {
    const [apPort, homePort] = [await freePort(), await freePort()];
    red = await startNodeRed({ flow: flowOf(apPort, homePort), credentials: { host: { password: HOME.password } } });
    const before = await red.comms();
    await red.inject('start', { mine: 'first', password: SECRET });
    await red.inject('start', { mine: 'second', mqtt: { password: SECRET }, token: SECRET });
    await before.status((id, { text = '' }) => id === 'setup' && text.endsWith('(+1)'), LIMIT_MS);
    const folder = join(red.userDir, 'sonota');
    while (keptJobs(folder)?.tickets.length !== 2) await new Promise(setImmediate);
    await red.kill();
    before.close();
    for (const text of await textsIn(folder)) {
      for (const secret of [HOME.password, SECRET]) assert.ok(!text.includes(secret), text);
    }

    const newFirmware = { apAddress: '127.0.0.1', apPort, homePort };
    const device = await booted(TASMOTA, { speed: 50, homeNetwork: HOME, newFirmware });
    red = await startNodeRed({ goesOn: red });
    const after = await red.comms();
    const results = (): unknown[] => after.debugs.filter(({ id }) => id === 'result').map(({ msg }) => msg);
    while (results().length < 2) await new Promise((resolve) => after.once('debug', resolve));
    assert.deepEqual(results(), ['first', 'second'], device.log.join('\n'));
    while (keptJobs(folder)?.tickets.length !== 0) await new Promise(setImmediate);
    after.close();
  });
});

async function textsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
}

/** The second message finds the device at home, as the first one has left it. */
function flowOf(apPort: number, homePort: number): Flow {
  const [url, address] = [apPort, homePort].map((port) => `http://127.0.0.1:${port}`);
  const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
  const setup = { type: 'sonota-tasmota-setup', host: 'host', url, address, timeout: '60' };
  return [
    { id: 'tab', type: 'tab', label: 'survive' },
    { id: 'host', type: 'sonota-host', bind: '127.0.0.1', address: '127.0.0.1', ssid: HOME.ssid, ...ports },
    { id: 'start', z: 'tab', type: 'inject', name: '', props: [], wires: [['setup']] },
    { id: 'setup', z: 'tab', name: '', ...setup, wires: [['result'], []] },
    { id: 'result', z: 'tab', type: 'debug', name: '', active: true, tosidebar: true, complete: 'mine', wires: [] },
  ];
}
