interface SonotaNewFirmwareProperties extends EditorNodeProperties {
  host: string;
  url: string;
  timeout: string;
}

RED.nodes.registerType<SonotaNewFirmwareProperties>('sonota-new-firmware', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    url: { value: '', validate: sonotaChecks.httpUrl },
    timeout: { value: '', validate: sonotaChecks.positive },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-new-firmware.svg',
  paletteLabel: function () {
    return this._('sonota-new-firmware.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-new-firmware.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
