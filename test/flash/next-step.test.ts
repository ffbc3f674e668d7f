import assert from 'node:assert/strict';
import { once } from 'node:events';
import { giveWifi, type Givable, type WifiToGive } from '../../lib/flash/next-step/give-wifi';
import type { NextStep } from '../../lib/flash/next-step/next-steps';
import type { Job } from '../../lib/flash/job/job';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { useHttpServers } from '../shared/http-server';
import { freePort } from '../shared/ports';
import { booted, imageWith, pageOf, TASMOTA } from '../virtual/booted';
import { closeAll } from '../virtual/lab';
import { closeBenches, HOME, openBench, type Bench } from './bench';

describe('flash/next-step', () => {
  const http = useHttpServers();
  let opened: Bench;
  const bench = (): Bench => opened;
  beforeEach(async () => {
    opened = await openBench();
  });
  afterEach(closeAll);
  afterEach(closeBenches);

  /** New firmware in its access point, which is at home at the same address of this machine later. */
  async function flashed(image: Buffer): Promise<{ device: VirtualSonoff; wifi: WifiToGive }> {
    const port = await freePort();
    const newFirmware = { apAddress: '127.0.0.1', apPort: port, homePort: port };
    const device = await booted(image, { speed: 50, homeNetwork: HOME, newFirmware });
    return { device, wifi: { ...HOME, apUrl: await pageOf(device, 'ap') } };
  }

  function begin(project: Givable, wifi: WifiToGive, mac?: string): Job {
    const { host } = bench();
    const job = host.jobs.jobFor('upgrade', '1000a1b2c3');
    if (mac !== undefined) job.learn({ mac });
    host.nextSteps.start(job.id, (context) => giveWifi(host, job, project, wifi, context));
    return job;
  }

  async function until(job: Job, wanted: (step: NextStep) => boolean): Promise<NextStep> {
    const { nextSteps } = bench().host;
    for (;;) {
      const step = nextSteps.of(job.id);
      if (step && wanted(step)) return step;
      await once(nextSteps, 'changed');
    }
  }

  it('gives a Tasmota the home Wi-Fi, and says where its page is then', async () => {
    const { device, wifi } = await flashed(TASMOTA);
    const job = begin('tasmota', wifi);
    const { state, url } = await until(job, (step) => step.state !== 'running');
    assert.deepEqual([state, url], ['done', wifi.apUrl]);
    assert.equal(device.state, 'new-at-home');
  });

  it('gives an ESPHome the home Wi-Fi in its captive portal', async () => {
    const { device, wifi } = await flashed(imageWith('_esphomelib'));
    const job = begin('esphome', wifi);
    const { state, url, error } = await until(job, (step) => step.state !== 'running');
    assert.deepEqual([state, url, error], ['done', undefined, undefined]);
    while (device.state !== 'new-at-home') await once(device, 'state');
  });

  it('leaves the portal of another device alone, and ends when it is cancelled', async () => {
    const asked: string[] = [];
    let isAskedTwice = (): void => undefined;
    const askedTwice = new Promise<void>((resolve) => (isAskedTwice = resolve));
    const apUrl = await http.serve((request, response) => {
      response.end('{"mac":"5C:CF:7F:00:00:01","name":"sonoff","aps":[{}]}');
      if (asked.push(request.url ?? '') === 2) isAskedTwice();
    });
    const job = begin('esphome', { ...HOME, apUrl }, '5C:CF:7F:00:00:00');
    const { lastReport } = await until(job, (step) => step.lastReport !== undefined);
    assert.equal(lastReport?.name, 'wait-for-portal');
    await askedTwice;
    assert.equal(bench().host.nextSteps.cancel(job.id), true);
    assert.equal(bench().host.nextSteps.of(job.id), undefined);
    assert.deepEqual([...new Set(asked)], ['/config.json']);
  });

  it('says what is missing, and can be restarted', async () => {
    const { device, wifi } = await flashed(TASMOTA);
    const job = begin('tasmota', { ssid: HOME.ssid, password: undefined });
    const { error } = await until(job, (step) => step.state === 'failed');
    assert.equal(error?.code, 'wifi-credentials-missing');
    const { host } = bench();
    host.nextSteps.start(job.id, (context) => giveWifi(host, job, 'tasmota', wifi, context));
    await until(job, (step) => step.state === 'done');
    assert.equal(device.state, 'new-at-home');
  });
});
