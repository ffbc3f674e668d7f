import assert from 'node:assert/strict';
import { bundleOf, observationsIn } from '../../lib/flash/job/evidence-bundle';
import { Job } from '../../lib/flash/job/job';
import type { NewObservation } from '../../lib/flash/observation';
import { ONE_HOP } from '../../lib/flash/routes';
import { quoted } from '../../lib/wordings/wording';
import { timeGoesOn, timeStands } from '../shared/standing-time';

const DEVICE = '1000a1b2c3';
const KEY = '11111111-2222-3333-4444-555555555555';

function linesOf(job: Job, secrets: readonly (string | undefined)[] = []): Record<string, unknown>[] {
  const bundle = bundleOf(job, { versions: { node: 'v20', 'node-red': '4.1.0' }, secrets });
  assert.ok(bundle.endsWith('}\n'), 'each line ends');
  const lines = bundle.slice(0, -1).split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('flash/job/evidence-bundle', () => {
  afterEach(timeGoesOn);

  it('starts with versions, a report, the job and the verdict; each other line is one observation', () => {
    timeStands(['Date'], 2000);
    const job = new Job('cloud', DEVICE, new Date(0));
    job.enter('cloud', new Date(1000));
    job.route = ONE_HOP;
    job.learn({ model: 'ITA-GZ1-GL', romVersion: '1.5.5', ip: '192.0.2.7', mac: '5C:CF:7F:01:02:03' });
    job.found('cloud', { via: 'tls', peers: ['192.0.2.7', null, 7], at: 1e300 });
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 300, deviceid: DEVICE }, 1000);
    job.evidence.add({ kind: 'addresses', addresses: [{ name: 'wlan0', address: '10.10.7.2' }] }, 1500);
    const values = { deviceid: DEVICE, seconds: 300 };
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'failed', code: 'device-timeout', values }, 2000);
    job.fail('device-timeout', new Date(2000));
    const [header, ...seen] = linesOf(job);
    const { code, confidence, text } = job.evidence.verdict();
    assert.equal(code, 'device-timeout');
    const shown = { deviceid: '…b2c3', seconds: 300 };
    const unknown = { address: '?', ports: '?', url: '?' };
    const verdict = {
      code,
      confidence,
      text: text.replaceAll(DEVICE, '…b2c3'),
      values: { ...shown, ...unknown, model: 'ITA-GZ1-GL', romVersion: '1.5.5' },
    };
    const times = { startedAt: '1970-01-01T00:00:01.000Z', endedAt: '1970-01-01T00:00:02.000Z' };
    const { verdict: whole, ...rest } = header ?? {};
    assert.deepEqual(rest, {
      bundle: 1,
      versions: { node: 'v20', 'node-red': '4.1.0' },
      report: {
        ...{ model: 'ITA-GZ1-GL', firmware: '1.5.5', method: 'one-hop', outcome: 'device-timeout' },
        seconds: { cloud: 1 },
      },
      job: {
        ...{ deviceid: '…b2c3', model: 'ITA-GZ1-GL', romVersion: '1.5.5', ip: '192.0.2.7', mac: '5C:CF:7F:…' },
        ...{ stage: 'failed', percent: 10, startedAt: '1970-01-01T00:00:00.000Z' },
        stages: { cloud: { ...times, percent: 0, via: 'tls', peers: ['192.0.2.7', null, 7], at: 1e300 } },
        ...{ intermediate: 'one-hop', error: 'device-timeout', verdict },
      },
    });
    const { evidence, ...judged } = whole as { evidence: { at: string }[] };
    assert.deepEqual(judged, { ...verdict, isFinal: true });
    for (const { at } of evidence) assert.match(at, /^1970-01-01T00:00:0\d/);
    assert.deepEqual(seen, [
      {
        ...{ at: '1970-01-01T00:00:02.000Z', kind: 'device-facts', model: 'ITA-GZ1-GL', romVersion: '1.5.5' },
        ...{ ip: '192.0.2.7', mac: '5C:CF:7F:…' },
      },
      {
        ...{ at: '1970-01-01T00:00:01.000Z', kind: 'stage', stage: 'cloud', event: 'began', seconds: 300 },
        deviceid: '…b2c3',
      },
      { at: '1970-01-01T00:00:01.500Z', kind: 'addresses', addresses: [{ name: 'wlan0', address: '10.10.7.2' }] },
      {
        ...{ at: '1970-01-01T00:00:02.000Z', kind: 'stage', stage: 'cloud', event: 'failed' },
        ...{ code: 'device-timeout', values: shown },
      },
    ]);
  });

  const message = (text: string): NewObservation => ({ kind: 'message', direction: 'in', text });
  for (const [what, said, shown] of [
    ['the name of a Wi-Fi', '{"ssid":"a \\"b\\" c","x":1}', '{"ssid":"…","x":1}'],
    ['the name of a Wi-Fi, however it is written', '{"SSID":"home"}', '{"SSID":"…"}'],
    ['the address of an access point', '{"bssid": "5e:cf:7f:01:02:03"}', '{"bssid": "…"}'],
    ['a password', '{"password" : "top"}', '{"password" : "…"}'],
    ['a password by its other name', '{"passwd":"top"}', '{"passwd":"…"}'],
    ['a key that is no UUID', '{"apikey":"mine"}', '{"apikey":"…"}'],
    ['a key without its name', `it says ${KEY}!`, 'it says …!'],
    ['the end of a MAC address', 'mac 5c:CF:7f:a1:b2:c3.', 'mac 5c:CF:7f:….'],
    ['the end of each MAC address', '5c:cf:7f:a1:b2:c3,5E:CF:7F:00:00:01', '5c:cf:7f:…,5E:CF:7F:…'],
    ['each password', '{"password":"one","passwd":"two"}', '{"password":"…","passwd":"…"}'],
    ['the end of a MAC address with hyphens', '5C-CF-7F-A1-B2-C3', '5C-CF-7F:…'],
    ['the start of the device id', `I am ${DEVICE}`, 'I am …b2c3'],
    ['the start of any device id', '1000FFABCD and 1000000001', '…ABCD and …0001'],
    ['the start of a device id that is none of a Sonoff, where it is the device', 'a-1234567890', '…7890'],
    ['the secrets of the host', 'our home, at home', 'our …, at …'],
    ['the secrets that the job has met', 'guests in guests', '… in …'],
    ['nothing else', '{"ssids":7,"version":"1.5.5","at":12}', '{"ssids":7,"version":"1.5.5","at":12}'],
  ] as const) {
    it(`leaves out of free text: ${what}`, () => {
      const job = new Job('cloud', said.startsWith('a-') ? said : DEVICE);
      job.evidence.hide('guests');
      job.evidence.add(message(said), 1000);
      const [, seen] = linesOf(job, ['home', undefined, '']);
      assert.deepEqual(seen, { at: '1970-01-01T00:00:01.000Z', kind: 'message', direction: 'in', text: shown });
    });
  }

  it('looks for secrets in words of others, and not in those of our own', () => {
    const job = new Job('cloud', DEVICE);
    job.evidence.add({ kind: 'malformed', peer: '192.0.2.7', reason: quoted('range of home') }, 1000);
    job.evidence.add({ kind: 'image-requested', role: 'user2', class: 'range', first: 0, size: 8192 }, 2000);
    const [, malformed, requested] = linesOf(job, ['range', 'quoted']);
    const reason = { code: 'quoted', text: '… of home', values: { message: '… of home' } };
    assert.deepEqual(malformed, { at: '1970-01-01T00:00:01.000Z', kind: 'malformed', peer: '192.0.2.7', reason });
    assert.equal(requested?.['class'], 'range');
  });

  it('looks for secrets in the reasons that a stage found, and hides ids where it knows no device yet', () => {
    const job = new Job('cloud', undefined, new Date(0));
    job.enter('cloud', new Date(0));
    job.found('cloud', { reason: 'at home', message: 'home', name: 'home', met: DEVICE, where: 'undefined' });
    const [header] = linesOf(job, ['home']);
    const { deviceid, stages } = header?.['job'] as { deviceid: unknown; stages: { cloud: object } };
    const { reason, message, name, met, where } = stages.cloud as Record<string, unknown>;
    assert.deepEqual([deviceid, reason, message, name, met, where], [null, 'at …', '…', 'home', '…b2c3', 'undefined']);
  });

  it('gives its observations back as they were, without what cannot be read', () => {
    const job = new Job('cloud', DEVICE);
    const [first, last] = [
      { at: 1000, kind: 'registered', peer: '192.0.2.7', via: 'tls' },
      { at: 2500, kind: 'acknowledged', error: 404 },
    ] as const;
    for (const { at, ...seen } of [first, last]) job.evidence.add(seen, at);
    const bundle = bundleOf(job, { versions: {}, secrets: [] });
    assert.deepEqual(observationsIn(bundle), [first, last]);
    const [header, one, other] = bundle.split('\n');
    const odd = ['', 'no JSON', '7', 'null', '[]', '{"at":"1970-01-01T00:00:02.000Z","kind":"telepathy"}'];
    const timeless = ['{"kind":"session-lost"}', '{"kind":"session-lost","at":"yesterday"}'];
    assert.deepEqual(observationsIn([header, one, ...odd, ...timeless, other].join('\n')), [first, last]);
    assert.deepEqual(observationsIn(header ?? ''), []);
  });
});
