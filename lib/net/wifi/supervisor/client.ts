import { FlashError } from '../../../errors';
import { reasonOf } from '../within';
import { quoted, wording, type Wording } from '../../../wordings/wording';

/** All but an update is answered immediately; a scan sleeps for 5 s. */
export const CALL_LIMIT_MS = 20_000;

/** One interface, as far as it matters here (`/network/info`). */
export interface SupervisorInterface {
  readonly interface: string;
  readonly type: string;
  /** It has a profile. */
  readonly enabled: boolean;
  readonly connected: boolean;
  /** It carries the default route. */
  readonly primary: boolean;
  readonly ipv4: {
    readonly method: string;
    readonly address: readonly string[];
    readonly gateway: string | null;
    readonly nameservers: readonly string[];
  } | null;
  readonly wifi: { readonly ssid: string } | null;
}

export interface SupervisorAccessPoint {
  readonly mode: string;
  readonly ssid: string;
  readonly frequency: number;
  readonly signal: number;
  readonly mac: string;
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly name: string;
  readonly body?: object;
  readonly limitMs?: number;
}

/** The network part of Home Assistant's Supervisor API. Every call throws a FlashError `wifi-*`, or `cancelled`. */
export class SupervisorClient {
  /** @param url `http://supervisor` @param token a secret */
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async interfaces(signal: AbortSignal): Promise<SupervisorInterface[]> {
    const { interfaces } = (await this.call('/network/info', { signal, name: '' })) as {
      interfaces?: SupervisorInterface[];
    };
    return interfaces ?? [];
  }

  async interface(name: string, signal: AbortSignal): Promise<SupervisorInterface> {
    return (await this.call(`${pathOf(name)}/info`, { signal, name })) as SupervisorInterface;
  }

  async accessPoints(name: string, signal: AbortSignal): Promise<SupervisorAccessPoint[]> {
    const answer = await this.call(`${pathOf(name)}/accesspoints`, { signal, name });
    return (answer as { accesspoints?: SupervisorAccessPoint[] }).accesspoints ?? [];
  }

  /** Blocks until the network is joined, or cannot be. */
  async update(
    name: string,
    body: object,
    { signal, limitMs }: { signal: AbortSignal; limitMs: number },
  ): Promise<void> {
    await this.call(`${pathOf(name)}/update`, { signal, name, body, limitMs });
  }

  private async call(path: string, { signal, name, body, limitMs = CALL_LIMIT_MS }: CallOptions): Promise<unknown> {
    const limit = AbortSignal.timeout(limitMs);
    const both = AbortSignal.any([signal, limit]);
    let response: Response;
    let answer: { result?: string; message?: string; data?: unknown };
    try {
      response = await fetch(`${this.url}${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { Authorization: `Bearer ${this.token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: both,
      });
      answer = (await response.json()) as typeof answer;
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      if (limit.aborted) throw new FlashError('wifi-supervisor-timeout', { seconds: limitMs / 1000 });
      throw new FlashError('wifi-supervisor-failed', { name, reason: reasonIn(error) });
    }
    if (response.ok && answer.result === 'ok') return answer.data ?? {};
    throw refusal(response.status, answer.message, name);
  }
}

function pathOf(name: string): string {
  return `/network/interface/${encodeURIComponent(name)}`;
}

/** `fetch` hides what happened in the cause; an answer that is no JSON is not quoted. */
function reasonIn(error: unknown): Wording {
  if (error instanceof SyntaxError) return wording('not-its-protocol');
  const { message, cause } = error as Error & { cause?: { code?: string } };
  return quoted(cause?.code ?? message);
}

function refusal(status: number, message: string | undefined, name: string): FlashError {
  const reason = message === undefined ? wording('http-status', { status }) : quoted(message);
  if (status === 401 || status === 403) return new FlashError('wifi-not-permitted', { name, reason });
  if (status === 404 || /does not exist/.test(message ?? '')) return new FlashError('wifi-interface-missing', { name });
  return new FlashError('wifi-supervisor-failed', { name, reason });
}
