interface SonotaCloudEmulatorProperties extends EditorNodeProperties {
  host: string;
  every: boolean;
  timeout: string;
  force: boolean;
}

RED.nodes.registerType<SonotaCloudEmulatorProperties>('sonota-cloud-emulator', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    every: { value: false },
    timeout: { value: '', validate: sonotaChecks.positive },
    force: { value: false },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-cloud.svg',
  paletteLabel: function () {
    return this._('sonota-cloud-emulator.label.palette');
  },
  label: function () {
    return this.name || this._(`sonota-cloud-emulator.label.${this.every ? 'paletteEvery' : 'palette'}`);
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
