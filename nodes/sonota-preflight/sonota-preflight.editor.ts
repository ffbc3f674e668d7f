interface SonotaPreflightProperties extends EditorNodeProperties {
  host: string;
  firmware: string;
}

RED.nodes.registerType<SonotaPreflightProperties>('sonota-preflight', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    // Not required: without one the rest is checked, and a message may bring one.
    firmware: { value: '', type: 'sonota-firmware', required: false },
  },
  inputs: 1,
  outputs: 1,
  icon: 'sonota-preflight.svg',
  paletteLabel: function () {
    return this._('sonota-preflight.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-preflight.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
