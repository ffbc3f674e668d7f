/* The overview of the hosts (GET sonota/overview), and its texts in the editor's language. */

interface SonotaSentence {
  name: string;
  values: SonotaValues;
  text: string;
  details?: string;
}

interface SonotaTrouble {
  code: string;
  text: string;
  values: SonotaValues;
}

interface SonotaJob {
  id: string;
  deviceid: string | null;
  model: string | null;
  romVersion: string | null;
  method?: string;
  stage: string;
  lastStage: string;
  percent: number;
  startedAt: string;
  endedAt?: string;
  error?: string;
  verdict?: { code: string; confidence: string; text: string; values: SonotaValues };
  says?: SonotaSentence;
  lastRequest?: SonotaSentence & { at: string };
  isHandNeeded: boolean;
  waitEndsAt?: string;
  networkClosesAt?: string;
  firmware?: string;
  pageUrl?: string;
  nextStep?: { state: 'running' | 'done' | 'failed'; error?: SonotaTrouble };
  canGiveWifi: boolean;
  line: string;
  canCancel: boolean;
  canRetry: boolean;
  canForget: boolean;
}

interface SonotaQueueEntry {
  id: string;
  deviceid: string | null;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  attempts: number;
  percent: number;
  error?: string;
}

interface SonotaQueue {
  state: 'idle' | 'running' | 'paused';
  waiting: number;
  running: number;
  done: number;
  failed: number;
  skipped: number;
  percent: number;
  entries: SonotaQueueEntry[];
}

interface SonotaSonoff {
  id: string;
  deviceid?: string;
  name?: string;
  model?: string;
  version?: string;
  address?: string;
  method: { name: string; text: string };
  confidence: string;
  reason: { name: string; values: SonotaValues; text: string };
}

interface SonotaHost {
  id: string;
  name: string;
  isListening: boolean;
  address?: string;
  ports: number[];
  trouble?: SonotaTrouble;
  jobs: SonotaJob[];
  queue?: SonotaQueue;
  sonoffs?: SonotaSonoff[];
}

/** The changes since the answer before: of an unchanged host only its id, and the jobs that changed. */
interface SonotaChanges {
  at: string;
  hosts: (Partial<SonotaHost> & { id: string; jobs: SonotaJob[]; order?: string[] })[];
}

/** The hosts as they are now: what was known, with what is new. */
function sonotaMerged(known: readonly SonotaHost[], changes: SonotaChanges): SonotaHost[] {
  return changes.hosts.map(({ order, jobs, ...news }) => {
    const before = known.find(({ id }) => id === news.id);
    const byId = new Map([...(before?.jobs ?? []), ...jobs].map((job) => [job.id, job]));
    const ids = order ?? before?.jobs.map(({ id }) => id) ?? [];
    // A changed host comes whole: properties that it has lost must not stay.
    const host = Object.keys(news).length > 1 ? news : before;
    return { ...host, jobs: ids.flatMap((id) => byId.get(id) ?? []) } as SonotaHost;
  });
}

/** A text of the sidebar's own catalogue. */
function sonotaSidebarText(key: string, values?: SonotaValues): string {
  return RED._(`@sonota/node-red/sonota-sidebar:sonota-sidebar.${key}`, values && sonotaSpoken(values));
}

/** A text that the nodes share, or the runtime's English where the catalogue has none. */
function sonotaSharedText(key: string, values: SonotaValues, english: string): string {
  return sonotaCatalogued(key, values) ?? english;
}

/** The sentences of a code: of trouble what happened and what to do, of a note its one sentence. */
function sonotaExplained({ code, values, text }: { code: string; values: SonotaValues; text: string }): string {
  const what = sonotaSharedText(`errors.${code}.what`, values, '');
  const remedy = sonotaSharedText(`errors.${code}.remedy`, values, '');
  return what && remedy ? `${what} ${remedy}` : sonotaSharedText(`notes.${code}`, values, text);
}

/** A time of today as the clock shows it, any other with its date. */
function sonotaTime(iso: string): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date().toDateString();
  // Undefined is the browser's own, whose name in navigator.language need not be a valid one.
  const language = localStorage.getItem('editor-language') ?? undefined;
  return isToday ? time.toLocaleTimeString(language) : time.toLocaleString(language);
}
