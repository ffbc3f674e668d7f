/**
 * The process of an editor that shows the sidebar: it receives what the runtime publishes, and fetches the overview when it
 * has changed and now and then besides, as nodes/plugins/sonota-sidebar does.
 */

import { once } from 'node:events';
import WebSocket from 'ws';
import { answerParent } from './child';

/** As the sidebar has it. */
const REFRESH_MS = 5000;

/** The traffic to an editor. */
export interface EditorTraffic {
  /** Answers with the overview, and their length together. */
  readonly overviews: number;
  readonly overviewBytes: number;
  /** Messages that the runtime published. */
  readonly published: number;
}

const traffic = { overviews: 0, overviewBytes: 0, published: 0 };
let comms: WebSocket | undefined;
let since: string | undefined;
let isAsking = false;
let isAskedAgain = false;

async function refresh(url: string): Promise<void> {
  isAskedAgain = isAsking;
  if (isAsking) return;
  isAsking = true;
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const text = await (await fetch(`${url}/sonota/overview${query}`)).text();
  since = (JSON.parse(text) as { at: string }).at;
  traffic.overviews += 1;
  traffic.overviewBytes += text.length;
  isAsking = false;
  if (isAskedAgain) await refresh(url);
}

/** At the end of a run the runtime may go in the middle of an answer. */
function refreshSoon(url: string): void {
  refresh(url).catch(() => undefined);
}

answerParent({
  async open({ url }: { url: string }): Promise<void> {
    comms = new WebSocket(`${url.replace(/^http/, 'ws')}/comms`);
    await once(comms, 'open');
    comms.on('message', (data: Buffer) => {
      const published = [JSON.parse(data.toString()) as unknown].flat() as { topic?: string }[];
      traffic.published += published.length;
      if (published.some(({ topic }) => topic === 'sonota/changed')) refreshSoon(url);
    });
    for (const subscribe of ['status/#', 'notification/#', 'sonota/changed']) comms.send(JSON.stringify({ subscribe }));
    setInterval(() => refreshSoon(url), REFRESH_MS);
    await refresh(url);
  },
  close(): EditorTraffic {
    comms?.terminate();
    return traffic;
  },
});
