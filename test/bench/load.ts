/** Rows in which devices are flashed at the same time, beside a bare server under the same devices. */

import { Child } from './child';
import type { Fleet, FleetTimes } from './clients';
import type { EditorTraffic } from './editor';
import { median, percentile, type Figure, type Row } from './figures';
import type { Usage } from './probe';

export interface LoadOptions {
  readonly imagePath: string;
  readonly rounds: number;
}

type Side = 'our-server' | 'bare-server';
const SIDES: readonly Side[] = ['bare-server', 'our-server'];
const PARTNER = 'bare Node.js server, same bytes';

/** A server of either kind, and the devices in front of it. */
class Scene {
  private editor: Child | undefined;

  private constructor(
    readonly server: Child,
    readonly clients: Child,
    private readonly opened: { readonly port: number; readonly editorUrl?: string },
  ) {}

  static async open(side: Side, { imagePath }: LoadOptions): Promise<Scene> {
    const [server, clients] = [Child.start(side), Child.start('clients')];
    return new Scene(server, clients, await server.ask('open', { imagePath }));
  }

  /** Opens an editor that shows the sidebar. */
  async openEditor(): Promise<void> {
    this.editor = Child.start('editor');
    await this.editor.ask('open', { url: this.opened.editorUrl });
  }

  async closeEditor(): Promise<EditorTraffic | undefined> {
    const traffic = await this.editor?.ask<EditorTraffic>('close');
    await this.editor?.stop();
    return traffic;
  }

  fleet(count: number, sectorMs: number, first = 1): Fleet {
    return { count, port: this.opened.port, sectorMs, first };
  }

  /** Compiles before anything is measured. */
  async warmUp(): Promise<void> {
    await this.clients.ask('flash', this.fleet(3, 0, 0xf00000));
    await this.clients.ask('leave');
  }

  async close(): Promise<number> {
    const took = await this.server.ask<number>('close');
    await Promise.all([this.clients.stop(), this.server.stop()]);
    return took;
  }
}

/** The measurements of devices that were flashed at the same time. */
type Seen = FleetTimes & Usage & Partial<EditorTraffic>;

/** @param sectorMs what a sector's flash time is */
export async function devices(count: number, sectorMs: number, options: LoadOptions): Promise<Row> {
  const bare = (): Promise<Seen> => flashed('bare-server', count, sectorMs, options);
  const own = (): Promise<Seen> => flashed('our-server', count, sectorMs, options);
  const { ours, partner } = await inTurns(options.rounds, bare, own);
  return { name: nameOf(count, sectorMs), partner: PARTNER, figures: figuresOf(count, ours, partner) };
}

/** The cost to the devices of an open editor that shows the sidebar. */
export async function withEditor(count: number, sectorMs: number, options: LoadOptions): Promise<Row> {
  const without = (): Promise<Seen> => flashed('our-server', count, sectorMs, options);
  const open = (): Promise<Seen> => flashed('our-server', count, sectorMs, options, true);
  const { ours, partner } = await inTurns(options.rounds, without, open);
  const sent = (unit: string, of: (one: Seen) => number | undefined): Figure => ({
    unit,
    ours: ours.map((one) => of(one) ?? NaN),
  });
  return {
    name: `${nameOf(count, sectorMs)}, an editor open`,
    partner: 'the same without an editor',
    figures: {
      ...figuresOf(count, ours, partner),
      'overviews sent to it': sent('', ({ overviews }) => overviews),
      'length of all of them': sent('kB', ({ overviewBytes = NaN }) => overviewBytes / 1000),
      'messages published to it': sent('', ({ published }) => published),
    },
  };
}

/** Fetches and flashes before any is measured: what is compiled while it runs is compiled then, on either side. */
const PEER_WARM_UP = 10;
/** A download takes some ms. */
const DOWNLOADS_A_ROUND = 20;

/**
 * The ranges of one upgrade beside another program that serves an image by ranges, such as a SonOTA.
 *
 * @param url of that image on this machine
 */
export async function besidePeer(url: string, options: LoadOptions): Promise<Row> {
  const scene = await Scene.open('our-server', options);
  const peer = new URL(url).host;
  const seen = { ours: [] as number[], partner: [] as number[] };
  let count = 0;
  let number = 0;
  const both = async (): Promise<[readonly number[], readonly number[]]> => {
    const theirs = await scene.clients.ask<readonly number[]>('fetch', { url });
    const { ranges } = await scene.clients.ask<FleetTimes>('flash', scene.fleet(1, 0, (number += 1)));
    await scene.clients.ask('leave');
    await scene.server.ask('endJobs');
    return [ranges, theirs];
  };
  for (let times = 0; times < PEER_WARM_UP; times++) await both();
  for (let times = 0; times < options.rounds * DOWNLOADS_A_ROUND; times++) {
    const [ranges, theirs] = await both();
    count = Math.min(ranges.length, theirs.length);
    const sum = (all: readonly number[]): number => all.slice(0, count).reduce((total, ms) => total + ms, 0);
    seen.ours.push(sum(ranges));
    seen.partner.push(sum(theirs));
  }
  await scene.close();
  return {
    name: 'one upgrade beside another program',
    partner: `what serves at ${peer}`,
    figures: { [`its first ${count} ranges`]: { unit: 'ms', digits: 1, ...seen } },
  };
}

