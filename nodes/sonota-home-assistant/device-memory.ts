/** The Sonoffs that Home Assistant has been told of, kept so that a restart neither forgets nor revives one. */

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_CODES } from '../../lib/errors';
import { writeAtomically } from '../../lib/flash/firmware/store/atomic-file';
import type { KnownDevice } from '../../lib/home-assistant';

const FORMAT = 'sonota-home-assistant/1';
/** Anyone on the network can make up devices; Home Assistant must not be flooded with them. */
const KNOWN_AT_MOST = 200;
/** Ids as devices have them: what else dials in has no place in a topic. */
const DEVICE_ID = /^[\w-]{1,32}$/;

interface Content {
  readonly devices: readonly KnownDevice[];
  /** When a person removed a device: jobs from before do not bring it back. */
  readonly removed: Readonly<Record<string, string>>;
  /** The firmware that was chosen in Home Assistant, by its name. */
  readonly chosen?: string | undefined;
}

export class DeviceMemory {
  private readonly devices = new Map<string, KnownDevice>();
  private removed: Record<string, string> = {};
  private chosenName: string | undefined;
  private writing: Promise<void> = Promise.resolve();
  private isToBeWritten = false;

  /**
   * @param folder undefined = for this process only
   * @param warn told why it cannot be kept
   */
  constructor(
    private readonly folder: string | undefined,
    private readonly name: string,
    private readonly warn: (text: string) => void,
  ) {
    this.read();
  }

  all(): KnownDevice[] {
    return [...this.devices.values()];
  }

  get chosen(): string | undefined {
    return this.chosenName;
  }

  choose(name: string): void {
    this.chosenName = name;
    this.keep();
  }

  /** Takes in what was learned of a device; what is undefined there is forgotten, what is left out stays. */
  learn(device: KnownDevice): void {
    const { deviceid } = device;
    if (!DEVICE_ID.test(deviceid)) return;
    const before = this.devices.get(deviceid);
    const now = { ...before, ...device };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.devices.set(deviceid, now);
    for (const oldest of [...this.devices.keys()].slice(0, Math.max(0, this.devices.size - KNOWN_AT_MOST))) {
      this.devices.delete(oldest);
    }
    this.keep();
  }

  remove(deviceid: string, now = new Date()): void {
    if (!this.devices.delete(deviceid)) return;
    this.removed[deviceid] = now.toISOString();
    this.keep();
  }

  /** Whether something from then on belongs to a device that was removed later. */
  wasRemovedSince(deviceid: string, startedAt: string): boolean {
    return Date.parse(this.removed[deviceid] ?? '') >= Date.parse(startedAt);
  }

  /** Resolves when all is on disk. */
  settled(): Promise<void> {
    return this.writing;
  }

  /** Writes once for all that changes until the write before has ended. */
  private keep(): void {
    const { folder } = this;
    if (folder === undefined || this.isToBeWritten) return;
    this.isToBeWritten = true;
    this.writing = this.writing.then(() => this.write(folder)).catch((error: Error) => this.warn(error.message));
  }

  private async write(folder: string): Promise<void> {
    // Before anything that can fail: what changes after a failed write is written too.
    this.isToBeWritten = false;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { removed, chosen } = this;
    const content = JSON.stringify({ format: FORMAT, devices: this.all(), removed, chosen });
    await writeAtomically(folder, this.name, `${content}\n`);
  }

  /** A file that is none of ours, or broken, is as good as none: devices come again. */
  private read(): void {
    if (this.folder === undefined) return;
    try {
      const content = JSON.parse(readFileSync(join(this.folder, this.name), 'utf8')) as Content & { format?: unknown };
      if (content.format !== FORMAT) return;
      for (const device of content.devices) if (isKnownDevice(device)) this.devices.set(device.deviceid, device);
      this.removed = { ...content.removed };
      this.chosenName = typeof content.chosen === 'string' ? content.chosen : undefined;
    } catch {
      // There is none yet.
    }
  }
}

function isKnownDevice(value: KnownDevice): boolean {
  const { deviceid, model, romVersion, installed, failure } = value;
  return (
    typeof deviceid === 'string' &&
    DEVICE_ID.test(deviceid) &&
    [model, romVersion, installed].every((one) => one === undefined || typeof one === 'string') &&
    (failure === undefined || (ERROR_CODES.includes(failure.code) && typeof failure.text === 'string'))
  );
}
