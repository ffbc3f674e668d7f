interface SonotaDiyFlashProperties extends EditorNodeProperties {
  host: string;
  firmware: string;
  address: string;
  unlock: string;
  timeout: string;
  clicks: boolean;
  force: boolean;
}

RED.nodes.registerType<SonotaDiyFlashProperties>('sonota-diy-flash', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    // Not required: a message may bring the firmware.
    firmware: { value: '', type: 'sonota-firmware', required: false },
    address: { value: '', validate: sonotaChecks.httpUrl },
    unlock: { value: '' },
    timeout: { value: '', validate: sonotaChecks.positive },
    clicks: { value: false },
    force: { value: false },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-diy.svg',
  paletteLabel: function () {
    return this._('sonota-diy-flash.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-diy-flash.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
