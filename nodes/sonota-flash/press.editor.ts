/* The button of the node: what the runtime says to a press; see press.ts. */

interface SonotaPressed {
  id: string;
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
      // The page of the flash opens with the first instruction; see the sidebar.
      RED.events.emit('sonota:flash-pressed');
      return;
    case 'waiting':
      RED.events.emit('sonota:flash-pressed');
      return sonotaNotify(t('waiting'), 'warning');
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

/** What speaks against the flash: of that which makes it impossible nothing less is shown. */
function sonotaWhyNot(title: string, checks: SonotaPressCheck[]): JQuery {
  const wrong = checks.filter(({ ok }) => ok !== true);
  const list = $('<ul>').css({ margin: '8px 0 0 18px' });
  for (const { text, remedy } of wrong) list.append($('<li>').text(`${text} ${remedy}`.trim()));
  return $('<div class="sonota-press">').append($('<p>').css('font-weight', 'bold').text(title), list);
}
