/* What the form asks the runtime for; see routes.ts. */

type SonotaRole = 'user1' | 'user2' | 'final';

interface SonotaFinding {
  severity: 'refuse' | 'warn' | 'note';
  text: string;
  remedy: string;
  mend?: string;
}

interface SonotaInspection {
  state: 'examined' | 'unconfirmed' | 'not-fetched' | 'unreadable';
  verdict: 'refuse' | 'warn' | 'ok';
  findings: SonotaFinding[];
  /** What else speaks against a final image for a device in DIY mode. */
  inDiyMode?: SonotaFinding[];
  identity: { project: string; version?: string; newerThan?: string; olderThan?: string; variant?: string };
  sha256: string | null;
  size: number | null;
  /** The catalog's name for it, and how it stands to what the catalog knows. */
  title?: string;
  mirror?: 'same' | 'different';
  expectedSize?: number;
  picture: string;
  from: string;
  message: string;
}

interface SonotaCatalogImage {
  name: string;
  title: string;
  licence: string | null;
  url: string;
  roads: string[];
  notes: string;
  size: number | null;
  recommended?: true;
  isHere: boolean;
}

interface SonotaStoredImage {
  sha256: string;
  size: number;
  addedAt: string | null;
  origins: string[];
  /** Something that is deployed or at work refers to it. */
  isUsed: boolean;
}

interface SonotaImages {
  catalog: SonotaCatalogImage[];
  store: SonotaStoredImage[];
}

interface SonotaTarget {
  role: SonotaRole;
  source: string;
  digest?: string | undefined;
  intermediate?: string;
}

/** As the form has it now. */
function sonotaIntermediate(): string {
  return String($('#node-config-input-intermediate').val() ?? '');
}

const sonotaLibrary = {
  images(): PromiseLike<SonotaImages> {
    return sonotaRequest({ url: 'sonota/firmware/images', dataType: 'json' }) as PromiseLike<SonotaImages>;
  },

  examine(target: SonotaTarget): PromiseLike<SonotaInspection> {
    return sonotaPost('examine', target) as PromiseLike<SonotaInspection>;
  },

  confirm(name: string, sha256: string): PromiseLike<unknown> {
    return sonotaPost('confirm', { name, sha256 });
  },

  mend(target: SonotaTarget, mends: string[]): PromiseLike<{ sha256: string }> {
    return sonotaPost('mend', { ...target, mends }) as PromiseLike<{ sha256: string }>;
  },

  remove(sha256: string): PromiseLike<unknown> {
    return sonotaRequest({ url: `sonota/firmware/store/${sha256}`, method: 'DELETE' });
  },

  /** Removes those of the images that nothing refers to by then. */
  prune(digests: string[]): PromiseLike<unknown> {
    return sonotaPost('prune', { digests });
  },

  /** Fetches what is not here; `cancel` of the answer ends it. */
  fetch(
    target: SonotaTarget,
    onProgress: (received: number, total: number | null) => void,
  ): { done: PromiseLike<SonotaInspection>; cancel: () => void } {
    const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
    const request = sonotaRequest({
      url: 'sonota/firmware/fetch',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(target),
      dataType: 'text',
      xhr: () => {
        const xhr = new XMLHttpRequest();
        xhr.onprogress = () => {
          const complete = xhr.responseText.replace(/[^\n]*$/, '');
          const last = JSON.parse(lines(complete).pop() ?? '{}') as { received?: number; total?: number | null };
          if (last.received !== undefined) onProgress(last.received, last.total ?? null);
        };
        return xhr;
      },
    });
    const done = request.then((text: string) => JSON.parse(lines(text).pop() ?? '{}') as SonotaInspection);
    return { done, cancel: () => request.abort() };
  },
};

function sonotaPost(what: string, body: object): PromiseLike<unknown> {
  return sonotaRequest({
    url: `sonota/firmware/${what}`,
    method: 'POST',
    contentType: 'application/json',
    data: JSON.stringify(body),
  });
}
