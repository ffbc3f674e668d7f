import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fetchInRanges } from '../../lib/client/range-fetch';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Check } from '../../lib/preflight/check';
import { preflight, type PreflightReport } from '../../lib/preflight/preflight';
import { packOneHop } from '../../lib/image';
import { freePort } from '../shared/ports';
import { closeBenches, FIRMWARE, openBench } from '../flash/bench';
import { assertCode } from '../flash/refusals';

const WIFI = { ssid: true, password: true };
const MACHINE = { addresses: [], contained: false, now: new Date('2026-05-04T00:00:00Z') };
const OTHER_PROGRAM = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port))`;

describe('preflight', () => {
  const children: ChildProcess[] = [];

  afterEach(async () => {
    await closeBenches();
    for (const child of children.splice(0)) {
      child.kill();
      await once(child, 'exit');
    }
  });

  function check(host: FlashHost, more: Partial<Parameters<typeof preflight>[1]> = {}): Promise<PreflightReport> {
    return preflight(host, { wifi: WIFI, machine: MACHINE, signal: new AbortController().signal, ...more });
  }

  async function portOfAnotherProgram(): Promise<{ port: number; pid: number | undefined }> {
    const child = spawn(process.execPath, ['-e', OTHER_PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { port: Number(line.toString()), pid: child.pid };
  }

  it('warns of a machine without Wi-Fi where a real device is to be flashed by hand', async () => {
    const { host } = await openBench({ bind: '0.0.0.0' });
    const radioOf = async (machine: object): Promise<Check | undefined> =>
      (await check(host, { machine: { ...MACHINE, ...machine } })).checks.find((one) => one.check === 'radio');
    const without = await radioOf({ hasWifi: false });
    assert.deepEqual([without?.code, without?.ok], ['wifi-unavailable', 'warn']);
    assert.match(without?.remedy ?? '', /USB Wi-Fi adapter/);
    assert.equal((await radioOf({ hasWifi: true }))?.ok, true);
    assert.equal((await radioOf({ hasWifi: undefined }))?.ok, true, 'what cannot be found out is no warning');
  });

  it('is not ready without a firmware where it is asked to mention that', async () => {
    const { host } = await openBench();
    const { checks } = await check(host, { mentionsFirmware: true });
    const firmware = checks.find((one) => one.check === 'firmware');
    assert.deepEqual([firmware?.code, firmware?.ok], ['firmware-missing', 'warn']);
    assert.ok(!(await check(host)).checks.some((one) => one.check === 'firmware'));
  });

  it('finds a rehearsal on the loopback in order, but for that no real device can dial it', async () => {
    const { host } = await openBench();
    const report = await check(host, { sources: FIRMWARE });
    assert.deepEqual(
      report.checks.filter(({ ok }) => ok !== true).map(({ code, ok }) => [code, ok]),
      [['address-invalid', 'warn']],
    );
    assert.equal(report.verdict, 'warning');
    assert.match(report.text, /^Ready, with a warning: .*only a virtual Sonoff/);
    const { https, legacy, http } = host.ports;
    assert.deepEqual(texts(report, 'port'), [
      `Port ${https} is open for devices that speak TLS.`,
      `Port ${legacy} is open for old devices without TLS.`,
      `Port ${http} is open for the images and FinalStage.`,
    ]);
    assert.deepEqual(texts(report, 'self'), [
      `This machine fetched an image from itself at http://127.0.0.1:${http}. A firewall may keep others out all the same.`,
      `This machine reaches itself at 127.0.0.1, port ${https}.`,
      `This machine reaches itself at 127.0.0.1, port ${legacy}.`,
    ]);
    for (const { remedy, ok } of report.checks) assert.equal(remedy === '', ok === true);
  });

  it('in one hop needs no port of FinalStage, and reports how much the packed image takes', async () => {
    const { port } = await portOfAnotherProgram();
    const { host } = await openBench({ finalStagePort: port });
    const taken = await check(host, { sources: FIRMWARE });
    assert.equal(rows(taken, 'port').find(({ ok }) => ok === false)?.code, 'port-in-use');
    const report = await check(host, { sources: { final: FIRMWARE.final, intermediate: 'one-hop' } });
    assert.deepEqual(
      rows(report, 'port').filter(({ ok }) => ok !== true),
      [],
    );
    const packed = packOneHop(FIRMWARE.final).length;
    assert.deepEqual(texts(report, 'firmware'), [
      `The firmware is complete and was examined: final with ${FIRMWARE.final.length} bytes, which are ${packed} packed for one hop.`,
    ]);
  });

  it('looks for DIY mode at the final image alone, without the pair and the port of FinalStage', async () => {
    const { port } = await portOfAnotherProgram();
    const { host } = await openBench({ finalStagePort: port });
    const sources = { ...FIRMWARE, user1: `http://127.0.0.1:${await freePort()}/user1.bin` };
    const wrongIn = ({ checks }: PreflightReport): string[] =>
      checks.filter(({ ok }) => ok === false).map(({ code }) => code);
    assert.deepEqual(wrongIn(await check(host, { sources })), ['port-in-use', 'fetch-failed']);
    const report = await check(host, { sources, method: 'diy' });
    assert.deepEqual(wrongIn(report), []);
    assert.deepEqual(texts(report, 'firmware'), [
      `The firmware is complete and was examined for DIY mode: final with ${FIRMWARE.final.length} bytes.`,
    ]);
    assert.deepEqual(wrongIn(await check(host, { sources, method: 'automatic' })), ['port-in-use']);
  });

  it('opens a host that does not listen yet', async () => {
    const { host } = await openBench();
    await host.stopListening();
    const report = await check(host);
    assert.equal(report.verdict, 'warning');
    assert.ok(host.isListening);
  });

  it('names the port that another program holds, and that program', async function () {
    const { port, pid } = await portOfAnotherProgram();
    const { host } = await openBench();
    await host.apply({ ...settingsOf(host), legacyPort: port }).catch(() => undefined);
    const report = await check(host);
    assert.equal(report.verdict, 'not-ready');
    const [taken, ...others] = rows(report, 'port').filter(({ ok }) => ok === false);
    assert.deepEqual(others, []);
    assert.equal(taken?.code, 'port-in-use');
    assert.match(taken.text, new RegExp(`Port ${port} on 127.0.0.1`));
    if (process.platform === 'linux') assert.match(taken.text, new RegExp(`process ${pid}\\)`));
    assert.match(taken.remedy, /choose another port/);
    assert.equal(rows(report, 'port').filter(({ ok }) => ok === true).length, 2);
    assert.match(report.text, /^Not ready: Port/);
  });

  it('names every port that is held, not only the first', async () => {
    const [one, other] = [await portOfAnotherProgram(), await portOfAnotherProgram()];
    const { host } = await openBench();
    const settings = { ...settingsOf(host), legacyPort: one.port, httpPort: other.port, finalStagePort: other.port };
    await host.apply(settings).catch(() => undefined);
    const report = await check(host);
    const held = rows(report, 'port').filter(({ ok }) => ok === false);
    assert.equal(held.length, 2);
    assert.match(held[0]?.text ?? '', new RegExp(`Port ${one.port} `));
    assert.match(held[1]?.text ?? '', new RegExp(`Port ${other.port} `));
    assert.match(report.text, /^Not ready, for 2 reasons; the first: Port /);
  });

  it('finds the port of FinalStage taken while all others are open', async () => {
    const { port } = await portOfAnotherProgram();
    const { host } = await openBench({ finalStagePort: port });
    const report = await check(host);
    const held = rows(report, 'port').filter(({ ok }) => ok !== true);
    assert.equal(held.length, 1);
    assert.match(held[0]?.text ?? '', new RegExp(`Port ${port} `));
    assert.ok(host.isListening, 'the host goes on listening');
  });

  it('warns where the plain port is off', async () => {
    const { host } = await openBench({ legacyPort: 0 });
    const report = await check(host);
    assert.deepEqual(
      rows(report, 'port').map(({ code, ok }) => [code, ok]),
      [
        ['port-in-use', true],
        ['port-in-use', true],
        ['plain-port-off', 'warn'],
      ],
    );
  });

  it('finds that no host is at the address that devices get', async () => {
    const { host } = await openBench({ bind: '127.0.0.2', legacyPort: 0 });
    const report = await check(host);
    assert.equal(report.verdict, 'not-ready');
    const self = rows(report, 'self');
    assert.deepEqual(
      self.map(({ code, ok }) => [code, ok]),
      [
        ['self-unreachable', false],
        ['self-unreachable', false],
      ],
    );
    assert.match(self[0]?.text ?? '', /nothing listens there/);
    assert.match(self[0]?.remedy ?? '', /firewall.*container.*address/);
  });

  it('leaves nothing to fetch behind', async () => {
    const { host } = await openBench();
    const paths: string[] = [];
    const { probes } = host;
    const offer = probes.offer.bind(probes);
    probes.offer = () => {
      const image = offer();
      paths.push(image.path);
      return image;
    };
    await check(host);
    assert.equal(paths.length, 1);
    assert.match(paths[0] ?? '', /^\/sonota\/self-test\/[\da-f]{32}\.bin$/);
    // As a device asks: Node's own fetch sends what only browsers do, and is refused for that.
    const url = new URL(`http://127.0.0.1:${host.ports.http}${paths[0]}`);
    const answer = await fetchInRanges(url, {
      signal: new AbortController().signal,
      limitMs: 60_000,
      limitBytes: 10_000,
    });
    assert.equal('reason' in answer && answer.status, 404);
  });

  it('is not taken for a device by a stage that waits for one', async () => {
    const bench = await openBench();
    const stage = bench.begin('cloud', { deviceid: '1000a1b2c3', timeoutSeconds: 0.5 });
    await stage.recorder.reported(({ state }) => state === 'waiting');
    await check(bench.host);
    await assertCode(stage.outcome, 'nothing-arrived');
  });

  it('does not dial itself while FinalStage is awaited', async () => {
    const bench = await openBench();
    bench.begin('finalstage', { sources: FIRMWARE, timeoutSeconds: 20 });
    await bench.recorder('finalstage').reported(({ state }) => state === 'waiting');
    const report = await check(bench.host);
    assert.deepEqual(texts(report, 'self'), ['While a device is in FinalStage, this machine does not dial itself.']);
  });

  it('examines the firmware that is chosen', async () => {
    const { host } = await openBench();
    const good = await check(host, { sources: FIRMWARE });
    assert.deepEqual(
      rows(good, 'firmware').map(({ ok }) => ok),
      [true],
    );
    const swapped = { ...FIRMWARE, user1: FIRMWARE.user2, user2: FIRMWARE.user1 };
    const bad = await check(host, { sources: swapped });
    assert.equal(bad.verdict, 'not-ready');
    assert.equal(rows(bad, 'firmware')[0]?.code, 'image-wrong-slot');
    const missing = await check(host, { sources: { user1: '', user2: '', final: '' } });
    assert.equal(rows(missing, 'firmware')[0]?.code, 'firmware-missing');
    assert.deepEqual(rows(await check(host), 'firmware'), []);
  });

  it('says which part of the home Wi-Fi is missing, and never what it is', async () => {
    const { host } = await openBench();
    for (const [wifi, what] of [
      [{ ssid: false, password: false }, 'name and password'],
      [{ ssid: false, password: true }, 'name'],
      [{ ssid: true, password: false }, 'password'],
    ] as const) {
      const [row] = rows(await check(host, { wifi }), 'wifi');
      assert.equal(row?.code, 'wifi-credentials-missing');
      assert.equal(row.ok, 'warn');
      assert.match(row.text, new RegExp(`^The ${what} of`));
    }
  });

  it('warns of a clock that was never set', async () => {
    const { host } = await openBench();
    const report = await check(host, { machine: { ...MACHINE, now: new Date('1970-01-01T00:00:30Z') } });
    assert.deepEqual(
      rows(report, 'clock').map(({ code, ok, text }) => [code, ok, text]),
      [['clock-wrong', 'warn', 'The clock of this machine says 1970-01-01.']],
    );
  });

  it('is cancelled', async () => {
    const { host } = await openBench();
    await assertCode(check(host, { signal: AbortSignal.abort() }), 'cancelled');
    await assertCode(check(host, { signal: AbortSignal.abort(), sources: FIRMWARE }), 'cancelled');
  });

  it('says that a host is gone which was closed', async () => {
    const { host } = await openBench();
    await host.close();
    const report = await check(host);
    assert.equal(report.verdict, 'not-ready');
    assert.deepEqual(
      rows(report, 'port').map(({ code }) => code),
      ['host-missing'],
    );
  });

  it('frees what it opened', async () => {
    const port = await freePort();
    const { host } = await openBench({ finalStagePort: port });
    await check(host);
    await host.close();
    const again = await openBench({ httpPort: port, finalStagePort: port });
    assert.equal(again.host.ports.http, port);
  });
});

function rows({ checks }: PreflightReport, check: Check['check']): Check[] {
  return checks.filter((row) => row.check === check);
}

function texts(report: PreflightReport, check: Check['check']): string[] {
  return rows(report, check).map(({ text }) => text);
}

function settingsOf(host: FlashHost): ConstructorParameters<typeof FlashHost>[0] {
  const { bind, finalStagePort, ports } = host;
  const { https: httpsPort, legacy: legacyPort, http: httpPort } = ports;
  return { bind, address: '127.0.0.1', httpsPort, legacyPort, httpPort, finalStagePort };
}
