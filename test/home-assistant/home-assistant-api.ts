import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';

const OWNER = { name: 'Test', username: 'test', password: 'not a secret', language: 'en' };

interface Answer {
  readonly id: number;
  readonly type: string;
  readonly success?: boolean;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly event?: unknown;
}

/** How a browser or an app talks to a Home Assistant: HTTP and one WebSocket. */
export class HomeAssistantApi {
  token = '';
  private readonly answers = new Map<number, (answer: Answer) => void>();
  private readonly subscriptions = new Map<number, (event: unknown) => void>();
  private readonly closing = new EventEmitter();
  private socket: WebSocket | undefined;
  private lastId = 0;

  constructor(readonly url: string) {}

  /** The first page that a person sees: an owner, whose log-in gives a token. */
  async createOwner(): Promise<void> {
    const client_id = `${this.url}/`;
    const { auth_code } = (await this.post('/api/onboarding/users', { client_id, ...OWNER })) as { auth_code: string };
    const form = new URLSearchParams({ client_id, code: auth_code, grant_type: 'authorization_code' });
    const answer = await fetch(`${this.url}/auth/token`, { method: 'POST', body: form });
    this.token = ((await answer.json()) as { access_token: string }).access_token;
    assert.ok(this.token, 'no token');
  }

  /** The other first pages, before which the frontend shows none. */
  async finishOnboarding(): Promise<void> {
    for (const step of ['core_config', 'analytics']) await this.post(`/api/onboarding/${step}`, {});
    const client = { client_id: `${this.url}/`, redirect_uri: `${this.url}/` };
    await this.post('/api/onboarding/integration', client);
  }

  /** @throws AssertionError with its status and body, where it is not a success */
  async post(path: string, body: object): Promise<unknown> {
    const isForm = body instanceof FormData;
    const headers = { ...this.authorization(), ...(isForm ? {} : { 'content-type': 'application/json' }) };
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers,
      body: isForm ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  /** @returns the id under which a form takes the file */
  async upload(name: string, content: string): Promise<string> {
    const form = new FormData();
    form.set('file', new Blob([content]), name);
    return ((await this.post('/api/file_upload', form)) as { file_id: string }).file_id;
  }

  /** Asks over its WebSocket. */
  async ask(question: object): Promise<unknown> {
    return (await this.send(question)).result;
  }

  /** @param hear is called with each event of the subscription, until the connection ends */
  async subscribe(question: object, hear: (event: never) => void): Promise<void> {
    await this.send(question, hear as (event: unknown) => void);
  }

  /** Opens the WebSocket; the one before ends with all of its subscriptions. */
  async open(): Promise<void> {
    this.close();
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/api/websocket`);
    this.socket = socket;
    socket.on('close', () => this.closing.emit('closed', socket));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', (data: Buffer) => {
        const answer = JSON.parse(data.toString('utf8')) as Answer;
        if (answer.type === 'auth_required') socket.send(JSON.stringify({ type: 'auth', access_token: this.token }));
        else if (answer.type === 'auth_ok') resolve();
        else if (answer.type === 'event') this.subscriptions.get(answer.id)?.(answer.event);
        else this.answers.get(answer.id)?.(answer);
      });
    });
    socket.on('error', () => undefined);
  }

  close(): void {
    this.socket?.terminate();
    this.subscriptions.clear();
  }

  private async send(question: object, hear?: (event: unknown) => void): Promise<Answer> {
    const id = ++this.lastId;
    if (hear) this.subscriptions.set(id, hear);
    const { socket } = this;
    const answered = new Promise<Answer>((resolve, reject) => {
      const lost = (closed: WebSocket): void => {
        if (closed === socket)
          reject(new Error(`the connection ended before an answer to ${JSON.stringify(question)}`));
      };
      this.closing.once('closed', lost);
      this.answers.set(id, (answer) => {
        this.closing.off('closed', lost);
        this.answers.delete(id);
        resolve(answer);
      });
    });
    socket?.send(JSON.stringify({ id, ...question }));
    const answer = await answered;
    assert.ok(answer.success, `${JSON.stringify(question)}: ${answer.error?.message ?? ''}`);
    return answer;
  }

  private authorization(): Record<string, string> {
    return this.token === '' ? {} : { authorization: `Bearer ${this.token}` };
  }
}
