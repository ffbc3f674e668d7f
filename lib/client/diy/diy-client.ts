import { FlashError, type ErrorCode } from '../../errors';
import { bodyOf, deviceidLadder, pathOf, type DiyCommand, type DiyCommandName } from '../../protocol/diy/commands';
import { errorCodeOf } from '../../protocol/diy/error-codes';
import { DIY_PORT } from '../../protocol/diy/names';
import { parseDiyReply, readDiyInfo, type DiyInfo } from '../../protocol/diy/reply';
import { requestOfDevice, type RequestOptions, type RequestOutcome } from '../device-request';
import { inTurn } from './turns';
import { wording, type Wording } from '../../wordings/wording';

/**
 * - `done`: the device took the command
 * - `refused`: with its own error, and what that means
 * - `foreign`: an answer, but none of DIY mode
 * - `lost`: the device may have the command, but no whole answer came
 * - `unreachable`: it does not have it
 *
 * `isTurnedAway`: most likely another program held its only connection.
 */
export type DiyOutcome =
  | { readonly result: 'done'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly result: 'refused'; readonly error: number; readonly code: ErrorCode; readonly isStock: boolean }
  | { readonly result: 'foreign'; readonly reason: Wording; readonly isStock: boolean }
  | {
      readonly result: 'lost' | 'unreachable';
      readonly reason: Wording;
      readonly errno?: string | undefined;
      readonly isTurnedAway?: true | undefined;
    };

/** Commands that may be sent twice: they change nothing, or the same. */
const REPEATABLE: readonly DiyCommandName[] = ['info', 'signal_strength', 'switch'];
/** How often a connection that is reset is tried again: another program may hold the only one. */
const ATTEMPTS = 5;
/** Node's code for a connection that was reset, and for one that ended without an answer. */
const RESET = 'ECONNRESET';
/** The Server header of a stock Sonoff (docs/dev/diy-mode.md#2.3). */
const STOCK_SERVER = 'openresty';

/** One device in DIY mode, at one address. Requests are sent in turn, whichever client they come from. */
export class DiyClient {
  /** Such as http://192.168.1.104:8081. */
  readonly url: string;
  /** The device's id where it is known, before `identify` or through it. */
  #deviceid: string | undefined;
  /** How a request names the device; `identify` finds out what it takes. */
  #named: string | undefined;

  /** @param address its IPv4 address or host name */
  constructor(
    address: string,
    { port = DIY_PORT, deviceid }: { port?: number | undefined; deviceid?: string | undefined } = {},
  ) {
    this.url = `http://${address}:${port}`;
    this.#deviceid = deviceid;
    this.#named = deviceid;
  }

  get deviceid(): string | undefined {
    return this.#deviceid;
  }

  /**
   * One command. An answer that is lost proves nothing: a device that took `ota_flash` may well say no word
   * (docs/dev/diy-mode.md#1.7).
   *
   * @param limitMs in `options`, for each attempt; a request that hangs is ended by it, and gives the device's only connection back
   * @throws FlashError `cancelled`
   */
  async send(command: DiyCommand, options: RequestOptions): Promise<DiyOutcome> {
    const attempts = REPEATABLE.includes(command.name) ? ATTEMPTS : 1;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#sendOnce(command, options);
      const isReset = 'errno' in outcome && outcome.errno === RESET;
      if (!isReset || attempt >= attempts) return outcome;
    }
  }

  /**
   * Asks the device what it is, and finds out under which id it takes commands. Only the true id can tell that this is
   * another device: a device that is named otherwise, or not at all, is never taken for the one that was meant.
   *
   * @throws FlashError `diy-unreachable`, `diy-stranger`, `diy-encrypted`, `diy-other-device`, `diy-id-needed`,
   *   `diy-refused`, `cancelled`
   */
  async identify(options: RequestOptions): Promise<DiyInfo> {
    let failure: FlashError | undefined;
    for (const named of deviceidLadder(this.#deviceid)) {
      this.#named = named;
      const outcome = await this.send({ name: 'info' }, options);
      if (outcome.result === 'done') return this.#recognise(readDiyInfo(outcome.data));
      failure = this.errorOf('info', outcome, options);
      if (outcome.result === 'unreachable' || outcome.result === 'foreign') break;
      if (failure.code === 'diy-encrypted' || (failure.code === 'diy-other-device' && named)) break;
    }
    this.#named = this.#deviceid;
    throw failure ?? new FlashError('unexplained', { reason: wording('no-id-tried') });
  }

  /** An outcome other than `done`, as the error that it comes to. */
  errorOf(
    command: DiyCommandName,
    outcome: Exclude<DiyOutcome, { result: 'done' }>,
    { limitMs }: Pick<RequestOptions, 'limitMs'>,
  ): FlashError {
    const { url } = this;
    if (outcome.result === 'foreign') return new FlashError('diy-stranger', { url, reason: outcome.reason });
    if (outcome.result !== 'refused') {
      return new FlashError('diy-unreachable', { url, seconds: Math.round(limitMs / 1000), reason: outcome.reason });
    }
    const { code, error } = outcome;
    if (code === 'diy-other-device' && this.#deviceid === undefined) return new FlashError('diy-id-needed', { url });
    return new FlashError(code, { url, deviceid: this.#deviceid ?? url, command, error });
  }

  #recognise(info: DiyInfo): DiyInfo {
    const { deviceid } = info;
    const known = this.#deviceid;
    // Before 3.5 it tells no id, but does not answer to another one either.
    const isMeant = known === undefined || (deviceid ?? this.#named)?.toLowerCase() === known.toLowerCase();
    if (isMeant && deviceid === undefined) return info;
    if (!isMeant) {
      this.#named = this.#deviceid;
      throw new FlashError('diy-other-device', { url: this.url, deviceid: known });
    }
    this.#deviceid = this.#named = deviceid;
    return info;
  }

  async #sendOnce(command: DiyCommand, options: RequestOptions): Promise<DiyOutcome> {
    const request = {
      method: 'POST',
      url: new URL(pathOf(command.name), this.url),
      body: bodyOf(command, this.#named),
    } as const;
    const outcome = await inTurn(this.url, options.signal, () => requestOfDevice(request, options));
    return outcomeOf(command.name, outcome);
  }
}

function outcomeOf(command: DiyCommandName, outcome: RequestOutcome): DiyOutcome {
  switch (outcome.result) {
    case 'aborted':
      throw new FlashError('cancelled');
    case 'unsent':
      return { ...outcome, result: 'unreachable' };
    case 'lost':
      if (outcome.errno?.startsWith('HPE_')) return { result: 'foreign', reason: wording('not-http'), isStock: false };
      return { ...outcome, result: 'lost' };
    case 'answered': {
      const isStock = outcome.server === STOCK_SERVER;
      const reply = parseDiyReply(outcome.body);
      if (reply.result === 'done') return reply;
      if (reply.result === 'foreign') return { ...reply, isStock };
      return { ...reply, code: errorCodeOf(command, reply.error), isStock };
    }
  }
}
