interface SonotaTasmotaSetupProperties extends EditorNodeProperties {
  host: string;
  url: string;
  address: string;
  topic: string;
  deviceName: string;
  template: string;
  mqttHost: string;
  mqttPort: string;
  timeout: string;
}

interface SonotaTasmotaSetupCredentials {
  mqttUser: string;
  mqttPassword: string;
  webPassword: string;
}

RED.nodes.registerType<SonotaTasmotaSetupProperties, SonotaTasmotaSetupCredentials>('sonota-tasmota-setup', {
  category: 'Sonoff',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    url: { value: '', validate: sonotaChecks.httpUrl },
    address: { value: '', validate: sonotaChecks.hostOrUrl },
    topic: { value: '', validate: sonotaChecks.mqttTopic },
    deviceName: { value: '' },
    template: { value: '', validate: sonotaChecks.tasmotaTemplate },
    mqttHost: { value: '' },
    mqttPort: { value: '', validate: sonotaChecks.port },
    timeout: { value: '', validate: sonotaChecks.positive },
  },
  credentials: {
    mqttUser: { type: 'text' },
    mqttPassword: { type: 'password' },
    webPassword: { type: 'password' },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-tasmota.svg',
  paletteLabel: function () {
    return this._('sonota-tasmota-setup.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-tasmota-setup.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
