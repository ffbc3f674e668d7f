import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { packOneHop } from '../../lib/image';
import { makeFinalImage, makeUserImage } from '../../lib/image/writer';
import { Air } from './air';
import { type DeviceEvent, DeviceProcess } from './device-process';
import { makeFlow } from './flow';
import { ByItself } from './by-itself';
import { type Hand, type Layout, Person } from './person';
import { Phone } from './phone';
import { type FlowRecord, Records } from './records';
import { RedInside } from './red-inside';

export interface Case {
  class: 'range' | 'no-range' | 'plain';
  slot: 1 | 2;
  layout: Layout;
  /** The device restarts into what it has downloaded so hard that no FIN leaves it. */
  vanish?: boolean;
  /** The power fails just before the final image's first sector is written: FinalStage comes back and asks again. */
  powerCut?: boolean;
  /** Without FinalStage: one file, a dark moment, and the new firmware's own access point. */
  oneHop?: boolean;
  /** A phone is in the network FinalStage and asks for the final image. */
  phone?: boolean;
}

export const HOME_WIFI = { ssid: 'Under the stairs', password: 'correct horse 42' };
export const DEVICE_ID = '10000a1b2c';
export const FACTORY_KEY = '6a1f0b7c-5b0d-4c6e-9a77-0d3c5e1a2b3c';
const USER_IMAGE_BYTES = 40_000;
const FINAL_IMAGE_BYTES = 100_000;
/** A case takes 15 to 30 s; the limit only ends one that hangs. */
export const CASE_LIMIT_MS = 150_000;
/** After the device is through: 3 s of rule 6, and what a busy machine adds. */
const RESULT_LIMIT_MS = 30_000;

/** The nodes of the flow, in the order in which they end. */
export function stagesOf({ oneHop }: Case): string[] {
  return ['provision', 'cloud-emulator', 'ota-serve', oneHop ? 'new-firmware' : 'finalstage-watch'];
}

/** All that was seen of one flash, to be judged by the tests. */
export interface Outcome {
  exitCode: number | null;
  device: DeviceEvent[];
  records: FlowRecord[];
  finalSha256: string;
  userBytes: Record<1 | 2, number>;
  /** Everything that Node-RED wrote where secrets must not be. */
  written: string;
  /** The networks that the host joined automatically, and what its NetworkManager has in the end. */
  joined: string[];
  /** The answers to the phone. */
  phone: string[];
  left: { profiles: string[]; active: (string | undefined)[] } | undefined;
}

/** One device, one Node-RED, one flash, in namespaces of their own; nothing of it stays, however it ends. */
export async function flashOnce(about: Case): Promise<Outcome> {
  const undo: Undo[] = [];
  const [flash] = await Promise.allSettled([flashIn(about, undo)]);
  const faults = await undoAll(undo);
  if (flash.status === 'rejected') throw flash.reason;
  if (faults.length > 0) throw faults[0];
  return flash.value;
}

type Undo = () => unknown;

