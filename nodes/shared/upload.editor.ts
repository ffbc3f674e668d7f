/* A file from the machine in front of the person, for the forms that name an image; see the routes of the firmware node. */

/** @param done gets the source of the stored image, and the name of the file */
function sonotaUploadButton(role: string, done: (source: string, name: string) => void): JQuery {
  const t = (key: string, values?: Record<string, string>): string =>
    RED._(`@sonota/node-red/sonota-host:sonota-host.upload.${key}`, values);
  const input = $('<input type="file" accept=".bin" style="display: none">').attr('aria-label', t('button'));
  const button = $('<button type="button" class="red-ui-button sonota-upload">').text(t('button'));
  // The editor's own grey, which it holds to be important, is too light.
  button.attr('style', 'margin-left: 4px; color: var(--red-ui-primary-text-color) !important');
  button.on('click', () => void input.trigger('click'));
  input.on('change', () => {
    const file = (input.get(0) as HTMLInputElement).files?.[0];
    if (!file) return;
    void sonotaRequest({
      url: `sonota/firmware/upload?role=${role}&name=${encodeURIComponent(file.name)}`,
      method: 'POST',
      contentType: 'application/octet-stream',
      data: file,
      processData: false,
      dataType: 'json',
    })
      .done(({ sha256 }: { sha256: string }) => done(`store:${sha256}`, file.name))
      .fail((request: JQuery.jqXHR) => {
        sonotaNotify(request.responseJSON ? sonotaRefusal(request) : t('failed'), 'error');
      })
      // The same file may be chosen again.
      .always(() => input.val(''));
  });
  return $('<span>').append(button, input);
}
