/* One host in the sidebar, with its flashes. */

interface SonotaHostSection {
  readonly root: JQuery;
  update(host: SonotaHost): void;
}

function sonotaHostSection(
  act: (deed: SonotaDeed, host: SonotaHost, job: SonotaJob) => void,
  ask: (deed: SonotaQueueDeed, host: SonotaHost, entry?: string) => void,
  announce: (text: string) => void,
): SonotaHostSection {
  const title = $('<h3></h3>');
  const state = $('<p class="sonota-card-more"></p>');
  const trouble = $('<p class="sonota-board-notice"></p>');
  const code = sonotaCodeLink();
  const empty = $('<p></p>').text(sonotaSidebarText('host.noJobs'));
  const list = $('<ul role="list"></ul>');
  const queue = sonotaQueueView((deed, entry) => {
    if (shown) ask(deed, shown, entry);
  });
  const sonoffs = sonotaSonoffTable();
  const root = $('<section></section>').append(
    ...[title, state, trouble, code.root, queue.root, empty, list, sonoffs.root],
  );
  const cards = new Map<string, SonotaCard>();
  let shown: SonotaHost | undefined;

  const update = (host: SonotaHost): void => {
    shown = host;
    const name = host.name || sonotaSidebarText('host.unnamed');
    root.attr({ 'aria-label': name, 'data-host': host.id });
    list.attr('aria-label', sonotaSidebarText('host.jobs', { host: name }));
    sonotaSetText(title, name);
    sonotaSetText(state, host.trouble ? '' : sonotaHostState(host));
    sonotaSetText(trouble, host.trouble ? sonotaExplained(host.trouble) : '');
    code.show(host.trouble?.code);
    queue.root.toggle(host.queue !== undefined);
    if (host.queue) queue.update(host.queue);
    sonoffs.update(host.sonoffs);
    empty.toggle(host.jobs.length === 0);
    sonotaSync(list, cards, host.jobs, () =>
      sonotaJobCard((deed, job) => {
        if (shown) act(deed, shown, job);
      }, announce),
    );
  };
  return { root, update };
}

function sonotaHostState({ isListening, address, ports }: SonotaHost): string {
  if (!isListening) return sonotaSidebarText('host.idle');
  return sonotaSidebarText('host.listening', { address: address ?? '?', ports: ports.join(', ') });
}

/**
 * Brings what stands in `place` to what there is: changes what is there, adds what is new, removes what is gone, and
 * moves only what stands in the wrong place, since moving takes the focus away.
 */
function sonotaSync<T extends { id: string }>(
  place: JQuery,
  shown: Map<string, { root: JQuery; update(thing: T): void }>,
  things: readonly T[],
  make: () => { root: JQuery; update(thing: T): void },
): void {
  for (const [id, { root }] of shown) {
    if (things.some((thing) => thing.id === id)) continue;
    root.remove();
    shown.delete(id);
  }
  things.forEach((thing, index) => {
    const view = shown.get(thing.id) ?? make();
    shown.set(thing.id, view);
    view.update(thing);
    const there = place.children().get(index);
    if (there === view.root.get(0)) return;
    if (there) view.root.insertBefore(there);
    else view.root.appendTo(place);
  });
}
