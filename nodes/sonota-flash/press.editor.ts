/* The button of the node: what the runtime says to a press; see press.ts. */

interface SonotaPressed {
  id: string;
  /** Empty until its form was saved once. */
  host?: string;
  changed?: boolean;
  d?: boolean;
  _(key: string, values?: Record<string, unknown>): string;
}

interface SonotaPressCheck {
  ok: boolean | 'warn';
  text: string;
  remedy: string;
}

type SonotaPressAnswer =
  | { state: 'started' | 'waiting' }
  | { state: 'refused' | 'doubtful'; report: { checks: SonotaPressCheck[]; text: string } };

/** The nodes whose press has not been answered yet. */
const sonotaPressing = new Set<string>();

function sonotaPress(node: SonotaPressed, isConfirmed = false): void {
  const t = (key: string, values?: Record<string, unknown>): string => node._(`sonota-flash.press.${key}`, values);
  if (!node.host) return sonotaNotify(t('openFirst'), 'warning');
  if (node.changed) return sonotaNotify(t('deployFirst'), 'warning');
  if (sonotaPressing.has(node.id)) return sonotaNotify(t('checking'), 'warning');
  sonotaPressing.add(node.id);
  const notice = sonotaAsk($('<p role="status">').text(t('checking')), undefined, []);
  const url = `sonota/flash/${encodeURIComponent(node.id)}/press${isConfirmed ? '?confirmed=true' : ''}`;
  void sonotaRequest({ url, method: 'POST', dataType: 'json' })
    .done((answer: SonotaPressAnswer) => sonotaAnswered(node, answer))
    .fail((request: JQuery.jqXHR) => {
      sonotaNotify(request.status === 404 ? t('notDeployed') : sonotaRefusal(request), 'error');
    })
    .always(() => {
      sonotaPressing.delete(node.id);
      notice.close();
    });
}

function sonotaAnswered(node: SonotaPressed, answer: SonotaPressAnswer): void {
  const t = (key: string): string => node._(`sonota-flash.press.${key}`);
  switch (answer.state) {
    case 'started':
      sonotaCloseWaitNotice(node.id);
      // The page of the flash opens with the first instruction; see the sidebar.
      RED.events.emit('sonota:flash-pressed');
      return;
    case 'waiting':
      RED.events.emit('sonota:flash-pressed');
      return sonotaOfferCancel(node);
    case 'refused':
      sonotaAsk(sonotaWhyNot(t('refused'), answer.report.checks), 'error', [{ text: t('close'), isPrimary: true }]);
      return;
    case 'doubtful':
      sonotaAsk(sonotaWhyNot(t('doubtful'), answer.report.checks), 'warning', [
        { text: t('anyway'), act: () => sonotaPress(node, true) },
        { text: t('cancel'), isPrimary: true },
      ]);
  }
}

/** The notices of waits, by their node: each is shown once, and no longer than the wait lasts. */
const sonotaWaitNotices = new Map<string, SonotaNotice>();

function sonotaCloseWaitNotice(id: string): void {
  sonotaWaitNotices.get(id)?.close();
  sonotaWaitNotices.delete(id);
}

/** A second press: the first one waits, and may be ended here. */
function sonotaOfferCancel(node: SonotaPressed): void {
  const t = (key: string): string => node._(`sonota-flash.press.${key}`);
  const url = `sonota/flash/${encodeURIComponent(node.id)}/cancel`;
  const cancel = (): void => {
    void sonotaRequest({ url, method: 'POST' }).fail((request: JQuery.jqXHR) => {
      sonotaNotify(sonotaRefusal(request), 'error');
    });
  };
  if (sonotaWaitNotices.has(node.id)) return;
  const over = (): void => void sonotaWaitNotices.delete(node.id);
  const notice = sonotaAsk($('<p>').text(t('waiting')), 'warning', [
    { text: t('cancelWait'), act: () => (over(), cancel()) },
    { text: t('keepWaiting'), isPrimary: true, act: over },
  ]);
  sonotaWaitNotices.set(node.id, notice);
}

/** The checks that speak against the flash, with their remedies. */
function sonotaWhyNot(title: string, checks: SonotaPressCheck[]): JQuery {
  const wrong = checks.filter(({ ok }) => ok !== true);
  const list = $('<ul>').css({ margin: '8px 0 0 18px' });
  for (const { text, remedy } of wrong) {
    const line = $('<li>').css('margin-bottom', '6px').text(text);
    list.append(remedy === '' ? line : line.append($('<div>').css('font-style', 'italic').text(remedy)));
  }
  return $('<div class="sonota-press">').append($('<p>').css('font-weight', 'bold').text(title), list);
}
