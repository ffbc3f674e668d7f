interface SonotaFirmwareProperties extends EditorNodeProperties {
  version: number;
  user1: string;
  user2: string;
  final: string;
  intermediate: string;
  digests: Partial<Record<SonotaRole, string>>;
}

/** The form that is open; the editor opens one at a time. */
let sonotaFirmwareForm: SonotaForm | undefined;

RED.nodes.registerType<SonotaFirmwareProperties>('sonota-firmware', {
  category: 'config',
  defaults: {
    // No field: what the properties are called (migrations.ts).
    version: { value: 1 },
    name: { value: '' },
    user1: { value: '', validate: sonotaChecks.image },
    user2: { value: '', validate: sonotaChecks.image },
    final: { value: '', validate: sonotaChecks.image },
    intermediate: { value: '' },
    // No field: what was seen when the images were examined.
    digests: { value: {} },
  },
  // In the title of the form and in the list of helps.
  paletteLabel: function () {
    return this._('sonota-firmware.label.palette');
  },
  label: function () {
    const file = (this.final ?? '').split(/[\\/]/).pop();
    return this.name || file || this._('sonota-firmware.label.default');
  },
  labelStyle: sonotaLabelStyle,
  oneditprepare: function () {
    let store: SonotaStoredImage[] | undefined;
    const form: SonotaForm = {
      digests: { ...this.digests },
      t: (key, values) => this._(`sonota-firmware.${key}`, values),
      places: [],
      refresh: () => {
        sonotaLibrary.images().then(
          (images) => {
            for (const place of form.places) place.offer(images);
            store = images.store;
            form.redraw();
          },
          () => undefined,
        );
      },
      redraw: () => {
        if (store) sonotaShowStore($('#sonota-store'), store, form);
      },
    };
    form.places.push(...(['final', 'user1', 'user2'] as const).map((role) => new SonotaPlace(role, form)));
    sonotaFirmwareForm = form;
    sonotaFollowIntermediate(form);
    form.refresh();
    for (const place of form.places) place.examine();
  },
  oneditsave: function () {
    this.digests = { ...sonotaFirmwareForm?.digests };
    sonotaCloseFirmwareForm();
  },
  oneditcancel: sonotaCloseFirmwareForm,
  oneditdelete: sonotaCloseFirmwareForm,
});

function sonotaCloseFirmwareForm(): void {
  for (const place of sonotaFirmwareForm?.places ?? []) place.stop();
  sonotaFirmwareForm = undefined;
}

/** In one hop there is no pair to name, and the final image must fit in another way. */
function sonotaFollowIntermediate(form: SonotaForm): void {
  const choice = $('#node-config-input-intermediate');
  const show = (): void => {
    const isOneHop = sonotaIntermediate() === 'one-hop';
    $('#sonota-pair').toggle(!isOneHop);
    $('#sonota-one-hop').toggle(isOneHop);
  };
  choice.on('change', () => {
    show();
    for (const place of form.places) place.examine();
  });
  show();
}
