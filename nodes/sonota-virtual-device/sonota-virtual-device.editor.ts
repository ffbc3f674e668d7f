interface SonotaVirtualDeviceProperties extends EditorNodeProperties {
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
}

RED.nodes.registerType<SonotaVirtualDeviceProperties>('sonota-virtual-device', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
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
  },
  inputs: 1,
  outputs: 1,
  icon: 'sonota-virtual.svg',
  paletteLabel: function () {
    return this._('sonota-virtual-device.label.palette');
  },
  label: function () {
    const fault = this.fault ? `: ${this._(`sonota-virtual-device.fault.${this.fault}`)}` : '';
    return this.name || this._('sonota-virtual-device.label.palette') + fault;
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: function () {
    return this._('sonota-virtual-device.label.input');
  },
  outputLabels: function () {
    return this._('sonota-virtual-device.label.output');
  },
});
