import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FlashError, type ErrorCode, type ErrorValues } from '../errors';
import type { Examination, ImageTarget } from '../image';
import type { ImageWork } from './image-work';
import { wording, type Wording } from '../wordings/wording';

export type ThreadTask =
  | { readonly work: 'examine'; readonly bytes: Uint8Array; readonly target: ImageTarget }
  | { readonly work: 'pack'; readonly bytes: Uint8Array };

export type ThreadAnswer =
  | { readonly examination: Examination }
  | { readonly packed: Uint8Array }
  | { readonly code: ErrorCode; readonly values: ErrorValues };

/** A thread costs some MB; one that has nothing to do for so long is ended. */
const IDLE_MS = 10_000;

interface Pending {
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Does the work on images in a thread of its own, so that no device waits for it. The thread is there while it is used. */
export class ImageWorker implements ImageWork {
  private worker: Worker | undefined;
  private readonly pending = new Map<number, Pending>();
  private idle: NodeJS.Timeout | undefined;
  private asked = 0;

  async examine(bytes: Uint8Array, target: ImageTarget): Promise<Examination> {
    const answer = await this.ask({ work: 'examine', bytes, target });
    if ('examination' in answer) return answer.examination;
    throw errorOf(answer);
  }

  async pack(final: Uint8Array): Promise<Uint8Array> {
    const answer = await this.ask({ work: 'pack', bytes: final });
    if ('packed' in answer) return answer.packed;
    throw errorOf(answer);
  }

  /** @throws FlashError `unexplained` where the thread cannot be started, or ends before it has answered */
  private ask(task: ThreadTask): Promise<ThreadAnswer> {
    clearTimeout(this.idle);
    const worker = (this.worker ??= this.start());
    worker.ref();
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      worker.postMessage({ id, task });
    });
  }

  private start(): Worker {
    const worker = new Worker(join(__dirname, 'image-thread.js'), { execArgv: [] });
    worker.on('message', ({ id, answer }: { id: number; answer: ThreadAnswer }) => {
      this.pending.get(id)?.resolve(answer);
      this.pending.delete(id);
      if (this.pending.size === 0) this.rest(worker);
    });
    worker.once('error', (error) => this.lost(worker, error.message));
    worker.once('exit', (code) => this.lost(worker, wording('thread-ended', { code })));
    return worker;
  }

  /** It must not keep the process alive. */
  private rest(worker: Worker): void {
    worker.unref();
    this.idle = setTimeout(() => {
      this.worker = undefined;
      void worker.terminate();
    }, IDLE_MS).unref();
  }

  /** The next work starts another one. */
  private lost(worker: Worker, message: string | Wording): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    clearTimeout(this.idle);
    const error = new FlashError('unexplained', { reason: wording('thread-gone', { message }) });
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function errorOf(answer: ThreadAnswer): FlashError {
  if ('code' in answer) return new FlashError(answer.code, answer.values);
  return new FlashError('unexplained', { reason: wording('thread-strange') });
}
