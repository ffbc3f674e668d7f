interface SonotaWifiProperties extends EditorNodeProperties {
  host: string;
  action: string;
  ssid: string;
  address: string;
  timeout: string;
  stay: string;
}

RED.nodes.registerType<SonotaWifiProperties, { password: string }>('sonota-wifi', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    action: { value: 'scan' },
    ssid: { value: '' },
    address: { value: '', validate: sonotaChecks.cidr },
    timeout: { value: '', validate: sonotaChecks.positive },
    stay: { value: '', validate: sonotaChecks.positive },
  },
  credentials: {
    password: { type: 'password' },
  },
  inputs: 1,
  outputs: 1,
  icon: 'sonota-wifi.svg',
  paletteLabel: function () {
    // The palette may break a line at a hyphen, and then shows "wi - fi".
    return this._('sonota-wifi.label.palette').replace('-', '\u2011');
  },
  label: function () {
    const { name, action, ssid } = this;
    if (name) return name;
    if (!action) return this._('sonota-wifi.label.palette');
    const what = this._(`sonota-wifi.action.${action}`);
    return action === 'join' && ssid ? `${what} ${ssid}` : what;
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
  oneditprepare: function () {
    const action = $('#node-input-action');
    const ofJoin = $('.sonota-wifi-join');
    const show = (): void => void ofJoin.toggle(action.val() === 'join' || action.val() === '');
    action.on('change', show);
    show();
  },
});
