import { createHash } from 'node:crypto';
import { DownloadError } from '../stock/download';
import { pause } from '../device/timers';
import { WireError } from '../wire/wire';
import type { DiyContext } from './context';
import type { FlashOrder } from './flash-order';
import { ImageDownload } from './image-download';
import { PieceError } from './image-piece';
import type { LanAnswer } from './lan-answer';
import { postResult } from './result-post';

/** The error of `ota_flash` for a digest that does not fit (docs/dev/diy-mode.md#1.7). */
const WRONG_DIGEST = 471;
const IMPOSSIBLE = 424;
const TIMED_OUT = 408;
/** The result for the same (docs/dev/diy-mode.md#1.12). */
const RESULT_DOWNLOAD = 404;
const RESULT_DIGEST = 409;

/**
 * One `ota_flash`, from its order to its result (docs/dev/diy-mode.md#1.9, #2.8). When it is answered is not known of real
 * devices, so the behaviour `flashReply` says it; after the reply only the result tells how it ended.
 */
export class FlashRun {
  /** Resolves when the reply is due. */
  readonly reply: Promise<LanAnswer>;
  private answer!: (reply: LanAnswer) => void;
  private hasAnswered = false;

  constructor(
    private readonly device: DiyContext,
    private readonly order: FlashOrder,
    private readonly signal: AbortSignal,
  ) {
    this.reply = new Promise((resolve) => {
      this.answer = (reply) => {
        this.hasAnswered = true;
        resolve(reply);
      };
    });
  }

  /**
   * Resolves to the size of the image that is to be started, undefined where it failed. Rejects with a Restart, a WifiLost,
   * or the signal's reason.
   */
  async run(): Promise<number | undefined> {
    const { device, order, signal } = this;
    device.enter('upgrading');
    const download = new ImageDownload(device, order, signal);
    try {
      if (device.behaviours.flashReply === 'before-range') this.answer({ error: 0 });
      await download.begin();
      this.answerFirstRange();
      const size = await download.finish();
      // A server of one connection could not take the result otherwise.
      download.close();
      return await this.judge(size);
    } catch (error) {
      if (!(error instanceof DownloadError || error instanceof WireError)) throw error;
      device.log(`download failed: ${error.message}`);
      await this.fail(RESULT_DOWNLOAD, errorOf(error));
    } finally {
      download.close();
    }
    return undefined;
  }

  private answerFirstRange(): void {
    const { flashReply } = this.device.behaviours;
    if (flashReply === 'after-first-range') this.answer({ error: 0 });
    if (flashReply === 'never') this.answer('close');
  }

  private async judge(size: number): Promise<number | undefined> {
    const { device, order, signal } = this;
    const digest = createHash('sha256').update(device.flash.read(0, size)).digest('hex');
    if (digest !== order.digest) {
      device.log('digest of the written image is another one');
      await this.fail(RESULT_DIGEST, WRONG_DIGEST);
      return undefined;
    }
    const { resultCode = 0 } = device.behaviours;
    if (resultCode !== 0) {
      await this.fail(resultCode, resultCode);
      return undefined;
    }
    if (!this.hasAnswered) this.answer({ error: 0 });
    await this.report(0);
    device.enter('rebooting');
    await pause(device.timings.rebootAfter, signal);
    return size;
  }

  /** It stays in its stock firmware; before its reply, that says what was wrong, and afterwards the result does. */
  private async fail(result: number, error: number): Promise<void> {
    const wasAccepted = this.hasAnswered || error === WRONG_DIGEST;
    if (!this.hasAnswered) this.answer({ error });
    if (wasAccepted) await this.report(result);
    this.device.enter('refused');
    this.device.failed(`flash-${error}`);
  }

  private async report(result: number): Promise<void> {
    const { device, order, signal } = this;
    if (device.behaviours.postsResult) await postResult(device, order, result, signal);
  }
}

function errorOf(error: Error): number {
  if (error instanceof PieceError) return error.error;
  return error instanceof WireError && error.isTimeout ? TIMED_OUT : IMPOSSIBLE;
}
