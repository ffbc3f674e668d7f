import { closeSync, openSync, readFileSync, readSync, watch } from 'node:fs';
import { EventEmitter, once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';

/** What one node of the flow put out, as the recorder beside it wrote it down. */
export interface FlowRecord {
  /** `result`, `progress`, `error`, `complete` or `status`. */
  kind: string;
  /** The stage node's type without `sonota-`, such as `provision`. */
  node: string;
  at: number;
  msg: FlowMessage;
}

export interface FlowMessage {
  payload?: unknown;
  text?: string;
  details?: string;
  topic?: string;
  deviceid?: string;
  sonota?: Record<string, unknown>;
  error?: { code?: string; message?: string };
  [property: string]: unknown;
}

/** Reads the recorder's file while Node-RED still writes it. Emits `record`. */
export class Records extends EventEmitter {
  readonly all: FlowRecord[] = [];
  readonly #file: number;
  readonly #watcher;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(readonly path: string) {
    super();
    this.#file = openSync(path, 'a+');
    this.#watcher = watch(path, () => this.#read());
  }

  of(kind: string, node?: string): FlowRecord[] {
    return this.all.filter((record) => record.kind === kind && (node === undefined || record.node === node));
  }

  /** The first record that fits, past or to come. */
  async find(fits: (record: FlowRecord) => boolean, signal: AbortSignal): Promise<FlowRecord> {
    let found = this.all.find(fits);
    while (found === undefined) {
      await once(this, 'record', { signal });
      found = this.all.find(fits);
    }
    return found;
  }

  /** The file as it stands, for a search after secrets. */
  text(): string {
    return readFileSync(this.path, 'utf8');
  }

  close(): void {
    this.#watcher.close();
    this.#read();
    closeSync(this.#file);
  }

  #read(): void {
    const buffer = Buffer.alloc(65_536);
    for (let bytes; (bytes = readSync(this.#file, buffer, 0, buffer.length, null)) > 0;)
      this.#rest += this.#decoder.write(buffer.subarray(0, bytes));
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const record = JSON.parse(line) as FlowRecord;
      this.all.push(record);
      this.emit('record', record);
    }
  }
}
