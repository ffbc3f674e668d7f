/* The way from a code to its explanation in the docs. */

interface SonotaCodeLink {
  readonly root: JQuery;
  /** @param code of an error; whatever else it may be has no explanation there */
  show(code: string | undefined): void;
}

/** A line of its own: "Explanation of nothing-arrived". */
function sonotaCodeLink(): SonotaCodeLink {
  const link = sonotaCodeAnchor();
  const root = $('<p class="sonota-card-more sonota-card-code"></p>').append(link).hide();
  const show = (code: string | undefined): void => {
    const isExplained = code !== undefined && sonotaIsExplained(code);
    root.toggle(isExplained);
    if (isExplained) sonotaLeadTo(link, code, sonotaSidebarText('code.explained', { code }));
  };
  return { root, show };
}

function sonotaCodeAnchor(): JQuery {
  return $('<a target="_blank" rel="noopener"></a>');
}

function sonotaLeadTo(link: JQuery, code: string, text: string): void {
  link.attr('href', `${SONOTA_CODES_PAGE}#${encodeURIComponent(code)}`);
  if (link.text() !== text) link.text(text);
}

function sonotaIsExplained(code: string): boolean {
  return sonotaSharedText(`errors.${code}.what`, {}, '') !== '';
}
