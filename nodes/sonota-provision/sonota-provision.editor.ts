interface SonotaProvisionProperties extends EditorNodeProperties {
  host: string;
  url: string;
  deviceid: string;
  method: string;
  timeout: string;
}

RED.nodes.registerType<SonotaProvisionProperties>('sonota-provision', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    url: { value: '', validate: sonotaChecks.httpUrl },
    deviceid: { value: '', validate: sonotaChecks.deviceid },
    method: { value: '' },
    timeout: { value: '', validate: sonotaChecks.positive },
  },
  inputs: 1,
  outputs: 3,
  icon: 'sonota-provision.svg',
  paletteLabel: function () {
    return this._('sonota-provision.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-provision.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: function (index) {
    return index === 2 ? this._('sonota-provision.output.diy') : sonotaStageOutput(index);
  },
});
