import { FlashError } from '../errors';
import { commandPath, readAnswer, readFacts, type TasmotaAnswer, type TasmotaFacts } from '../protocol/tasmota';
import type { RequestOptions } from './device-request';
import { readWebPage } from './web-page';

/** `silent`: no answer at all, as to a Referer that Tasmota rejects; `strange`: it is no Tasmota. */
export type TasmotaOutcome<T> = { readonly answer: T } | { readonly problem: 'silent' | 'strange' };

/** Sends commands to the Tasmota at one address, each as if from its own page: it refuses others. */
export class TasmotaClient {
  private isLocked = false;

  /**
   * @param url `http://…`, without a path
   * @param webPassword said only where it is asked for
   */
  constructor(
    readonly url: string,
    private readonly webPassword: string | undefined,
  ) {}

  /** @throws FlashError `tasmota-password-wrong` */
  async ask(line: string, options: RequestOptions): Promise<TasmotaOutcome<TasmotaAnswer>> {
    const path = commandPath(line, this.isLocked ? this.webPassword : undefined);
    const page = await readWebPage(new URL(path, this.url), options);
    if (typeof page === 'string') return { problem: page === 'refused' ? 'silent' : page };
    if (page.status === 401) {
      if (this.isLocked || this.webPassword === undefined)
        throw new FlashError('tasmota-password-wrong', { url: this.url });
      this.isLocked = true;
      return await this.ask(line, options);
    }
    const answer = page.status === 200 ? readAnswer(page.body) : undefined;
    return answer ? { answer } : { problem: 'strange' };
  }

  /** Its type and settings. @throws FlashError `tasmota-password-wrong` */
  async facts(options: RequestOptions): Promise<TasmotaOutcome<TasmotaFacts>> {
    const outcome = await this.ask('Status 0', options);
    if ('problem' in outcome) return outcome;
    const facts = readFacts(outcome.answer);
    return facts ? { answer: facts } : { problem: 'strange' };
  }
}
