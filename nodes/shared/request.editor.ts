/* Requests of forms and sidebar to the runtime. Addresses are relative: the editor may have any root. */

/** Asks in the editor's language, in which the answer's sentences come. jQuery sends the editor's token along. */
function sonotaRequest(settings: JQuery.AjaxSettings): JQuery.jqXHR {
  return $.ajax({ ...settings, headers: { ...settings.headers, 'Accept-Language': RED.i18n.lang() } });
}

/** Why a request failed: the runtime's sentences, else the status of what stands between. */
function sonotaRefusal({ responseJSON, status, statusText }: JQuery.jqXHR): string {
  return (responseJSON as { message?: string } | undefined)?.message ?? `${status} ${statusText}`;
}
