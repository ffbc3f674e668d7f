import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { CommsClient } from '../shared/comms';
import { exampleOf } from '../shared/examples';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { Untranslated } from '../shared/untranslated';

const TAB = { z: 'tab', x: 100, y: 100 };
const CHECK = '/sonota/host/host/preflight';

/** What each node is sent: what it refuses, so that every one has something to report. */
const REFUSED: Record<string, Record<string, unknown>> = {
  'sonota-flash': { deviceid: 'no id' },
  'sonota-provision': { deviceid: 'no id' },
  'sonota-cloud-emulator': { force: 'perhaps' },
  'sonota-ota-serve': {},
  'sonota-finalstage-watch': { deviceid: 'no id' },
  'sonota-diy-flash': { firmware: { final: '/nowhere/at/all.bin' } },
  'sonota-new-firmware': { deviceid: 'no id' },
  'sonota-preflight': {},
  'sonota-queue': { count: 'many' },
  'sonota-wifi': { action: 'dance' },
  'sonota-tasmota-setup': { deviceid: 'no id' },
  'sonota-image-doctor': { payload: '/nowhere/at/all.bin' },
};

const TYPES = Object.keys(REFUSED);
/** Of example 01 and of example 12, where a device is flashed to the end. */
const REHEARSALS = { '01': ['98f379211afad857'], '12': ['40cda7c74b3b705e'] };

/** As a host logs that its ports are open. */
const LISTENS: Record<string, RegExp> = { de: /lauscht auf 127\.0\.0\.1/, fr: /écoute sur 127\.0\.0\.1/ };

/** The answer of each language to a check of a host, so that a test notices one language in place of the other. */
const READY: Record<string, RegExp> = { 'en-US': /^(Not r|R)eady/, de: /^(Nicht b|B)ereit/, fr: /^(Pas p|P)rêt/ };

for (const language of ['de', 'fr']) {
  describe(`nodes: all that a Node-RED puts out with lang: '${language}'`, () => {
    let red: RunningNodeRed;
    let comms: CommsClient;
    let english: Untranslated;
    let deployed: Flow;

    before(async () => {
      english = new Untranslated(language);
      deployed = await flow();
      red = await startNodeRed({ flow: deployed, settings: { lang: language } });
      comms = await red.comms();
    });
    after(async () => {
      comms?.close();
      await red?.stop();
    });

    /** The first message that a debug node shows, past ones included. */
    async function debug(id: string): Promise<unknown> {
      for (;;) {
        const found = comms.debugs.find((one) => one.id === id);
        if (found) return found.msg;
        await once(comms, 'debug');
      }
    }

    it('is in that language where a node refuses a message', async () => {
      for (const type of TYPES) {
        await red.inject(`inject-${type}`);
        await debug(`debug-${type}`);
      }
      assertTranslated();
    });

    for (const [number, [flashed = '']] of Object.entries(REHEARSALS)) {
      it(`is in that language through the whole flash of example ${number}`, async () => {
        const inject = exampleOf(number).find(({ type }) => type === 'inject');
        await red.inject(String(inject?.id));
        await debug(flashed);
        assertTranslated();
        assert.ok(red.log.some((line) => LISTENS[language]?.test(line)));
      });
    }

    it('is in the language of the editor where an editor asks, and in its own for any other client', async () => {
      const ask = async (headers?: Record<string, string>): Promise<string> =>
        ((await red.request('POST', CHECK, undefined, headers)) as { text: string }).text;
      assert.match(await ask(), READY[language] ?? /never/);
      for (const [asked, verdict] of Object.entries(READY)) {
        assert.match(await ask({ 'accept-language': asked }), verdict);
      }
      assert.match(await ask({ 'accept-language': 'de-CH,de;q=0.9' }), READY['de'] ?? /never/);
      assert.match(await ask({ 'accept-language': 'ja' }), READY['en-US'] ?? /never/, "the editor's own fallback");
    });

    it('is in the language of the editor for what routes refuse and for images, too', async () => {
      const other = language === 'de' ? 'fr' : 'de';
      const headers = { 'accept-language': other, 'content-type': 'application/json' };
      const foreign = new Untranslated(other);
      const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
        const response = await fetch(`${red.url}/sonota/${path}`, {
          ...{ method, headers },
          ...(body && { body: JSON.stringify(body) }),
        });
        const answer = JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
        assert.deepEqual(foreign.inMessage(answer), [], path);
        return answer;
      };
      const target = { role: 'final', source: 'rehearsal:final' };
      const unreadable = { role: 'final', source: '/nowhere/at/all.bin' };
      const answers = [
        await ask('POST', 'host/host/jobs/none/retry'),
        await ask('POST', 'host/none/queue/pause'),
        await ask('POST', 'host/host/queue/dance'),
        await ask('POST', 'flash/none/press'),
        await ask('GET', 'host/host/jobs/none/evidence'),
        await ask('POST', 'firmware/upload?role=final&name=a.bin', { no: 'image' }),
        await ask('POST', 'firmware/mend', { ...unreadable, mends: [] }),
        await ask('POST', 'firmware/examine', unreadable),
        await ask('POST', 'firmware/fetch', unreadable),
        await ask('POST', 'firmware/examine', target),
        await ask('POST', 'firmware/fetch', target),
      ];
      for (const { message, picture } of answers) assert.ok(typeof (message ?? picture) === 'string');
    });

    /** A debug node shows what a flow lets it. */
    function isOurs({ id }: { id: string }): boolean {
      return deployed.some((node) => node.id === id && node.type.startsWith('sonota-'));
    }

    function assertTranslated(): void {
      const found = [
        ...comms.debugs.flatMap(({ msg }) => english.inMessage(JSON.parse(String(msg)))),
        ...comms.statuses.filter(isOurs).flatMap(({ status }) => english.inStatus(status.text ?? '')),
        ...red.log.flatMap((line) => english.inText(line)),
      ];
      assert.deepEqual([...new Set(found)], []);
    }
  });
}

