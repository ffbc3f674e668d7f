import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { freePort } from '../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { LOOK_PAUSE_MS } from '../../lib/flash/stage/provision/provision';
import { bundleOf } from '../../lib/flash/job/evidence-bundle';
import { explained } from '../../lib/errors';
import { ONE_HOP } from '../../lib/flash/routes';
import type { NewObservation, Observation } from '../../lib/flash/observation';
import type { FailureVerdict } from '../../lib/flash/verdict/verdict';
import { wording } from '../../lib/wordings/wording';
import { closeBenches, HOME, openBench, type Begun } from './bench';
import { assertCode } from './refusals';

describe('flash/stage/provision', () => {
  afterEach(closeBenches);

  it('waits for an access point that is not there yet', async () => {
    const bench = await openBench();
    const apPort = await freePort();
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
    const waiting = await stage.recorder.reported(({ state }) => state === 'waiting');
    assert.match(waiting.text, /Hold the button/);
    const device = await bench.factoryDevice({ apPort });
    await device.start();
    const { found } = await stage.outcome;
    assert.deepEqual(found, {
      deviceid: device.deviceid,
      answer: 'accepted',
      serverName: '127.0.0.1',
      port: bench.host.ports.https,
      warnings: [],
    });
  });

  it('leaves an access point that answers strangely in peace for half a second', async () => {
    const bench = await openBench();
    let looks = 0;
    const server = createServer((_, response) => {
      looks += 1;
      response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    timeStands();
    try {
      const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}` });
      await once(server, 'request');
      for (let turn = 0; turn < 300; turn++) await nextTurn();
      assert.equal(looks, 1);
      timePasses(LOOK_PAUSE_MS);
      await once(server, 'request');
      await stage.over();
      await assertCode(stage.outcome, 'ap-stranger');
    } finally {
      timeGoesOn();
      server.close();
      server.closeAllConnections();
    }
  });

  it('stops looking for the access point of a device that dials here already', async () => {
    const bench = await openBench();
    const device = await bench.device();
    await device.start();
    await bench.begin('cloud', { deviceid: device.deviceid }).outcome;
    const url = `http://127.0.0.1:${await freePort()}`;
    const { found } = await bench.begin('provision', { ...HOME, url, deviceid: device.deviceid }).outcome;
    assert.deepEqual([found['deviceid'], found['answer']], [device.deviceid, 'dialled-in']);
  });

  it('ends at its time limit with ap-unreachable', async () => {
    const bench = await openBench();
    const url = `http://127.0.0.1:${await freePort()}`;
    await assertCode(bench.begin('provision', { ...HOME, url, timeoutSeconds: 0.3 }).outcome, 'ap-unreachable');
  });

  it('hides the Wi-Fi that it gives to the device from everything that is seen afterwards', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice();
    const { apPort } = await device.start();
    const wifi = { ssid: 'my neighbours', password: 'top secret' };
    await bench.begin('provision', { ...wifi, url: `http://127.0.0.1:${apPort}` }).outcome;
    const job = bench.host.jobs.latest(device.deviceid);
    assert.ok(job);
    job.evidence.add({ kind: 'message', direction: 'in', text: '{"note":"my neighbours, top secret"}' });
    const bundle = bundleOf(job, { versions: {}, secrets: [] });
    assert.match(bundle, /"…, …/);
    assert.doesNotMatch(bundle, /my neighbours|top secret/);
  });

  it('leaves the access point of another device alone', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice();
    const { apPort } = await device.start();
    const options = { ...HOME, url: `http://127.0.0.1:${apPort}`, deviceid: '1000999999' };
    const error = await assertCode(bench.begin('provision', options).outcome, 'device-unknown');
    const owner = device.deviceid;
    const reason = wording('access-point-of-another', { owner, meant: '1000999999' });
    assert.deepEqual(error.values, { reason, known: owner });
    assert.ok(!device.log.includes('access point: took settings'), device.log.join('\n'));
    assert.equal(device.state, 'access-point');
  });

  for (const deviceid of [undefined, '1000999999']) {
    it(`passes over a device that was just set up and still answers, ${deviceid ? 'for another one' : 'for any'}`, async () => {
      const bench = await openBench({}, { apGoesMs: 3_600_000, apPageMs: 0 });
      const first = await bench.factoryDevice({ timings: { apGoes: 600_000 } });
      const { apPort } = await first.start();
      const url = `http://127.0.0.1:${apPort}`;
      await bench.begin('provision', { ...HOME, url }).outcome;
      const next = bench.begin('provision', { ...HOME, url, ...(deviceid ? { deviceid } : {}), nodeId: 'next' });
      await logged(first, 'access point: told who it is', 2);
      await first.stop();
      const second = await bench.factoryDevice({ apPort, deviceid: '1000999999' });
      await second.start();
      assert.equal((await next.outcome).found['deviceid'], '1000999999');
      assert.ok(bench.host.jobs.openJob(first.deviceid), 'the flash of the first one goes on');
    });
  }

  it('sets a device up again whose access point is there long after', async () => {
    const bench = await openBench({}, { apGoesMs: 0 });
    const device = await bench.factoryDevice({ timings: { apGoes: 600_000 } });
    const { apPort } = await device.start();
    const begin = (): Begun => bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` });
    await begin().outcome;
    assert.equal((await begin().outcome).found['deviceid'], device.deviceid);
  });

  it('refuses credentials that are missing or unusable, before it waits', async () => {
    const bench = await openBench();
    await assertCode(bench.begin('provision', {}).outcome, 'wifi-credentials-missing');
    const long = { ssid: 'x'.repeat(32), password: 'top secret' };
    await assertCode(bench.begin('provision', long).outcome, 'wifi-credentials-unusable');
    const error = await assertCode(
      bench.begin('provision', { ssid: 'home', password: 'p'.repeat(64) }).outcome,
      'wifi-credentials-unusable',
    );
    assert.doesNotMatch(error.message, /pppp/);
  });

  it('refuses an address that no device could dial, before anything is posted', async () => {
    for (const address of ['10.10.7.2', '192.168.4.2', 'not an address']) {
      const bench = await openBench({ address });
      const device = await bench.factoryDevice();
      const { apPort } = await device.start();
      const url = `http://127.0.0.1:${apPort}`;
      await assertCode(bench.begin('provision', { ...HOME, url }).outcome, 'address-invalid');
      assert.equal(device.state, 'access-point');
      const nobody = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${await freePort()}` });
      await assertCode(nobody.outcome, 'address-invalid');
      assert.deepEqual(nobody.said, [], 'no person is asked to hold its button');
    }
  });

  it('looks past a portal at the address, however often that answers, until the device is there', async () => {
    let asked = 0;
    const portal = createServer((_request, response) => {
      asked++;
      response.setHeader('Connection', 'close').end('<html>Log in</html>');
    });
    portal.listen(0, '127.0.0.1');
    await once(portal, 'listening');
    const { port } = portal.address() as AddressInfo;
    const bench = await openBench();
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${port}`, timeoutSeconds: 300 });
    const { text } = await stage.recorder.reported(({ name }) => name === 'ap-trouble');
    assert.match(text, /is not in the Wi-Fi of the Sonoff/);
    while (asked < 5) await once(portal, 'request');
    portal.close();
    portal.closeAllConnections();
    const device = await bench.factoryDevice({ apPort: port });
    await device.start();
    await stage.outcome;
    const { evidence } = bench.host.jobs.latest(device.deviceid)!;
    assert.ok(evidence.all.some(({ kind }) => kind === 'provisioned'));
  });

  it('says what else has answered at the address when its time is over', async () => {
    const portal = createServer((_request, response) => response.end('<html>Log in</html>')).listen(0, '127.0.0.1');
    await once(portal, 'listening');
    try {
      const bench = await openBench();
      const url = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
      const stage = bench.begin('provision', { ...HOME, url });
      await stage.overAs('ap-stranger');
      await assertCode(stage.outcome, 'ap-stranger');
    } finally {
      portal.close();
      portal.closeAllConnections();
    }
  });

  it('keeps what each look has shown, and tells what stands in the way, or else what it waits for', async () => {
    let answers: string | undefined = '<html>Log in</html>';
    const server = createServer((_request, response) => {
      if (answers === undefined) response.destroy();
      else response.setHeader('Connection', 'close').end(answers);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const bench = await openBench();
      const inside = [{ name: 'wlan0', address: '10.10.7.2' }];
      const asked = new Set<string>();
      let own: typeof inside = [];
      bench.around.ownAddresses = (at) => {
        asked.add(at);
        return own;
      };
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const stage = bench.begin('provision', { ...HOME, url });
      const { evidence } = await stage.job();
      const looks = (): object[] => evidence.all.slice(1).map(({ at: _, ...one }: Observation) => one);
      const until = async (count: number): Promise<void> => {
        while (evidence.all.length <= count) await once(evidence, 'changed');
      };
      await until(2);
      const strange: NewObservation[] = [
        { kind: 'addresses', addresses: [] },
        {
          kind: 'ap-looked',
          result: 'strange',
          joined: false,
          reason: wording('description-unusable', { why: wording('not-json') }),
        },
      ];
      assert.deepEqual(looks(), strange);
      const verdict = evidence.verdict() as FailureVerdict;
      assert.equal(verdict.code, 'ap-stranger');
      const trouble = { name: 'ap-trouble', values: { message: explained(verdict) }, fraction: 0 };
      assert.deepEqual(stage.said.slice(0, 2), [{ name: 'wait-for-ap', values: {}, fraction: 0 }, trouble]);
      answers = undefined;
      await until(3);
      const silent: NewObservation = { kind: 'ap-looked', result: 'silent', joined: false };
      assert.deepEqual(looks(), [...strange, silent]);
      assert.deepEqual(stage.said.at(-1), { name: 'wait-for-ap', values: {}, fraction: 0 });
      own = inside;
      await until(5);
      assert.deepEqual(looks().slice(3), [
        { kind: 'addresses', addresses: inside },
        { ...silent, joined: true },
      ]);
      assert.deepEqual([...asked], [url]);
      bench.host.runs.cancel('provision');
      await assertCode(stage.outcome, 'cancelled');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  for (const [isAddressSet, isAddressRemembered, told] of [
    [true, false, undefined],
    [true, true, '127.0.0.1'],
    [false, false, '127.0.0.1'],
  ] as const) {
    const whose = isAddressSet && !isAddressRemembered ? 'a person has set' : 'was found on this machine';
    it(`keeps the address that the device got only where it ${whose}${isAddressRemembered ? ' before' : ''}`, async () => {
      const bench = await openBench();
      for (const [name, value] of Object.entries({ isAddressSet, isAddressRemembered })) {
        Object.defineProperty(bench.host, name, { value });
      }
      const device = await bench.factoryDevice();
      const { apPort } = await device.start();
      await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}` }).outcome;
      const all = bench.host.jobs.latest(device.deviceid)?.evidence.all ?? [];
      const [{ at: _, ...seen } = { at: 0 }] = all.filter(({ kind }) => kind === 'provisioned');
      assert.deepEqual(seen, { kind: 'provisioned', answer: 'accepted', ...(told === undefined ? {} : { told }) });
    });
  }

  it('keeps which device is meant, and nothing of a look that a cancel ended', async () => {
    let asked = 0;
    const silent = createServer(() => void (asked += 1)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const bench = await openBench();
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const stage = bench.begin('provision', { ...HOME, url, deviceid: '1000a1b2c3' });
    const { evidence } = await stage.job();
    while (asked === 0) await nextTurn();
    bench.host.runs.cancel('provision');
    await assertCode(stage.outcome, 'cancelled');
    silent.close();
    silent.closeAllConnections();
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    const seen = evidence.all.map(({ at: _, ...one }: Observation) => one);
    assert.deepEqual(seen, [
      { kind: 'stage', event: 'began', stage: 'provision', seconds: 600, url, deviceid: '1000a1b2c3' },
      { kind: 'addresses', addresses: [] },
      { kind: 'stage', stage: 'provision', event: 'failed', code: 'cancelled', values: {} },
    ]);
    assert.deepEqual(
      stage.said.map(({ name }) => name),
      ['wait-for-ap'],
    );
  });

  it('leaves a route of the emulated cloud as it was chosen', async () => {
    const bench = await openBench();
    const device = await bench.factoryDevice();
    const { apPort } = await device.start();
    const { deviceid } = device;
    const job = bench.host.jobs.jobFor('provision', deviceid);
    job.route = ONE_HOP;
    await bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${apPort}`, deviceid }).outcome;
    assert.equal(bench.host.jobs.latest(deviceid), job);
    assert.equal(job.route, ONE_HOP);
  });

  it('is cancelled while it waits', async () => {
    const bench = await openBench();
    const stage = bench.begin('provision', { ...HOME, url: `http://127.0.0.1:${await freePort()}` });
    await stage.recorder.reported(({ state }) => state === 'waiting');
    bench.host.runs.cancel('provision');
    await assertCode(stage.outcome, 'cancelled');
  });
});

/** Resolves when the device has logged a line so often. */
async function logged(device: VirtualSonoff, line: string, times: number): Promise<void> {
  while (device.log.filter((one) => one === line).length < times) await once(device, 'log');
}
