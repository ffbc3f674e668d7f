import assert from 'node:assert/strict';
import { once } from 'node:events';
import helper from 'node-red-node-test-helper';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { makeFinalImage } from '../../lib/image';
import type { NextStep } from '../../lib/flash/next-step/next-steps';
import type { HostNode } from '../../nodes/shared/hosts';
import { FIRMWARE, HOME } from '../flash/bench';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { booted, pageOf, TASMOTA } from '../virtual/booted';
import { closeAll } from '../virtual/lab';
import { useAdminServer } from './admin-server';
import { Bed, freePorts } from './bed';

const ID = '1000a1b2c3';

describe('nodes: the step behind a flash, started in the sidebar', () => {
  let bed: Bed;

  useAdminServer();
  afterEach(async () => {
    await bed.unload();
    await closeAll();
  });

  /** @param node of the node that flashes, which looks for the new firmware at the end */
  async function flowOf(host: object, node: object = {}): Promise<Flow> {
    const at = { z: 'tab', x: 100, y: 100 };
    return [
      { id: 'tab', type: 'tab', label: 'next step' },
      {
        ...{ id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', wifi: 'manual' },
        ...{ ...(await freePorts()), ...host },
      },
      { id: 'flash', type: 'sonota-flash', ...at, host: 'host', ...node, wires: [['out'], []] },
      { id: 'out', type: 'sink', ...at, wires: [] },
    ];
  }

  const flashHost = (): FlashHost => (bed.node('host') as HostNode).flashHost;

  /** A flash that ended with a Tasmota, or failed with it. */
  async function flashed(isDone = true): Promise<Job> {
    const job = flashHost().jobs.jobFor('finalstage', ID);
    const { library } = flashHost();
    const signal = new AbortController().signal;
    job.firmware = await loadFirmware(
      { ...FIRMWARE, final: makeFinalImage({ text: 'Theo Arends' }) },
      { library, signal, limitMs: 600_000 },
    );
    job.enter('finalstage');
    if (isDone) job.leave('finalstage');
    else job.fail('finalstage-timeout');
    return job;
  }

  const ask = (method: 'post' | 'delete', path: string) => helper.request()[method](`/sonota/host/host/jobs/${path}`);

  async function ended(job: Job): Promise<NextStep> {
    const { nextSteps } = flashHost();
    for (;;) {
      const step = nextSteps.of(job.id);
      if (step && step.state !== 'running') return step;
      await once(nextSteps, 'changed');
    }
  }

  it('gives the new firmware the Wi-Fi of the node that has flashed it, where its form can be read', async () => {
    const port = await freePort();
    const newFirmware = { apAddress: '127.0.0.1', apPort: port, homePort: port };
    const device = await booted(TASMOTA, { speed: 50, homeNetwork: HOME, newFirmware });
    const newFirmwareUrl = await pageOf(device, 'ap');
    const credentials = { flash: { password: HOME.password } };
    const flow = await flowOf({ ssid: 'not this one' }, { ssid: HOME.ssid, newFirmwareUrl });
    bed = await Bed.load(flow, credentials);
    bed.credentials = credentials;
    const job = await flashed();
    bed.send('flash', { deviceid: ID, stage: 'newfirmware' });
    await bed.at('out');
    await bed.deploy(flow.map((node) => (node.id === 'flash' ? { ...node, timeout: 'soon' } : node)));
    const { body } = await ask('post', `${job.id}/next-step`).expect(422);
    assert.equal((body as { code: string }).code, 'value-invalid');
    await bed.deploy(flow);
    await ask('post', `${job.id}/next-step`).expect(204);
    const { state, url } = await ended(job);
    assert.deepEqual([state, url], ['done', newFirmwareUrl]);
    assert.equal(device.state, 'new-at-home');
  });

  it('takes the Wi-Fi of the host where no node is known that has flashed it', async () => {
    for (const [host, missing] of [
      [{ ssid: 'home' }, 'wifi-password'],
      [{ ssid: '' }, 'wifi-name'],
    ] as const) {
      bed = await Bed.load(await flowOf(host));
      const job = await flashed();
      await ask('post', `${job.id}/next-step`).expect(204);
      const { state, error } = await ended(job);
      const what = error?.values['what'] as { code: string } | undefined;
      assert.deepEqual([state, error?.code, what?.code], ['failed', 'wifi-credentials-missing', missing]);
      await bed.unload();
    }
    bed = await Bed.load(await flowOf({ httpsPort: 'https' }));
    const { body } = await ask('post', `${(await flashed()).id}/next-step`).expect(422);
    const { code, message } = body as { code: string; message: string };
    assert.deepEqual([code, /httpsPort/.test(message)], ['value-invalid', true]);
  });

  it('takes the Wi-Fi of the host where the node that has flashed it is one of a single step', async () => {
    const port = await freePort();
    const newFirmware = { apAddress: '127.0.0.1', apPort: port, homePort: port };
    const url = await pageOf(await booted(TASMOTA, { speed: 50, homeNetwork: HOME, newFirmware }), 'ap');
    bed = await Bed.load(await flowOf({ ssid: 'home' }, { type: 'sonota-new-firmware', name: '', url, timeout: '' }));
    const job = await flashed();
    bed.send('flash', { deviceid: ID });
    assert.equal((await bed.at('out'))['deviceid'], ID);
    assert.equal(flashHost().runs.nodeOf(job.id), 'flash');
    await ask('post', `${job.id}/next-step`).expect(204);
    const { error } = await ended(job);
    assert.equal((error?.values['what'] as { code: string } | undefined)?.code, 'wifi-password', error?.message);
  });

  it('is none where the flash has failed, though its firmware would take one', async () => {
    bed = await Bed.load(await flowOf({ ssid: 'home' }));
    const { body } = await ask('post', `${(await flashed(false)).id}/next-step`).expect(409);
    assert.equal((body as { code: string }).code, 'not-possible');
  });

  it('is ended by a person, and with its job', async () => {
    bed = await Bed.load(await flowOf({}));
    const { nextSteps } = flashHost();
    const job = await flashed();
    const signals: AbortSignal[] = [];
    const begin = (): void =>
      nextSteps.start(job.id, ({ signal }) => {
        signals.push(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      });
    begin();
    await ask('post', `${job.id}/cancel`).expect(204);
    const again = await ask('post', `${job.id}/cancel`).expect(409);
    assert.match((again.body as { message: string }).message, /no stage of this flash is running/i);
    begin();
    await ask('delete', job.id).expect(204);
    assert.deepEqual([signals.map(({ aborted }) => aborted), nextSteps.of(job.id)], [[true, true], undefined]);
  });
});
