interface SonotaHostProperties extends EditorNodeProperties {
  version: number;
  bind: string;
  address: string;
  ssid: string;
  httpsPort: string;
  legacyPort: string;
  httpPort: string;
  finalStagePort: number;
  wifi: string;
  wifiInterface: string;
  wifiUplink: string;
}

RED.nodes.registerType<SonotaHostProperties, { password: string }>('sonota-host', {
  category: 'config',
  defaults: {
    // No field: what the properties are called (migrations.ts).
    version: { value: 1 },
    name: { value: '' },
    ssid: { value: '', validate: sonotaChecks.ssid },
    address: { value: '', validate: sonotaChecks.ipv4 },
    bind: { value: '', validate: sonotaChecks.ipv4 },
    httpsPort: { value: '', validate: sonotaChecks.port },
    legacyPort: { value: '', validate: sonotaChecks.port },
    httpPort: { value: '', validate: sonotaChecks.port },
    wifi: { value: 'auto' },
    wifiInterface: { value: '' },
    wifiUplink: { value: '' },
    // No field: FinalStage has this port built in. Only a rehearsal on one machine sets another.
    finalStagePort: { value: 8080, validate: sonotaChecks.port },
  },
  credentials: {
    password: { type: 'password' },
  },
  // In the title of the form and in the list of helps.
  paletteLabel: function () {
    return this._('sonota-host.label.palette');
  },
  label: function () {
    const wifi = this.ssid ? ` (${this.ssid})` : '';
    return this.name || this._('sonota-host.label.default') + wifi;
  },
  labelStyle: sonotaLabelStyle,
  oneditprepare: function () {
    sonotaAddressPicker();
    sonotaCheckNow(this);
    sonotaWifiForm();
  },
});
