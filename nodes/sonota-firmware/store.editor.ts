/* The images stored on this machine: their size, each image with a button that removes it, and one for all unused ones. */

function sonotaShowStore(box: JQuery, store: SonotaStoredImage[], form: SonotaForm): void {
  const { t } = form;
  box.empty();
  if (store.length === 0) return void box.text(t('store.empty'));
  $('<div class="sonota-store-total">')
    .text(t('store.total', sonotaCountAndSize(store)))
    .appendTo(box);
  sonotaOfferPruning($('<div class="sonota-pruning" role="group">').appendTo(box), store, form);
  for (const { sha256, size, addedAt, origins, isUsed } of store) {
    const row = $('<div class="sonota-stored">').attr('data-sha256', sha256).appendTo(box);
    const when = addedAt === null ? '' : new Date(addedAt).toLocaleDateString();
    const what = origins[origins.length - 1] ?? t('store.unknown');
    sonotaButton(row, t('button.remove'), 'sonota-remove', () => sonotaRemove(sonotaLibrary.remove(sha256), form));
    const entry = t('store.entry', { what, size: String(size), when, digest: sha256.slice(0, 16) });
    $('<span>')
      .text(isUsed ? `${entry} ${t('store.used')}` : entry)
      .appendTo(row);
  }
}

/** A button that removes all unused images, after a question. */
function sonotaOfferPruning(box: JQuery, store: SonotaStoredImage[], form: SonotaForm): void {
  const { t } = form;
  const unused = sonotaUnused(store, form);
  box.empty();
  if (unused.length === 0) return;
  sonotaButton(box, t('button.prune', sonotaCountAndSize(unused)), 'sonota-prune', () =>
    sonotaAskToPrune(box, store, form),
  );
}

function sonotaAskToPrune(box: JQuery, store: SonotaStoredImage[], form: SonotaForm): void {
  const { t } = form;
  // The form may name another image by now.
  const unused = sonotaUnused(store, form);
  box.empty().append($('<span>').text(`${t('store.prune', sonotaCountAndSize(unused))} `));
  sonotaButton(box, t('button.prune-now'), 'sonota-prune-now', () =>
    sonotaRemove(sonotaLibrary.prune(unused.map(({ sha256 }) => sha256)), form),
  );
  sonotaButton(box, t('button.keep'), 'sonota-keep', () => sonotaOfferPruning(box, store, form));
}

/** Neither used by what is deployed, nor named in what is only in the editor yet. */
function sonotaUnused(store: SonotaStoredImage[], { places, digests }: SonotaForm): SonotaStoredImage[] {
  const named: unknown[] = [digests, places.map(({ value }) => value)];
  RED.nodes.eachConfig((node) => {
    const { user1, user2, final, digests: seen } = node as unknown as Partial<SonotaFirmwareProperties>;
    named.push(user1, user2, final, seen);
    return true;
  });
  const text = JSON.stringify(named).toLowerCase();
  return store.filter(({ sha256, isUsed }) => !isUsed && !text.includes(sha256));
}

function sonotaRemove(removing: PromiseLike<unknown>, { t, refresh, places }: SonotaForm): void {
  removing.then(
    () => {
      refresh();
      for (const place of places) place.examine();
    },
    () => sonotaNotify(t('examination.unavailable'), 'error'),
  );
}

function sonotaCountAndSize(images: SonotaStoredImage[]): { count: string; megabytes: string } {
  const bytes = images.reduce((sum, { size }) => sum + size, 0);
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return { count: String(images.length), megabytes: (bytes / 1e6).toLocaleString(undefined, digits) };
}
