import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { makeFinalImage } from '../../lib/image';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { EVERY_NODE, idOf } from './every-node';
import { useEditor } from './suite';
import { wording } from '../../lib/wordings/wording';

/** Leaves a trace where it is taken for HTML. */
const HTML = `<img src="x:" onerror="document.title='ran'"><b>bold</b>`;
const DEVICE = '1000a1b2c3';
const FINAL = makeFinalImage({ seed: 31 });

describe('editor: texts from outside are shown as text', () => {
  const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0 };
  const flow = EVERY_NODE.map((node) => ({ ...node }));
  const z = flow.find(({ type }) => type === 'tab')?.id;
  const waiting = { host: idOf('sonota-host'), name: '', every: false, timeout: '20', force: false, x: 330, y: 420 };
  flow.push(
    { id: 'html-cloud', type: 'sonota-cloud-emulator', z, ...waiting, wires: [[], []] },
    {
      id: 'html-ask',
      type: 'inject',
      z,
      name: '',
      props: [{ p: 'deviceid', v: DEVICE, vt: 'str' }],
      x: 120,
      y: 480,
      wires: [['html-cloud']],
    },
  );
  const suite = useEditor(flow);
  const http = useHttpServers();
  let device: VirtualSonoff | undefined;

  before(async () => {
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    const host = flow.find(({ type }) => type === 'sonota-host');
    Object.assign(host ?? {}, { bind: '127.0.0.1', address: '127.0.0.1', name: HTML }, ports);
    await suite.red.deploy(flow);
    const store = new FirmwareStore(join(suite.red.userDir, 'sonota', 'firmware'));
    await store.keep(FINAL, HTML, wording('image-final'));
    await suite.editor.page.reload();
    await suite.editor.page.locator('#red-ui-workspace').waitFor();
  });
  after(() => device?.stop());

  afterEach(() => assertText());

  it('of a device, in the sidebar', async () => {
    await suite.editor.invoke('sonota:show-flashing-tab');
    const board = suite.editor.page.getByRole('region', { name: 'Sonoff flashing' });
    await suite.red.inject('html-ask');
    device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: 0,
      deviceid: DEVICE,
      model: HTML,
      speed: 100,
      legacyPort: ports.legacyPort,
      provisioned: { serverName: '127.0.0.1', port: ports.httpsPort },
    });
    await device.start();
    await board.locator('.sonota-card', { hasText: '<b>bold</b>' }).first().waitFor();
  });

  it('of a server, of the store and of a failure, in the form of a firmware', async () => {
    const { editor } = suite;
    await editor.openForm(idOf('sonota-ota-serve'));
    const form = await editor.openConfigForm('firmware');
    await form.locator('#sonota-store .sonota-stored', { hasText: '<b>bold</b>' }).waitFor();
    const base = await http.serve((_request, response) => {
      response.writeHead(500, HTML.replaceAll('"', ''));
      response.end(HTML);
    });
    const examination = form.locator('#sonota-examination-final');
    await editor.enter(form.locator('#node-config-input-final'), `${base}/final.bin`);
    await examination.locator('.sonota-fetch').click();
    await examination.getByText('<b>bold</b>').first().waitFor();
    const dio = Buffer.from(FINAL);
    dio[2] = 2;
    await writeFile(join(suite.red.userDir, 'dio.bin'), dio);
    await editor.enter(form.locator('#node-config-input-final'), join(suite.red.userDir, 'dio.bin'));
    // Whatever the runtime answers: a server behind it may have written that.
    const refusal = { status: 502, contentType: 'application/json', body: JSON.stringify({ message: HTML }) };
    await editor.page.route('**/sonota/firmware/mend', (route) => route.fulfill(refusal));
    await examination.locator('.sonota-mend').click();
    await editor.page.locator('.red-ui-notification', { hasText: '<b>bold</b>' }).waitFor();
    await assertText();
    await editor.cancelConfigForm();
    await editor.cancelForm();
    // The refusal was made here.
    editor.complaints.length = 0;
  });

  async function assertText(): Promise<void> {
    const { page } = suite.editor;
    assert.equal(await page.locator('img[src="x:"]').count(), 0, 'HTML became an element');
    assert.notEqual(await page.title(), 'ran', 'HTML ran');
  }
});
