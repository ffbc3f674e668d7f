interface SonotaOtaServeProperties extends EditorNodeProperties {
  host: string;
  firmware: string;
  timeout: string;
  force: boolean;
}

RED.nodes.registerType<SonotaOtaServeProperties>('sonota-ota-serve', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    // Not required: a message may bring the firmware.
    firmware: { value: '', type: 'sonota-firmware', required: false },
    timeout: { value: '', validate: sonotaChecks.positive },
    force: { value: false },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-ota.svg',
  paletteLabel: function () {
    return this._('sonota-ota-serve.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-ota-serve.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
