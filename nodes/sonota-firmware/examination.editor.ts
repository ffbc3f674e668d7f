/* What the doctor says of one image, as a part of the form. Every text is set as text, never as markup. */

type SonotaTranslate = (key: string, values?: Record<string, string>) => string;

/** What a person may do about an image. */
interface SonotaActions {
  fetch: () => void;
  /** What could not be fetched or read. */
  again: () => void;
  cancel: () => void;
  confirm: (sha256: string) => void;
  mend: (mends: string[]) => void;
}

const SONOTA_VERDICT_ICONS = { ok: 'fa-check-circle', warn: 'fa-exclamation-triangle', refuse: 'fa-times-circle' };
const SONOTA_SEVERITY_ICONS = { refuse: 'fa-times-circle', warn: 'fa-exclamation-triangle', note: 'fa-info-circle' };
/* Seen well enough on white and on black: not every dark theme has an error colour that is. */
const SONOTA_ICON_COLOURS: Record<string, string> = {
  'fa-check-circle': '#3a8a34',
  'fa-exclamation-triangle': '#b36b00',
  'fa-times-circle': '#d13438',
};

/** Puts an inspection into `box`; `changedFrom` is another digest that was seen earlier. */
function sonotaShowInspection(
  box: JQuery,
  inspection: SonotaInspection,
  t: SonotaTranslate,
  actions: SonotaActions,
  changedFrom: string | undefined,
): void {
  box.empty().attr('data-state', inspection.state);
  if (inspection.state === 'unreadable') {
    sonotaLine(box, 'fa-times-circle', inspection.message).attr('data-verdict', 'refuse');
    sonotaButton(box, t('button.again'), 'sonota-again', actions.again);
    return;
  }
  if (inspection.state === 'not-fetched') {
    const size = inspection.size === null ? '' : t('examination.bytes', { size: String(inspection.size) });
    sonotaLine(box, 'fa-cloud-download', `${t('examination.not-fetched')} ${size}`);
    $('<div>').css({ wordBreak: 'break-all' }).text(inspection.from).appendTo(box);
    sonotaButton(box, t('button.fetch'), 'sonota-fetch', actions.fetch);
    return;
  }
  const { verdict, findings, identity, size, sha256, picture } = inspection;
  const project = identity.project === 'unknown' ? t('examination.unknown') : identity.project;
  const { version, newerThan, olderThan, variant } = identity;
  const age =
    (newerThan !== undefined && t('examination.newer-than', { version: newerThan })) ||
    (olderThan !== undefined && t('examination.older-than', { version: olderThan }));
  const name = [project, version, age, variant].filter((part) => part !== undefined && part !== false).join(' ');
  const facts = t('examination.facts', { name, size: String(size) });
  sonotaLine(box, SONOTA_VERDICT_ICONS[verdict], `${t(`verdict.${verdict}`)} ${facts}`).attr('data-verdict', verdict);
  if (inspection.title !== undefined) sonotaLine(box, 'fa-book', inspection.title).addClass('sonota-title');
  $('<code>').css({ fontSize: '11px', wordBreak: 'break-all' }).text(`sha256 ${sha256}`).appendTo(box);
  if (changedFrom !== undefined) sonotaLine(box, 'fa-exclamation-triangle', t('examination.changed'));
  const { mirror, expectedSize } = inspection;
  if (mirror !== undefined) {
    const icon = mirror === 'same' ? 'fa-info-circle' : 'fa-exclamation-triangle';
    sonotaLine(box, icon, t(`examination.mirror-${mirror}`)).addClass('sonota-mirror');
  }
  if (expectedSize !== undefined) {
    sonotaLine(box, 'fa-exclamation-triangle', t('examination.size-differs', { size: String(expectedSize) }));
  }
  if (inspection.state === 'unconfirmed' && sha256 !== null) {
    sonotaLine(box, 'fa-question-circle', t('examination.unconfirmed'));
    sonotaButton(box, t('button.confirm'), 'sonota-confirm', () => actions.confirm(sha256));
  }
  sonotaShowFindings(box, findings, t);
  const { inDiyMode = [] } = inspection;
  if (inDiyMode.length > 0) {
    const isRefused = inDiyMode.some(({ severity }) => severity === 'refuse');
    const icon = isRefused ? 'fa-times-circle' : 'fa-exclamation-triangle';
    sonotaLine(box, icon, t(`examination.diy-${isRefused ? 'refuse' : 'warn'}`)).addClass('sonota-diy');
    sonotaShowFindings(box, inDiyMode, t);
  }
  const mends = findings.flatMap(({ mend }) => (mend === undefined ? [] : [mend]));
  if (mends.length > 0) sonotaButton(box, t('button.mend'), 'sonota-mend', () => actions.mend(mends));
  const fold = $('<details>')
    .append($('<summary>').text(t('examination.picture')))
    .appendTo(box);
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`;
  $('<img>')
    .attr({ src: url, alt: t('examination.picture') })
    .css({ maxWidth: '100%' })
    .appendTo(fold);
}

/** Shows how far a download is; the last one of these calls is followed by an inspection. */
function sonotaShowProgress(
  box: JQuery,
  { received, total }: { received: number; total: number | null },
  t: SonotaTranslate,
  actions: SonotaActions,
): void {
  let bar: JQuery = box.find('progress');
  if (bar.length === 0) {
    box.empty().attr('data-state', 'fetching');
    bar = $('<progress>').css({ width: '100%' }).appendTo(box);
    $('<span>').appendTo(box);
    sonotaButton(box, t('button.cancel'), 'sonota-cancel', actions.cancel);
  }
  if (total !== null) bar.attr({ max: total, value: received });
  const text = t('examination.fetching', { received: String(received), total: String(total ?? '?') });
  box.find('span').first().text(text);
}

function sonotaShowFindings(box: JQuery, findings: SonotaFinding[], t: SonotaTranslate): void {
  if (findings.length === 0) return;
  const table = $('<table class="sonota-findings">').css({ width: '100%', margin: '4px 0' }).appendTo(box);
  for (const { severity, text, remedy } of findings) {
    const row = $('<tr>').attr('data-severity', severity).appendTo(table);
    const name = t(`severity.${severity}`);
    const icon = sonotaIcon(SONOTA_SEVERITY_ICONS[severity]).attr({ role: 'img', title: name, 'aria-label': name });
    $('<td>').css({ verticalAlign: 'top', width: '20px' }).append(icon).appendTo(row);
    $('<td>')
      .append($('<div>').text(text), $('<div>').css({ fontStyle: 'italic' }).text(remedy))
      .appendTo(row);
  }
}

function sonotaLine(box: JQuery, icon: string, text: string): JQuery {
  return $('<div>').append(sonotaIcon(icon), ' ', $('<span>').text(text)).appendTo(box);
}

function sonotaIcon(icon: string): JQuery {
  return $('<i>')
    .addClass(`fa ${icon}`)
    .css('color', SONOTA_ICON_COLOURS[icon] ?? '');
}

function sonotaButton(box: JQuery, text: string, name: string, act: () => void): void {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">').addClass(name).text(text);
  // The editor's own grey, which it holds to be important, is too light for such small letters.
  button.attr('style', 'margin: 4px 4px 4px 0; color: var(--red-ui-primary-text-color) !important');
  button.on('click', act).appendTo(box);
}
