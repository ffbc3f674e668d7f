import { digestOf, requireSound, type Examination, type ImageFacts, type ImageTarget } from '../image';
import type { ImageWork } from './image-work';
import { ImageWorker } from './image-worker';

/** Bytes of images, packed ones included: some ten firmwares. What is in use is kept by its jobs as well. */
const KEPT_AT_MOST = 8 * 1024 * 1024;

/** Bytes, each time the same ones for the same content, and their digest. */
export interface SharedBytes {
  readonly bytes: Buffer;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

interface Entry extends SharedBytes {
  readonly examinations: Map<ImageTarget, Promise<Examination>>;
  packed?: Promise<SharedBytes>;
}

/**
 * Images by their content: each is in memory once, hashed once, examined once for each place that it may go to, and packed
 * once, however many jobs use it. The least recently used go where there are too many.
 */
export class ExaminedImages {
  /** Those of this process. */
  static readonly shared = new ExaminedImages(new ImageWorker());

  private readonly entries = new Map<string, Entry>();
  /** Of bytes that were seen before, as several readers of a file have the same ones. */
  private readonly digests = new WeakMap<Buffer, string>();

  constructor(
    private readonly work: ImageWork,
    private readonly limitBytes = KEPT_AT_MOST,
  ) {}

  /** The bytes must not change afterwards. */
  share(bytes: Buffer): SharedBytes {
    const { sha256, bytes: shared } = this.entryOf(bytes);
    return { sha256, bytes: shared };
  }

  /** As `examine` of the image doctor. */
  async examination(bytes: Buffer, target: ImageTarget): Promise<Examination> {
    const { examinations, bytes: shared } = this.entryOf(bytes);
    const known = examinations.get(target);
    if (known) return await known;
    const examination = this.work.examine(shared, target);
    examinations.set(target, examination);
    // An examination that failed is no finding.
    examination.catch(() => examinations.delete(target));
    return await examination;
  }

  /** @throws FlashError as `checkForTarget` */
  async facts(bytes: Buffer, target: ImageTarget): Promise<ImageFacts> {
    return requireSound(await this.examination(bytes, target));
  }

  /** @throws FlashError as `packOneHop` */
  async packed(final: Buffer): Promise<SharedBytes> {
    const entry = this.entryOf(final);
    if (!entry.packed) {
      const packed = this.work.pack(entry.bytes).then((bytes) => this.share(Buffer.from(bytes)));
      packed.catch(() => delete entry.packed);
      entry.packed = packed;
    }
    return await entry.packed;
  }

  private entryOf(bytes: Buffer): Entry {
    const sha256 = this.digestOf(bytes);
    const entry = this.entries.get(sha256) ?? { bytes, sha256, examinations: new Map() };
    this.entries.delete(sha256);
    this.entries.set(sha256, entry);
    this.dropSurplus();
    return entry;
  }

  private digestOf(bytes: Buffer): string {
    const digest = this.digests.get(bytes) ?? digestOf(bytes);
    this.digests.set(bytes, digest);
    return digest;
  }

  /** All but the newest may go. */
  private dropSurplus(): void {
    let size = [...this.entries.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [sha256, { bytes }] of this.entries) {
      if (size <= this.limitBytes || this.entries.size === 1) return;
      this.entries.delete(sha256);
      size -= bytes.length;
    }
  }
}
