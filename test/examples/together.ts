import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import type { CommsClient } from '../shared/comms';
import { exampleNumbers, exampleOf } from '../shared/examples';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';

const LIMIT_MS = 60_000;
const { SONOTA_DASHBOARD: dashboard, SONOTA_HOME_ASSISTANT_PALETTE: homeAssistant } = process.env;
const PORT_TROUBLE = /port-in-use|port-of-other-host/;
/** The ports of a host, and of a virtual device, whose form is empty. */
const DEFAULTS: Readonly<Record<string, Record<string, string>>> = {
  'sonota-host': { httpsPort: '8443', legacyPort: '8081', httpPort: '8080', finalStagePort: '8080' },
  'sonota-virtual-device': { apPort: '10080' },
};
const PORT = /^(https|legacy|http|finalStage|ap|newAp)Port$/;

describe('the examples, all of them in one Node-RED', () => {
  let folder: string;
  let red: RunningNodeRed;
  let comms: CommsClient;
  /** As a person has imported them, with nothing filled in. */
  let imported: Flow;
  const ownPorts = new Map<string, Promise<number>>();

  /** A port of this machine in place of one of the examples', the same one wherever the examples name the same. */
  function ownPort(port: string): Promise<number> {
    const own = ownPorts.get(port) ?? freePort();
    ownPorts.set(port, own);
    return own;
  }

  /** A node of an example, at ports that no other program has. */
  async function withOwnPorts(node: Flow[number]): Promise<Flow[number]> {
    const moved: Flow[number] = { ...node };
    for (const [key, value] of Object.entries({ ...DEFAULTS[node.type], ...withoutEmpty(node) })) {
      if (PORT.test(key)) moved[key] = String(await ownPort(String(value)));
      if (key !== 'url' || !node.type.startsWith('sonota-')) continue;
      const url = new URL(String(value));
      url.port = String(await ownPort(url.port));
      moved[key] = url.origin;
    }
    return moved;
  }

  before(async function () {
    this.timeout(3 * LIMIT_MS);
    if (dashboard === undefined || homeAssistant === undefined) {
      console.log('    Skipped: npm run test:examples installs the palettes that examples 31 and 35 need.');
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'sonota-together-'));
    imported = await Promise.all(exampleNumbers().flatMap((number) => exampleOf(number).map(withOwnPorts)));
    // Nothing answers there, so that example 31 connects to nothing.
    const server = { host: `http://127.0.0.1:${await freePort()}`, access_token: 'none' };
    const credentials = imported.filter(({ type }) => type === 'server').map(({ id }) => [id, server] as const);
    red = await startNodeRed({
      flow: imported,
      credentials: Object.fromEntries(credentials),
      palettes: [dashboard, homeAssistant],
    });
    comms = await red.comms();
  });

  after(async () => {
    comms?.close();
    await red?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Resolves when the flows run again, which is after the answer to the deploy. */
  async function deployed(flow: Flow, type: 'full' | 'nodes'): Promise<void> {
    const from = red.log.length;
    await red.deploy(flow, type);
    await red.logged(/Started (flows|modified nodes)/, LIMIT_MS, from);
  }

  /** No two hosts conflict, and no error is reported. */
  function assertAtPeace(): void {
    assert.deepEqual(
      comms.statuses.filter(({ status }) => PORT_TROUBLE.test(status.text ?? '')),
      [],
    );
    assert.deepEqual(
      red.log.filter(
        (line) => /\[error\]/.test(line) || PORT_TROUBLE.test(line) || /port .* (held|opened)/i.test(line),
      ),
      [],
    );
  }

  function nodeOf(number: string, wanted: { name?: string; type?: string }): Flow[number] {
    const found = exampleOf(number).find((node) => Object.entries(wanted).every(([key, value]) => node[key] === value));
    assert.ok(found, `${number} has no ${JSON.stringify(wanted)}`);
    return found;
  }

  it('are deployed, and no host stands in the way of another', async () => {
    await deployed(imported, 'full');
    // The one that answers all dialling devices needs its ports immediately, and so does the one of the dashboard.
    await red.logged(new RegExp(`listening on 0\\.0\\.0\\.0: ${await ownPort('8443')} `), LIMIT_MS);
    await red.logged(new RegExp(`listening on 127\\.0\\.0\\.1: ${await ownPort('18443')} `), LIMIT_MS);
    assertAtPeace();
  });

  it('01 rehearses to its end among all the others', async () => {
    const { id } = nodeOf('01', { name: 'flashed' });
    const { id: wrong } = nodeOf('01', { name: 'what went wrong' });
    await red.inject(nodeOf('01', { name: 'Start the rehearsal' }).id);
    const late = AbortSignal.timeout(LIMIT_MS);
    const told = (): string | undefined => {
      assert.deepEqual(
        comms.debugs.filter((one) => one.id === wrong),
        [],
      );
      return comms.debugs.filter((one) => one.id === id).map(({ msg }) => String(msg))[0];
    };
    while (told() === undefined) await once(comms, 'debug', { signal: late });
    assert.match(String(told()), /"stage": ?"done"/);
    assertAtPeace();
  });

  it('09 waits for its access point then, once its Wi-Fi and its firmware are filled in', async () => {
    const images = {
      user1: makeUserImage({ slot: 1, size: 16_384 }),
      user2: makeUserImage({ slot: 2, size: 16_384 }),
      final: makeFinalImage({ size: 16_384 }),
    };
    const paths: Record<string, string> = {};
    for (const [role, bytes] of Object.entries(images)) {
      paths[role] = join(folder, `${role}.bin`);
      await writeFile(paths[role], bytes);
    }
    const filledIn: Record<string, object> = {
      [nodeOf('09', { type: 'sonota-host' }).id]: {
        ssid: 'home',
        address: '127.0.0.1',
        credentials: { password: 'top secret' },
      },
      [nodeOf('09', { type: 'sonota-firmware' }).id]: paths,
      // Where no device answers, rather than at an address that this machine's network may have.
      [nodeOf('09', { type: 'sonota-provision' }).id]: { url: `http://127.0.0.1:${await freePort()}` },
    };
    await deployed(
      imported.map((node) => ({ ...node, ...filledIn[node.id] })),
      'nodes',
    );
    await red.inject(nodeOf('09', { name: 'Flash one Sonoff' }).id);
    const provision = nodeOf('09', { type: 'sonota-provision' }).id;
    await comms.status(
      (id, { fill, text }) => id === provision && fill === 'yellow' && /ITEAD/.test(text ?? ''),
      LIMIT_MS,
    );
    assertAtPeace();
  });
});

function withoutEmpty(node: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== ''));
}
