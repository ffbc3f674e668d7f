interface SonotaFlashProperties extends EditorNodeProperties {
  host: string;
  ssid: string;
  image: string;
  firmware: string;
  method: string;
  intermediate: string;
  unlock: string;
  clicks: boolean;
  deviceid: string;
  timeout: string;
  force: boolean;
  apUrl: string;
  finalStageUrl: string;
  newFirmwareUrl: string;
}

RED.nodes.registerType<SonotaFlashProperties, { password: string }>('sonota-flash', {
  category: 'Sonoff',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    ssid: { value: '', validate: sonotaChecks.ssid },
    image: { value: '' },
    // Not required: a message may bring the firmware, or the recommended one is taken.
    firmware: { value: '', type: 'sonota-firmware', required: false },
    method: { value: '' },
    intermediate: { value: '' },
    unlock: { value: '' },
    clicks: { value: false },
    deviceid: { value: '', validate: sonotaChecks.deviceid },
    timeout: { value: '', validate: sonotaChecks.positive },
    force: { value: false },
    apUrl: { value: '', validate: sonotaChecks.httpUrl },
    finalStageUrl: { value: '', validate: sonotaChecks.httpUrl },
    newFirmwareUrl: { value: '', validate: sonotaChecks.httpUrl },
  },
  credentials: {
    password: { type: 'password' },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-flash.svg',
  paletteLabel: function () {
    return this._('sonota-flash.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-flash.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
  button: {
    onclick: function (this: SonotaPressed) {
      sonotaPress(this);
    },
  },
  oneditprepare: function () {
    sonotaFlashForm(this);
  },
  oneditsave: sonotaKeepHost,
});
