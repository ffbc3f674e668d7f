/*
 * The sidebar tab "Sonoff flashing". The runtime rings (`sonota/changed`) when something is new; this fetches it while
 * the tab is shown, and now and then besides, because a verdict may change by time alone.
 */

const SONOTA_SIDEBAR_ID = 'sonota-flashing';
const SONOTA_REFRESH_MS = 5000;

RED.plugins.registerPlugin('sonota-sidebar', {
  onadd: () => {
    RED.actions.add('sonota:show-flashing-tab', () => RED.sidebar.show(SONOTA_SIDEBAR_ID));
    const board = sonotaBoard();
    RED.sidebar.addTab({
      id: SONOTA_SIDEBAR_ID,
      name: sonotaSidebarText('name'),
      label: sonotaSidebarText('label'),
      iconClass: 'fa fa-bolt',
      content: board.root.get(0),
      action: 'sonota:show-flashing-tab',
      pinned: true,
      enableOnEdit: true,
      // The editor calls this before it shows the tab, and of a hidden one nothing is fetched.
      onchange: () => void setTimeout(board.refresh, 0),
    } as Parameters<typeof RED.sidebar.addTab>[0]);
    RED.comms.subscribe('sonota/changed', board.refresh);
    setInterval(board.refresh, SONOTA_REFRESH_MS);
    setInterval(sonotaTick, 1000);
    // Only in the editor in which the button was pressed.
    RED.events.on('sonota:flash-pressed', () => RED.sidebar.show(SONOTA_SIDEBAR_ID));
    const tellOfWaits = (): void => {
      if (!board.root.is(':visible')) sonotaTellOfWaits();
    };
    RED.events.on('deploy', tellOfWaits);
    RED.events.on('flows:loaded', tellOfWaits);
    sonotaSearchTerms();
  },
});

function sonotaBoard(): { root: JQuery; refresh: () => void } {
  const notice = $('<p class="sonota-board-notice" role="alert"></p>').hide();
  const live = $('<p class="sonota-board-hidden" role="status"></p>');
  const empty = $('<p></p>').text(sonotaSidebarText('loading'));
  const place = $('<div></div>');
  // It scrolls, so it must be reachable by keyboard.
  const root = $('<div class="sonota-board" tabindex="0" role="region"></div>')
    .attr('aria-label', sonotaSidebarText('name'))
    .append(notice, live, sonotaOfferCall(), empty, place);
  const sections = new Map<string, SonotaHostSection>();
  let known: SonotaHost[] = [];
  let since: string | undefined;
  let isAsking = false;
  let isAskedAgain = false;

  const complain = (request: JQuery.jqXHR, forbidden: 'mayNotSee' | 'mayNotChange'): void => {
    const reason = sonotaRefusal(request);
    const isForbidden = request.status === 401 || request.status === 403;
    sonotaSetText(notice, isForbidden ? sonotaSidebarText(forbidden) : sonotaSidebarText('failed', { reason }));
  };
  const show = (hosts: SonotaHost[]): void => {
    sonotaCallPerson(hosts.flatMap(({ jobs }) => jobs));
    sonotaSetText(empty, hosts.length === 0 ? sonotaSidebarText('noHosts') : '');
    sonotaSync(place, sections, hosts, () => sonotaHostSection(act, ask, (text) => live.text(text)));
  };
  const refresh = (): void => {
    isAskedAgain = isAsking;
    // A person who has left the page is called back, whichever tab is shown.
    if (isAsking || !(root.is(':visible') || document.hidden)) return;
    isAsking = true;
    const data = since === undefined ? {} : { since };
    void sonotaRequest({ url: 'sonota/overview', data, dataType: 'json', cache: false })
      .done((answer: SonotaChanges) => {
        if (root.attr('data-failed') === 'true') sonotaSetText(notice, '');
        root.attr('data-failed', 'false');
        known = sonotaMerged(known, answer);
        since = answer.at;
        show(known);
      })
      .fail((request: JQuery.jqXHR) => {
        // While Node-RED restarts, the editor itself shows that.
        if (request.status === 0) return;
        root.attr('data-failed', 'true');
        complain(request, 'mayNotSee');
      })
      .always(() => {
        isAsking = false;
        if (isAskedAgain) refresh();
      });
  };
  const act = (deed: SonotaDeed, host: SonotaHost, job: SonotaJob): void => {
    sonotaSetText(notice, '');
    if (deed === 'line') return sonotaCopy(job.line, (text) => sonotaSetText(notice, text));
    const url = `sonota/host/${encodeURIComponent(host.id)}/jobs/${encodeURIComponent(job.id)}`;
    const asked = {
      cancel: () => sonotaRequest({ url: `${url}/cancel`, method: 'POST' }).done(refresh),
      evidence: () => sonotaRequest({ url: `${url}/evidence`, dataType: 'text' }).done(sonotaSave),
      retry: () => sonotaRequest({ url: `${url}/retry`, method: 'POST' }).done(refresh),
      forget: () => sonotaRequest({ url, method: 'DELETE' }).done(refresh),
      give: () => sonotaRequest({ url: `${url}/next-step`, method: 'POST' }).done(refresh),
    }[deed]();
    void asked.fail((request) => complain(request, deed === 'evidence' ? 'mayNotSee' : 'mayNotChange'));
  };
  const ask = (deed: SonotaQueueDeed, host: SonotaHost, entry?: string): void => {
    sonotaSetText(notice, '');
    const which = entry === undefined ? '' : `?entry=${encodeURIComponent(entry)}`;
    void sonotaRequest({ url: `sonota/host/${encodeURIComponent(host.id)}/queue/${deed}${which}`, method: 'POST' })
      .done(refresh)
      .fail((request: JQuery.jqXHR) => complain(request, 'mayNotChange'));
  };
  return { root, refresh };
}

/** Before the answer of any request: a browser lets a page write to the clipboard only while a key or a click is handled. */
function sonotaCopy(line: string, tell: (text: string) => void): void {
  const { copyText } = RED.clipboard as unknown as { copyText: (text: string) => boolean };
  const isCopied = copyText(line);
  tell(isCopied ? sonotaSidebarText('button.lineCopied') : line);
}

/** Hands a bundle to the browser as a file. A plain link would not do: it carries no login. */
function sonotaSave(bundle: string, _status: string, { getResponseHeader }: JQuery.jqXHR): void {
  const [, name = 'sonota.jsonl'] = /filename="([^"]+)"/.exec(getResponseHeader('Content-Disposition') ?? '') ?? [];
  const url = URL.createObjectURL(new Blob([bundle], { type: 'application/x-ndjson' }));
  $('<a></a>').attr({ href: url, download: name }).get(0)?.click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