async function flashIn(about: Case, undo: Undo[]): Promise<Outcome> {
  const limit = AbortSignal.timeout(CASE_LIMIT_MS);
  const folder = await mkdtemp(path.join(tmpdir(), 'sonota-lab-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const air = new Air(about.phone ? ['sonoff', 'phone'] : ['sonoff']);
  undo.push(() => air.remove());
  const images = await writeImages(folder, about.oneHop ?? false);
  const records = new Records(path.join(folder, 'records.jsonl'));
  undo.push(() => records.close());
  const byItself = about.layout === 'itself' ? await ByItself.start(air) : undefined;
  if (byItself) undo.push(() => byItself.stop());
  const hand: Hand = byItself ?? new Person(air, about.layout, records, limit);
  const inside = await RedInside.start(air, path.join(folder, 'admin.sock'), byItself?.bus.address);
  undo.push(() => inside.red.stop());
  const intermediate = about.oneHop ? 'one-hop' : 'finalstage';
  const { nodes, start } = makeFlow({ ...HOME_WIFI, ...images.paths, intermediate, records: records.path });
  await inside.deploy(nodes);
  await inside.post(`/inject/${start}`, {});
  const device = new DeviceProcess(air, { ...about, deviceid: DEVICE_ID, apikey: FACTORY_KEY, home: HOME_WIFI });
  undo.push(() => device.stop());
  hand.watch(device);
  const phone = about.phone ? new Phone(air) : undefined;
  undo.push(() => phone?.stop());
  const exitCode = await deviceEnds(device, records, limit);
  await hand.settled();
  if (exitCode === 0) await flowEnds(records, stagesOf(about).at(-1)!);
  const flows = await readFile(path.join(inside.red.userDir, 'flows.json'), 'utf8');
  return {
    exitCode,
    device: device.events,
    records: records.all,
    finalSha256: images.finalSha256,
    userBytes: images.userBytes,
    written: [records.text(), ...inside.red.log, flows].join('\n'),
    joined: byItself?.moves ?? [],
    phone: phone?.answers ?? [],
    left: byItself?.nm.names(),
  };
}

/** The last first; one that fails keeps none of the others from being done. */
async function undoAll(undo: Undo[]): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch (fault) {
      faults.push(fault);
    }
  }
  return faults;
}

async function writeImages(folder: string, oneHop: boolean) {
  const user1 = makeUserImage({ slot: 1, size: USER_IMAGE_BYTES });
  const user2 = makeUserImage({ slot: 2, size: USER_IMAGE_BYTES });
  const final = makeFinalImage({ size: FINAL_IMAGE_BYTES, redundancy: 0.3 });
  const paths = {
    user1: path.join(folder, 'user1.bin'),
    user2: path.join(folder, 'user2.bin'),
    final: path.join(folder, 'final.bin'),
  };
  await Promise.all([writeFile(paths.user1, user1), writeFile(paths.user2, user2), writeFile(paths.final, final)]);
  const finalSha256 = createHash('sha256').update(final).digest('hex');
  const packed = oneHop ? packOneHop(final).length : undefined;
  return { paths, finalSha256, userBytes: { 1: packed ?? user1.length, 2: packed ?? user2.length } };
}

/** Resolves with the device's exit code; a failure of the flow ends the wait too. */
async function deviceEnds(device: DeviceProcess, records: Records, limit: AbortSignal): Promise<number | null> {
  const failed = records
    .find(({ kind }) => kind === 'error', limit)
    .then(
      ({ node, msg }) =>
        Promise.reject(
          new Error(`${node}: ${msg.error?.code} ${msg.error?.message}\n${story(device.events, records.all)}`),
        ),
      () => Promise.reject(new Error(`the device did not end\n${story(device.events, records.all)}`)),
    );
  return await Promise.race([device.ended, failed]);
}

async function flowEnds(records: Records, last: string): Promise<void> {
  const soon = AbortSignal.timeout(RESULT_LIMIT_MS);
  // A result that never comes is for the tests to find; so is one too many, hence the wait for the completions.
  await records.find(({ kind, node }) => kind === 'result' && node === last, soon).catch(() => undefined);
  while (records.of('complete').length < 4 && !soon.aborted)
    await records
      .find(({ kind }) => kind === 'complete' && records.of('complete').length >= 4, soon)
      .catch(() => undefined);
}

/** Both sides' doings in the order of time, for the message of a failed test. */
export function story(device: DeviceEvent[], records: FlowRecord[]): string {
  const lines = [
    ...device.map(({ at, event, ...facts }) => ({ at, text: `device  ${event} ${JSON.stringify(facts)}` })),
    ...records.map(({ at, kind, node, msg }) => ({
      at,
      text: `flow    ${kind} ${node} ${JSON.stringify(msg.error ?? msg['status'] ?? msg.text ?? msg.payload)}`,
    })),
  ];
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `${new Date(at).toISOString().slice(14, 23)} ${text}`)
    .join('\n');
}
