/* The button "Check now" in the form of a host; see routes.ts. */

interface SonotaCheckRow {
  ok: boolean | 'warn';
  code: string;
  text: string;
  remedy: string;
}

interface SonotaCheckAnswer {
  checks: SonotaCheckRow[];
  text: string;
}

/** A host as its form needs it for a check. */
interface SonotaCheckedHost {
  id: string;
  finalStagePort: number;
  credentials?: { password?: string };
}

/** The content of a field with a secret that the editor does not know. */
const SONOTA_UNKNOWN_SECRET = '__PWRD__';

/** How a row looks, on white and on black; the sign is read out by its name in the catalogue. */
const SONOTA_CHECK_SIGNS = {
  ok: { icon: 'fa-check', color: '#3a8a34' },
  warn: { icon: 'fa-exclamation-triangle', color: '#b36b00' },
  wrong: { icon: 'fa-times', color: '#d13438' },
} as const;

function sonotaCheckNow(host: SonotaCheckedHost): void {
  const button = $('#sonota-host-check-now');
  const place = $('#sonota-host-checks');
  const say = (key: string, values?: Record<string, string | number>): void => {
    place.empty().append($('<div class="form-tips"></div>').text(sonotaCheckText(key, values)));
  };
  let isRunning = false;
  button.on('click', () => {
    // Not disabled meanwhile: that would take away the keyboard focus.
    if (isRunning) return;
    isRunning = true;
    say('running');
    void sonotaRequest({
      url: `sonota/host/${encodeURIComponent(host.id)}/preflight`,
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(sonotaCheckedFields(host)),
      dataType: 'json',
    })
      .done(({ text, checks }: SonotaCheckAnswer) => place.empty().append(sonotaCheckTable(text, checks)))
      .fail((request: JQuery.jqXHR) => {
        say('failed', { reason: sonotaRefusal(request) });
      })
      .always(() => {
        isRunning = false;
      });
  });
}

/** The fields of the form, saved or not. A password that the editor does not know is the runtime's. */
function sonotaCheckedFields({ finalStagePort, credentials }: SonotaCheckedHost): Record<string, unknown> {
  const prefix = 'node-config-input-';
  const inForm = $(`[id^="${prefix}"]:input`)
    .get()
    .map((field) => [field.id.slice(prefix.length), String($(field).val() ?? '')]);
  const { password, ...fields } = Object.fromEntries(inForm) as Record<string, string>;
  const known = [password, credentials?.password].find((one) => one !== SONOTA_UNKNOWN_SECRET);
  return { ...fields, finalStagePort, ...(known ? { password: known } : {}) };
}

function sonotaCheckTable(verdict: string, checks: readonly SonotaCheckRow[]): JQuery {
  const table = $('<table style="width: 100%; border-collapse: collapse; margin: 8px 0"></table>');
  const head = $('<tr></tr>').append('<td></td>');
  for (const key of ['found', 'remedy']) {
    head.append($('<th scope="col" style="text-align: left; padding: 2px 8px"></th>').text(sonotaCheckText(key)));
  }
  table.append($('<thead></thead>').append(head));
  const body = $('<tbody></tbody>').appendTo(table);
  for (const check of checks) body.append(sonotaCheckLine(check));
  return $('<div></div>').append(
    $('<div class="sonota-host-verdict" style="font-weight: bold"></div>').text(verdict),
    table,
    $('<div class="form-tips"></div>').text(sonotaCheckText('asInForm')),
  );
}

function sonotaCheckLine({ ok, code, text, remedy }: SonotaCheckRow): JQuery {
  const name = ok === true ? 'ok' : ok === 'warn' ? 'warn' : 'wrong';
  const { icon, color } = SONOTA_CHECK_SIGNS[name];
  const sign = $('<i role="img"></i>')
    .addClass(`fa ${icon}`)
    .css('color', color)
    .attr({ 'aria-label': sonotaCheckText(name), title: ok === true ? sonotaCheckText(name) : code });
  const cell = '<td style="vertical-align: top; padding: 2px 8px"></td>';
  return $('<tr></tr>').append($(cell).append(sign), $(cell).text(text), $(cell).text(remedy));
}

function sonotaCheckText(key: string, values?: Record<string, string | number>): string {
  return RED._(`@sonota/node-red/sonota-host:sonota-host.checkNow.${key}`, values);
}
