interface SonotaVirtualDeviceProperties extends EditorNodeProperties {
  kind: string;
  apAddress: string;
  apPort: string;
  deviceid: string;
  model: string;
  romVersion: string;
  transport: string;
  slot: string;
  fault: string;
  speed: string;
  livesOn: boolean;
  homePort: string;
  newApPort: string;
  diyVersion: string;
  diyStart: string;
  diyFault: string;
  lanPort: string;
  dns: string;
  vendorPort: string;
}

RED.nodes.registerType<SonotaVirtualDeviceProperties>('sonota-virtual-device', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    kind: { value: 'cloud' },
    apAddress: { value: '', validate: sonotaChecks.ipv4 },
    apPort: { value: '', validate: sonotaChecks.port },
    deviceid: { value: '', validate: sonotaChecks.deviceid },
    model: { value: '' },
    romVersion: { value: '' },
    transport: { value: 'range' },
    slot: { value: '1' },
    fault: { value: '' },
    speed: { value: '', validate: sonotaChecks.positive },
    livesOn: { value: false },
    homePort: { value: '', validate: sonotaChecks.port },
    newApPort: { value: '', validate: sonotaChecks.port },
    diyVersion: { value: '3.7.6' },
    diyStart: { value: 'access-point' },
    diyFault: { value: '' },
    lanPort: { value: '', validate: sonotaChecks.port },
    dns: { value: '' },
    vendorPort: { value: '', validate: sonotaChecks.port },
  },
  inputs: 1,
  outputs: 1,
  icon: 'sonota-virtual.svg',
  paletteLabel: function () {
    return this._('sonota-virtual-device.label.palette');
  },
  label: function () {
    const [list, name] = this.kind === 'diy' ? ['diyFault', this.diyFault] : ['fault', this.fault];
    const fault = name ? `: ${this._(`sonota-virtual-device.${list}.${name}`)}` : '';
    return this.name || this._('sonota-virtual-device.label.palette') + fault;
  },
  labelStyle: sonotaLabelStyle,
  oneditprepare: function () {
    const kind = $('#node-input-kind');
    const show = (): void => {
      const isDiy = kind.val() === 'diy';
      $('.sonota-virtual-cloud').toggle(!isDiy);
      $('.sonota-virtual-diy').toggle(isDiy);
    };
    // Nodes of before the choice: the select has no empty one.
    if (!kind.val()) kind.val('cloud');
    kind.on('change', show);
    show();
  },
  inputLabels: function () {
    return this._('sonota-virtual-device.label.input');
  },
  outputLabels: function () {
    return this._('sonota-virtual-device.label.output');
  },
});
