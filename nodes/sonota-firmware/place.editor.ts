/* One of the three places of a firmware: its field, its picker, and what the doctor says of what is named there. */

/** A person types on; the file is looked at when that pauses. */
const SONOTA_TYPING_MS = 400;
const SONOTA_ROADS = { user1: 'cloud-user1', user2: 'cloud-user2', final: 'finalstage' };

/** What the places share: the digests that the node keeps, and the lists. */
interface SonotaForm {
  digests: Partial<Record<SonotaRole, string>>;
  t: SonotaTranslate;
  places: SonotaPlace[];
  /** The lists have changed. */
  refresh: () => void;
  /** Shows the kept images again, as they were when they were last asked for. */
  redraw: () => void;
}

class SonotaPlace {
  private readonly input: JQuery;
  private readonly picker: JQuery;
  private readonly box: JQuery;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private catalog: SonotaCatalogImage[] = [];
  private cancelFetch: (() => void) | undefined;
  /** Which answer is awaited: an older one comes too late. */
  private asked = 0;
  /** What the digest belongs to, and what was last looked at. */
  private source: string;

  constructor(
    private readonly role: SonotaRole,
    private readonly form: SonotaForm,
  ) {
    this.input = $(`#node-config-input-${role}`);
    this.picker = $(`#sonota-pick-${role}`);
    this.box = $(`#sonota-examination-${role}`);
    this.source = this.value;
    this.picker.css('width', '55%').after(
      sonotaUploadButton(role, (source) => {
        this.input.val(source).trigger('change');
        this.form.refresh();
      }),
    );
    this.input.on('input change', () => this.typed());
    this.picker.on('change', () => {
      this.input.val(String(this.picker.val())).trigger('change');
      this.picker.val('');
    });
  }

  get value(): string {
    return String(this.input.val() ?? '').trim();
  }

  /** Fills the picker with what fits this place. */
  offer({ catalog, store }: SonotaImages): void {
    const { t } = this.form;
    this.catalog = catalog;
    const option = (value: string, text: string): JQuery => $('<option>').val(value).text(text);
    const known = catalog.filter(({ roads }) => roads.includes(SONOTA_ROADS[this.role]));
    const textOf = ({ title, size, recommended, isHere }: SonotaCatalogImage): string =>
      [
        title,
        size !== null && t('examination.bytes', { size: String(size) }),
        recommended && t('picker.recommended'),
        isHere && t('picker.here'),
      ]
        .filter((part) => part !== undefined && part !== false)
        .join(' ');
    this.picker.empty().append(
      option('', t('picker.choose')),
      $('<optgroup>')
        .attr('label', t('picker.catalog'))
        .append(known.map((image) => option(`catalog:${image.name}`, textOf(image)))),
    );
    if (store.length === 0) return;
    const kept = store.map(({ sha256, origins }) =>
      option(`store:${sha256}`, `${origins[origins.length - 1] ?? ''} (${sha256.slice(0, 8)}…)`),
    );
    this.picker.append($('<optgroup>').attr('label', t('picker.store')).append(kept));
  }

  /** Looks at what is named here now. */
  examine(): void {
    const target = this.target();
    if (!target) return;
    const asked = ++this.asked;
    sonotaLibrary.examine(target).then(
      (inspection) => {
        if (asked === this.asked) this.show(inspection);
      },
      () => this.box.empty().attr('data-state', 'unavailable').text(this.form.t('examination.unavailable')),
    );
  }

  stop(): void {
    clearTimeout(this.timer);
    this.asked++;
    this.cancelFetch?.();
  }

  private typed(): void {
    if (this.value === this.source) return;
    this.source = this.value;
    delete this.form.digests[this.role];
    this.stop();
    // The pair is empty or it is not: what stands in one place says something about the other.
    const others = this.role === 'final' ? [] : this.form.places.filter(({ role }) => role !== 'final');
    this.timer = setTimeout(() => {
      for (const one of new Set([this, ...others])) one.examine();
      // Which of the kept images nothing uses depends on what stands here.
      this.form.redraw();
    }, SONOTA_TYPING_MS);
  }

