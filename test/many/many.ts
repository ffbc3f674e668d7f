import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ErrorCode } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { VirtualSonoff, VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { FIRMWARE } from '../flash/bench';
import { Bed, freePorts, road, type Ports } from '../nodes/bed';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';

/** A device that fails, and the one code that it is to end with. */
export interface Faulty {
  readonly options: Partial<VirtualSonoffOptions>;
  readonly code: ErrorCode;
}

export const FAULTY: readonly Faulty[] = [
  // First and last: a client that does not get as far as stating its name could be either of them.
  { options: { transport: 'verifying' }, code: 'certificate-rejected' },
  { options: { fault: 'refuse-400' }, code: 'upgrade-malformed' },
  { options: { fault: 'refuse-404' }, code: 'download-failed' },
  { options: { fault: 'refuse-406' }, code: 'model-refused' },
  { options: { fault: 'refuse-409', transport: 'no-range' }, code: 'digest-refused' },
  { options: { romVersion: '3.5.0' }, code: 'device-not-supported' },
  { options: { fault: 'download-restarts' }, code: 'download-restarts' },
  { options: { fault: 'silent-after-upgrade' }, code: 'device-silent' },
  { options: { fault: 'finalstage-blocked' }, code: 'finalstage-timeout' },
  { options: { fault: 'garbage-dispatch' }, code: 'message-malformed' },
];

const CLASSES: readonly Partial<VirtualSonoffOptions>[] = [
  { transport: 'range', slot: 1 },
  { transport: 'range', slot: 2 },
  { transport: 'no-range', slot: 2, romVersion: '1.5.2' },
  { transport: 'plain', slot: 2, romVersion: '2.0.1' },
  { transport: 'range', slot: 2, fault: 'crash-during-upgrade', timings: { joinHome: 400 } },
  { transport: 'range', slot: 2, fault: 'connection-lost' },
  { transport: 'range', slot: 2, fault: 'never-queries' },
  { transport: 'range', slot: 2, fault: 'garbage' },
];

/** What a healthy device never needs on a busy machine; one that FinalStage is hidden from costs the run so much. */
const DEVICE_SECONDS = '90';
const READS_LIMIT_MS = 60_000;

/** Many devices behind one queue and one host, in one Node-RED. */
export class Crowd {
  readonly healthy: VirtualSonoff[] = [];
  readonly faulty: { device: VirtualSonoff; code: ErrorCode }[] = [];

  private constructor(
    readonly bed: Bed,
    private readonly ports: Ports,
    private readonly finalStagePort: number,
  ) {}

  static async open(): Promise<Crowd> {
    const [ports, finalStagePort] = [await freePorts(), await freePort()];
    const flow: Flow = [
      ...road(ports, {
        // What checks certificates is never sure to be the device that is waited for: that wait ends at its limit.
        cloud: { every: false, timeout: DEVICE_SECONDS },
        upgrade: { firmware: '', timeout: DEVICE_SECONDS },
        finalstage: { url: `http://127.0.0.1:${finalStagePort}`, timeout: DEVICE_SECONDS },
      }),
      {
        id: 'queue',
        type: 'sonota-queue',
        z: 'tab',
        x: 100,
        y: 50,
        name: '',
        host: 'host',
        atOnce: '8',
        attempts: '1',
        wires: [['cloud'], ['finalstage'], ['news']],
      },
      { id: 'news', type: 'sink', z: 'tab', x: 300, y: 50, wires: [] },
    ];
    const crowd = new Crowd(await Bed.load(flow), ports, finalStagePort);
    // What is held is counted from here on, and its listeners are part of that.
    await crowd.host.open();
    return crowd;
  }

  get host(): FlashHost {
    return (this.bed.node('host') as unknown as { flashHost: FlashHost }).flashHost;
  }

  /** Switches on so many healthy devices of all classes, and every faulty one among them, and asks for all. */
  async start(healthy: number, faulty: readonly Faulty[]): Promise<void> {
    for (let index = 0; index < healthy; index += 1) this.healthy.push(this.device(CLASSES[index % CLASSES.length]));
    for (const { options, code } of faulty) this.faulty.push({ device: this.device(options), code });
    // Spread over the others, so that each of them has healthy ones before and behind it.
    const all = [...this.healthy];
    const every = Math.floor(healthy / Math.max(1, faulty.length));
    for (const [index, { device }] of this.faulty.entries()) all.splice(index * (every + 1) + 1, 0, device);
    for (const device of all) await device.start();
    this.bed.send('queue', {
      ssid: 'home',
      password: 'top secret',
      firmware: FIRMWARE,
      deviceids: all.map(({ deviceid }) => deviceid),
    });
  }

  /** Resolves when the queue has seen to all of them. A person switches a device off that has failed. */
  async whenOver(): Promise<QueueSnapshot> {
    const { queue } = this.host;
    for (let told = 0; ;) {
      await this.switchOffFailed(queue.snapshot());
      // Read again: nothing may change between this and the wait for the next change.
      const snapshot = queue.snapshot();
      if (snapshot.state === 'idle') return snapshot;
      const ended = snapshot.done + snapshot.failed;
      if (ended >= told + 5) console.log(`      ${(told = ended)} of ${snapshot.entries.length} have ended`);
      await once(queue, 'changed');
    }
  }

  private async switchOffFailed({ entries }: QueueSnapshot): Promise<void> {
    for (const { deviceid } of entries.filter(({ state }) => state === 'failed')) {
      await this.faulty.find(({ device }) => device.deviceid === deviceid)?.device.stop();
    }
  }

  /** How a device ended, and what it and the queue say of it. */
  account(deviceid: string, how: string): string {
    const device = this.bed.devices.find((one) => one.deviceid === deviceid);
    const told = this.bed.messages('news').filter((msg) => JSON.stringify(msg).includes(deviceid));
    const lines = [...(device?.log ?? []), ...told.slice(-3).map((msg) => JSON.stringify(msg.payload))];
    return `${deviceid} ended with ${how}:\n${lines.join('\n')}`;
  }

  close(): Promise<void> {
    return this.bed.unload();
  }

  private device(options: Partial<VirtualSonoffOptions> = {}): VirtualSonoff {
    const number = this.healthy.length + this.faulty.length + 1;
    return this.bed.device({
      deviceid: `1000${number.toString(16).padStart(6, '0')}`,
      // An address of its own, as at home: what a device does wrong must not be laid at another one's door.
      localAddress: `127.0.1.${number}`,
      legacyPort: this.ports.legacyPort,
      finalStagePort: this.finalStagePort,
      finalStageHost: { address: '127.0.0.1', port: this.ports.finalStagePort },
      provisioned: { serverName: '127.0.0.1', port: this.ports.httpsPort },
      ...options,
    });
  }
}

/** What keeps the process alive, by kind; and the listeners of a host. */
export function held(host?: FlashHost): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  if (!host) return counts;
  for (const [name, emitter] of Object.entries({ jobs: host.jobs, devices: host.devices, queue: host.queue })) {
    for (const event of emitter.eventNames()) {
      counts[`${name}: ${String(event)}`] = emitter.listenerCount(event);
    }
  }
  return counts;
}

/** Waits until no more is held than before: sockets that were closed take a moment to go. */
export async function heldAgain(before: Record<string, number>, host?: FlashHost): Promise<void> {
  const surplus = (): string[] =>
    Object.entries(held(host)).flatMap(([kind, count]) =>
      count > (before[kind] ?? 0) ? [`${kind}: ${count} instead of ${before[kind] ?? 0}`] : [],
    );
  const until = Date.now() + READS_LIMIT_MS;
  while (surplus().length > 0 && Date.now() < until) await pause(100);
  assert.deepEqual(surplus(), []);
}

/** Bytes of JavaScript objects that are still referenced. */
export async function livingBytes(): Promise<number> {
  assert.ok(global.gc, 'this needs node --expose-gc');
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    global.gc();
    await pause(100);
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}
