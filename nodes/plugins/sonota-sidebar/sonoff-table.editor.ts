/* Every Sonoff that a host sees, as a table; filled where a node "discover sonoffs" is deployed. */

interface SonotaSonoffTable {
  readonly root: JQuery;
  update(sonoffs: SonotaSonoff[] | undefined): void;
}

function sonotaSonoffTable(): SonotaSonoffTable {
  const text = (key: string): string => sonotaSidebarText(`sonoffs.${key}`);
  const head = $('<tr></tr>').append(
    ...['device', 'method'].map((column) => $('<th scope="col"></th>').text(text(column))),
  );
  const body = $('<tbody></tbody>');
  const caption = $('<caption></caption>').text(text('title'));
  const table = $('<table></table>').append(caption, $('<thead></thead>').append(head), body);
  const empty = $('<p></p>').text(text('none'));
  const title = $('<h4></h4>').text(text('title'));
  const root = $('<div class="sonota-sonoffs"></div>').append(title, empty, table);
  const rows = new Map<string, { root: JQuery; update(sonoff: SonotaSonoff): void }>();

  const update = (sonoffs: SonotaSonoff[] | undefined): void => {
    root.toggle(sonoffs !== undefined);
    const isEmpty = sonoffs === undefined || sonoffs.length === 0;
    empty.toggle(isEmpty);
    table.toggle(!isEmpty);
    sonotaSync(body, rows, sonoffs ?? [], sonotaSonoffRow);
  };
  return { root, update };
}

function sonotaSonoffRow(): { root: JQuery; update(sonoff: SonotaSonoff): void } {
  const line = (): JQuery => $('<div></div>');
  const small = (): JQuery => line().addClass('sonota-card-more');
  const [name, about, version, address] = [line(), small(), small(), small()];
  const [method, reason] = [line(), small()];
  const root = $('<tr></tr>').append(
    $('<th scope="row"></th>').append(name, about, version, address),
    $('<td></td>').append(method, reason),
  );
  const update = (sonoff: SonotaSonoff): void => {
    const { deviceid, model } = sonoff;
    const shown = sonoff.name ?? deviceid ?? sonoff.address ?? sonoff.id;
    root.attr({ 'data-method': sonoff.method.name, 'data-confidence': sonoff.confidence, 'data-device': sonoff.id });
    sonotaSetText(name, shown);
    sonotaSetText(about, [deviceid, model].filter((part) => part !== undefined && part !== shown).join(' · '));
    const known = sonoff.version === undefined ? '' : sonotaSidebarText('sonoffs.version', { version: sonoff.version });
    sonotaSetText(version, known);
    sonotaSetText(address, sonoff.address === undefined || sonoff.address === shown ? '' : sonoff.address);
    sonotaSetText(method, sonotaUnbroken(sonotaSharedText(`methods.${sonoff.method.name}`, {}, sonoff.method.text)));
    const why = sonotaSharedText(`reasons.${sonoff.reason.name}`, sonoff.reason.values, sonoff.reason.text);
    sonotaSetText(reason, sonotaUnbroken(why));
  };
  return { root, update };
}