async function inTurns(
  rounds: number,
  measurePartner: () => Promise<Seen>,
  measureOurs: () => Promise<Seen>,
): Promise<{ ours: Seen[]; partner: Seen[] }> {
  const seen = { ours: [] as Seen[], partner: [] as Seen[] };
  for (let round = 0; round < rounds; round++) {
    seen.partner.push(await measurePartner());
    seen.ours.push(await measureOurs());
  }
  return seen;
}

async function flashed(
  side: Side,
  count: number,
  sectorMs: number,
  options: LoadOptions,
  hasEditor = false,
): Promise<Seen> {
  const scene = await Scene.open(side, options);
  await scene.warmUp();
  if (hasEditor) await scene.openEditor();
  await scene.server.ask('begin');
  const times = await scene.clients.ask<FleetTimes>('flash', scene.fleet(count, sectorMs));
  const usage = await scene.server.ask<Usage>('end');
  const traffic = await scene.closeEditor();
  await scene.close();
  return { ...times, ...usage, ...traffic };
}

function nameOf(count: number, sectorMs: number): string {
  return `${count} concurrent, ${sectorMs === 0 ? 'no flash time' : `${sectorMs} ms a sector`}`;
}

function figuresOf(count: number, ours: readonly Seen[], partner: readonly Seen[]): Row['figures'] {
  const figure = (unit: string, of: (one: Seen) => number, digits = 0): Figure => ({
    unit,
    digits,
    ours: ours.map(of),
    partner: partner.map(of),
  });
  return {
    time: figure('s', ({ total }) => total / 1000, 2),
    'all ranges of a device': figure('ms', ({ ranges }) => ranges.reduce((sum, ms) => sum + ms, 0) / count),
    'a range, p99': figure('ms', ({ ranges }) => percentile(ranges, 0.99)),
    'dispatch to upgrade': figure('ms', ({ toUpgrade }) => median(toUpgrade)),
    'server CPU, user': figure('ms', ({ userMs }) => userMs),
    'loop delay, p99.9': figure('ms', ({ loopP999 }) => loopP999),
    'loop delay, worst': figure('ms', ({ loopWorst }) => loopWorst),
  };
}

/** The cost of one more device while its flash is under way: with many, less with few, by their difference. */
export async function memory(few: number, many: number, options: LoadOptions): Promise<Row> {
  const perDevice: Record<Side, number[]> = { 'bare-server': [], 'our-server': [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const side of SIDES) {
      const [less, more] = [await livingWith(few, side, options), await livingWith(many, side, options)];
      perDevice[side].push((more - less) / (many - few) / 1000);
    }
  }
  const figure = { unit: 'kB', ours: perDevice['our-server'], partner: perDevice['bare-server'] };
  return { name: 'memory a device', partner: PARTNER, figures: { [`${many} less ${few}, each`]: figure } };
}

async function livingWith(count: number, side: Side, options: LoadOptions): Promise<number> {
  const scene = await Scene.open(side, options);
  await scene.warmUp();
  await scene.clients.ask('fetchAll', scene.fleet(count, 10));
  const living = await scene.server.ask<number>('livingBytes');
  await scene.clients.ask('acknowledgeAll');
  await scene.close();
  return living;
}

/**
 * The memory left behind by devices that come one after another and go.
 *
 * @param marks how many have come when memory is looked at: of those between the last two nothing is left, once the host
 *   remembers as many devices and keys as it ever does
 */
export async function oneAfterAnother(marks: readonly [number, ...number[]], options: LoadOptions): Promise<Row> {
  const scene = await Scene.open('our-server', options);
  await scene.warmUp();
  const flash = async (from: number, to: number): Promise<number> => {
    const begun = performance.now();
    for (let number = from; number <= to; number++) {
      await scene.clients.ask('flash', scene.fleet(1, 0, number));
      await scene.clients.ask('leave');
      await scene.server.ask('endJobs');
    }
    return (performance.now() - begun) / (to - from + 1);
  };
  const [first, ...others] = marks;
  await flash(1, first);
  let before = { mark: first, bytes: await scene.server.ask<number>('livingBytes') };
  const each: number[] = [];
  const left: Record<string, Figure> = {};
  for (const mark of others) {
    each.push(await flash(before.mark + 1, mark));
    const bytes = await scene.server.ask<number>('livingBytes');
    left[`left in memory by ${before.mark + 1} to ${mark}`] = { unit: 'kB', ours: [(bytes - before.bytes) / 1000] };
    before = { mark, bytes };
  }
  await scene.close();
  return {
    name: `${before.mark} one after another`,
    partner: '',
    figures: { ...left, 'time, each': { unit: 'ms', ours: each } },
  };
}

/** Closing with so many sessions open. */
export async function close(count: number, options: LoadOptions): Promise<Row> {
  const took: Record<Side, number[]> = { 'bare-server': [], 'our-server': [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const side of SIDES) {
      const scene = await Scene.open(side, options);
      await scene.clients.ask('flash', scene.fleet(count, 0));
      took[side].push(await scene.close());
    }
  }
  const figure = { unit: 'ms', ours: took['our-server'], partner: took['bare-server'] };
  return { name: `close with ${count} sessions`, partner: PARTNER, figures: { time: figure } };
}
