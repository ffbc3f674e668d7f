/* Node-RED started on a user folder whose files some damage has hit, and asked for all that it shows of them. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import helper from 'node-red-node-test-helper';
import type { JobRecord } from '../../lib/flash/stored/job-record';
import { ENTRY, JOB, OBSERVATIONS, PENDING } from '../flash/stored-samples';
import { mutationsOf, type Mutation } from '../shared/mutations';
import type { Flow } from '../shared/node-red';
import { Bed } from './bed';

const DEVICE = '1000a1b2c3';
const AT = '2026-01-02T03:04:05.000Z';
const HASH = { salt: 'a'.repeat(32), sha256: 'a'.repeat(64) };

/** Files of which each host or node has one of its own, and some that they all share; by their names in `sonota/`. */
export const OWN: Readonly<Record<string, Record<string, unknown>>> = {
  jobs: {
    format: 'sonota-jobs/1',
    jobs: [JOB],
    tickets: [PENDING],
    queue: { isPaused: false, entries: [ENTRY] },
  },
  keys: { format: 'sonota-keys/1', devices: { [DEVICE]: { pin: HASH, issued: [HASH] } } },
  'home-assistant': {
    format: 'sonota-home-assistant/1',
    devices: [
      {
        deviceid: DEVICE,
        model: 'ITA-GZ1-GL',
        romVersion: '1.5.5',
        installed: 'Tasmota',
        failure: { code: 'device-silent', text: 'So it was.' },
      },
    ],
    removed: { '1000000001': AT },
    chosen: 'Tasmota',
  },
  'set-ups': { format: 'sonota-set-ups/1', setUps: [{ id: '1', message: { deviceid: DEVICE } }] },
};
export const SHARED: Readonly<Record<string, Record<string, unknown>>> = {
  'home-address.json': { format: 'sonota-home-address/1', address: '192.0.2.7' },
  'wifi.json': { format: 'sonota-wifi/1', interfaces: { wlan0: { uuid: 'u', ssid: 's', ipv4: { method: 'auto' } } } },
  'firmware/index.json': {
    format: 'sonota-firmware/1',
    images: { [HASH.sha256]: { addedAt: AT, origins: ['catalog:one'] } },
    sources: { 'catalog:one': { sha256: HASH.sha256, isConfirmed: true } },
  },
};

/** The parts of a jobs file that are damaged apart, all in one file: see `damagedJobs`. */
const APART = /^(jobs|tickets|queue)\.\w+\./;

/** The mutations of a file as a whole. */
export function mutationsOfFile(folder: string, content: object): Mutation[] {
  return [...mutationsOf(content)].filter(({ where }) => folder !== 'jobs' || !APART.test(where));
}

/** One jobs file with a job, a message or an entry of the queue for each mutation of one that `takes` lets through. */
export function damagedJobs(takes: (mutation: Mutation) => boolean): string {
  const changed = (value: object): unknown[] => [...mutationsOf(value)].filter(takes).map((mutation) => mutation.value);
  const jobs = [
    ...changed(JOB),
    ...OBSERVATIONS.flatMap((seen) => changed(seen)).map((seen) => ({ ...JOB, evidence: [seen] })),
    ...changed({ ...JOB, snapshot: { ...JOB.snapshot, stage: 'failed' } }),
  ].map((job, index) => ({ ...(job as JobRecord), id: `job-${index}` }));
  const tickets = [...changed(PENDING), ...changed({ ...PENDING, outcome: undefined })];
  return JSON.stringify({
    format: 'sonota-jobs/1',
    jobs,
    tickets: tickets.map((pending, index) => named(pending, `pending-${index}`)),
    queue: { isPaused: false, entries: changed(ENTRY).map((entry, index) => named(entry, `entry-${index}`)) },
  });
}

/** Node-RED as it starts on these files, a host and a Home Assistant for each case. */
export async function startOn(
  cases: readonly Readonly<Record<string, string>>[],
  shared: Readonly<Record<string, string>> = {},
): Promise<Bed> {
  return await Bed.load(flowOf(cases.length), {}, async (folder) => {
    for (const [index, files] of cases.entries()) {
      const names: Record<string, string> = {
        jobs: `host${index}`,
        keys: `host${index}`,
        'home-assistant': `ha${index}`,
        'set-ups': `tasmota${index}`,
      };
      for (const [kind, text] of Object.entries(files)) await put(join(folder, kind, `${names[kind]}.json`), text);
    }
    for (const [name, text] of Object.entries(shared)) await put(join(folder, name), text);
  });
}

/** What a person opens: Home Assistant, the sidebar, the jobs, and the evidence of each. */
export async function showsAll(bed: Bed, hosts: number): Promise<void> {
  for (let index = 0; index < hosts; index += 1) {
    bed.send(`ha${index}`, { topic: `sonota${index}/status`, payload: 'online' });
    await bed.at('mqtt', ({ topic }) => topic === `sonota${index}/state`);
  }
  await helper.request().get('/sonota/overview').expect(200);
  for (let index = 0; index < hosts; index += 1) {
    const path = `/sonota/host/host${index}/jobs`;
    const { body } = await helper.request().get(path).expect(200);
    for (const { id } of body as { id: string }[]) {
      await helper
        .request()
        .get(`${path}/${encodeURIComponent(id)}/evidence`)
        .expect(200);
    }
  }
}

/** Most of the files were damaged too much to be used as they are: the log has one line for each of those. */
export function assertEachReportedOnce(files: number): void {
  const reported = helper
    .log()
    .args.map(([event]) => String((event as { msg?: unknown }).msg))
    .filter((line) => /\.json (could not be read|is used without)/.test(line))
    .map((line) => / ?(\S+\.json) /.exec(line)?.[1]);
  assert.equal(new Set(reported).size, reported.length, 'a file was reported twice');
  assert.ok(reported.length > files / 2);
}

/** A sample that still has its own id gets another: two records of one id are another damage. */
function named(value: unknown, id: string): unknown {
  const given = (value as { id?: unknown } | null)?.id;
  return given === PENDING.id || given === ENTRY.id ? { ...(value as object), id } : value;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function flowOf(hosts: number): Flow {
  const place = { z: 'tab', x: 100, y: 100, name: '' };
  const of = (index: number): Flow => [
    {
      id: `host${index}`,
      type: 'sonota-host',
      name: '',
      bind: '127.0.0.1',
      address: '127.0.0.1',
      ssid: '',
      httpsPort: '0',
      legacyPort: '0',
      httpPort: '0',
      finalStagePort: '0',
    },
    {
      ...place,
      id: `ha${index}`,
      type: 'sonota-home-assistant',
      host: `host${index}`,
      firmware: '',
      prefix: '',
      topic: `sonota${index}`,
      wires: [['mqtt'], []],
    },
    {
      ...place,
      id: `tasmota${index}`,
      type: 'sonota-tasmota-setup',
      host: `host${index}`,
      url: 'http://127.0.0.1:1',
      timeout: '1',
      wires: [[], []],
    },
  ];
  return [
    { id: 'tab', type: 'tab', label: 'stored files' },
    ...Array.from({ length: hosts }, (_, index) => of(index)).flat(),
    {
      ...place,
      id: 'cloud',
      type: 'sonota-cloud-emulator',
      host: 'host0',
      every: false,
      timeout: '60',
      wires: [[], []],
    },
    { ...place, id: 'queue', type: 'sonota-queue', host: 'host0', atOnce: '', attempts: '', wires: [['mqtt'], [], []] },
    { ...place, id: 'mqtt', type: 'sink', wires: [] },
  ];
}