async function flow(): Promise<Flow> {
  const ports = { httpPort: '0', httpsPort: '0', legacyPort: '0', bind: '127.0.0.1', address: '127.0.0.1' };
  return [
    { id: 'tab', type: 'tab', label: 'refused' },
    { id: 'host', type: 'sonota-host', name: '', wifi: 'manual', ...ports },
    ...TYPES.flatMap((type) => [
      {
        ...{ id: `inject-${type}`, type: 'inject', ...TAB, name: '', once: false, repeat: '', crontab: '' },
        props: Object.entries(REFUSED[type] ?? {}).map(([p, value]) => ({ p, v: JSON.stringify(value), vt: 'json' })),
        wires: [[type]],
      },
      {
        ...{ id: type, type, ...TAB, name: '', host: 'host' },
        wires: [[`debug-${type}`], [`debug-${type}`], [`debug-${type}`]],
      },
      { id: `catch-${type}`, type: 'catch', ...TAB, scope: [type], uncaught: false, wires: [[`debug-${type}`]] },
      whole({ id: `debug-${type}`, type: 'debug', ...TAB, name: type, active: true, console: false, wires: [] }),
    ]),
    ...(await Promise.all(Object.keys(REHEARSALS).map(rehearsal))).flat(),
  ] as Flow;
}

/** An example at ports of its own, whose debug nodes show all of each message. */
async function rehearsal(number: string): Promise<Flow> {
  const apPort = await freePort();
  const httpPort = String(await freePort());
  const url = `http://127.0.0.1:${apPort}`;
  const own: Record<string, Record<string, unknown>> = {
    'sonota-host': { httpsPort: '0', legacyPort: '0', httpPort, finalStagePort: httpPort },
    'sonota-virtual-device': { apPort: String(apPort), homePort: String(await freePort()), speed: '100' },
    ...Object.fromEntries(['provision', 'finalstage-watch', 'new-firmware'].map((name) => [`sonota-${name}`, { url }])),
  };
  return exampleOf(number).map((node) => {
    const filled = { ...node, ...own[node.type] };
    return node.type === 'debug' ? whole(filled) : filled;
  });
}

function whole(node: Flow[number]): Flow[number] {
  return { ...node, complete: 'true', targetType: 'full', tosidebar: true };
}
