/* The queue of a host in the sidebar. */

type SonotaQueueDeed = 'pause' | 'resume' | 'retry' | 'forget' | 'skip';

interface SonotaQueueView {
  readonly root: JQuery;
  update(queue: SonotaQueue): void;
}

function sonotaQueueView(ask: (deed: SonotaQueueDeed, entry?: string) => void): SonotaQueueView {
  const text = (key: string, values?: SonotaValues): string => sonotaSidebarText(`queue.${key}`, values);
  const state = $('<p></p>');
  const counts = $('<p class="sonota-card-more"></p>');
  const fill = $('<div class="sonota-card-fill"></div>');
  const bar = $('<div class="sonota-card-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"></div>');
  bar.attr('aria-label', text('progress')).append(fill);
  const buttons = $('<div class="sonota-card-buttons"></div>');
  const button = (deed: SonotaQueueDeed): JQuery =>
    $('<button type="button" class="red-ui-button red-ui-button-small"></button>')
      .text(text(deed))
      .on('click', () => ask(deed))
      .appendTo(buttons);
  const [pause, resume, retry, forget] = [button('pause'), button('resume'), button('retry'), button('forget')];
  const list = $('<ul role="list"></ul>').attr('aria-label', text('entries'));
  const rows = new Map<string, { root: JQuery; update(entry: SonotaQueueEntry): void }>();
  const root = $('<div class="sonota-queue"></div>').append($('<h4></h4>').text(text('title')));
  root.append(state, counts, bar, buttons, list);

  const update = (queue: SonotaQueue): void => {
    const { percent, waiting, running, done, failed, skipped, entries } = queue;
    root.attr('data-state', queue.state);
    sonotaSetText(state, text(`state.${queue.state}`));
    sonotaSetText(counts, text('counts', { waiting, running, done, failed }));
    bar.attr('aria-valuenow', percent);
    fill.css('width', `${percent}%`);
    pause.toggle(queue.state !== 'paused');
    resume.toggle(queue.state === 'paused');
    retry.prop('disabled', failed === 0);
    forget.prop('disabled', done + failed + skipped === 0);
    sonotaSync(list, rows, entries, () => sonotaQueueRow((id) => ask('skip', id)));
  };
  return { root, update };
}

function sonotaQueueRow(skip: (id: string) => void): { root: JQuery; update(entry: SonotaQueueEntry): void } {
  const device = $('<span></span>');
  const state = $('<span></span>');
  const link = sonotaCodeAnchor();
  const button = $('<button type="button" class="red-ui-button red-ui-button-small"></button>');
  const root = $('<li></li>').append(
    device,
    $('<span></span>').append(state, link),
    button.text(sonotaSidebarText('queue.skip')),
  );
  let shown: SonotaQueueEntry | undefined;
  button.on('click', () => shown && skip(shown.id));

  const update = (entry: SonotaQueueEntry): void => {
    shown = entry;
    const name = entry.deviceid ?? sonotaSidebarText('queue.next');
    root.attr('data-state', entry.state);
    sonotaSetText(device, name);
    const percent = entry.state === 'running' ? ` ${entry.percent} %` : '';
    const { error = '' } = entry;
    const isExplained = error !== '' && sonotaIsExplained(error);
    sonotaSetText(state, isExplained ? '' : error || `${sonotaSidebarText(`queue.entry.${entry.state}`)}${percent}`);
    if (isExplained) sonotaLeadTo(link, error, error);
    link
      .attr('aria-label', isExplained ? sonotaSidebarText('code.explained', { code: error }) : null)
      .toggle(isExplained);
    button.attr('aria-label', sonotaSidebarText('queue.skipOf', { device: name }));
    button.toggle(entry.state === 'waiting' || entry.state === 'running');
  };
  return { root, update };
}