  /** The target to look at; undefined, with a note in its place, where there is nothing yet. */
  private target(): SonotaTarget | undefined {
    const { role, form, value } = this;
    const other = form.places.find((place) => place !== this && role !== 'final' && place.role !== 'final');
    const isMissing = value === '' && (role === 'final' || (other?.value ?? '') !== '');
    if (isMissing)
      this.box
        .empty()
        .attr('data-state', 'missing')
        .text(form.t(`examination.missing-${role === 'final' ? 'final' : 'pair'}`));
    else if (/^\$\{[^}]+\}$/.test(value)) this.box.empty().attr('data-state', 'environment');
    else return { role, source: value, digest: form.digests[role], intermediate: sonotaIntermediate() };
    this.asked++;
    return undefined;
  }

  private show(inspection: SonotaInspection): void {
    const { form, role } = this;
    const before = form.digests[role];
    const { state, verdict, sha256 } = inspection;
    const changedFrom = state === 'examined' && before !== undefined && before !== sha256 ? before : undefined;
    // The image of a name or a digest cannot change unseen; a file can, and that of an address.
    const canChange = this.value !== '' && !/^(catalog|store|rehearsal):/i.test(this.value);
    if (state === 'examined' && verdict !== 'refuse' && sha256 !== null && canChange) form.digests[role] = sha256;
    sonotaShowInspection(this.box, inspection, form.t, this.actions, changedFrom);
    const known = this.catalog.find(({ name }) => `catalog:${name}` === this.value.toLowerCase());
    if (!known) return;
    const licence = form.t('examination.licence', { licence: known.licence ?? form.t('examination.no-licence') });
    sonotaLine(this.box, 'fa-book', `${known.notes} ${licence}`);
  }

  private readonly actions: SonotaActions = {
    fetch: () => {
      const target = this.target();
      if (!target) return;
      const asked = ++this.asked;
      const progress = (received: number, total: number | null): void => {
        if (asked === this.asked) sonotaShowProgress(this.box, { received, total }, this.form.t, this.actions);
      };
      progress(0, null);
      const { done, cancel } = sonotaLibrary.fetch(target, progress);
      this.cancelFetch = cancel;
      const end = (act: () => void): void => {
        if (asked !== this.asked) return;
        this.cancelFetch = undefined;
        act();
      };
      done.then(
        (inspection) =>
          end(() => {
            this.show(inspection);
            this.form.refresh();
          }),
        () => end(() => this.examine()),
      );
    },
    again: () => (/^(catalog:|https?:)|^$/i.test(this.value) ? this.actions.fetch() : this.examine()),
    cancel: () => {
      this.stop();
      this.examine();
    },
    confirm: (sha256) => {
      // The form remembers what an address brought; the library remembers its catalog's.
      if (/^https?:/i.test(this.value)) {
        this.form.digests[this.role] = sha256;
        return this.examine();
      }
      const name = this.value === '' ? '' : this.value.replace(/^catalog:/i, '');
      this.act(sonotaLibrary.confirm(name, sha256), () => this.examine());
    },
    mend: (mends) => {
      const target = this.target();
      if (!target) return;
      this.act(sonotaLibrary.mend(target, mends), ({ sha256 }) => this.input.val(`store:${sha256}`).trigger('change'));
    },
  };

  private act<T>(doing: PromiseLike<T>, then: (result: T) => void): void {
    doing.then(
      (result) => {
        then(result);
        this.form.refresh();
      },
      (failed: JQuery.jqXHR) => {
        sonotaNotify(failed.responseJSON ? sonotaRefusal(failed) : this.form.t('examination.unavailable'), 'error');
      },
    );
  }
}
