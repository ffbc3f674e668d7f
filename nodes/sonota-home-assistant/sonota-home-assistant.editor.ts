interface SonotaHomeAssistantProperties extends EditorNodeProperties {
  host: string;
  firmware: string;
  prefix: string;
  topic: string;
}

RED.nodes.registerType<SonotaHomeAssistantProperties>('sonota-home-assistant', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    // Not required: the nodes that are wired behind it may have their own.
    firmware: { value: '', type: 'sonota-firmware', required: false },
    prefix: { value: '', validate: sonotaChecks.topic },
    topic: { value: '', validate: sonotaChecks.topic },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-home.svg',
  paletteLabel: function () {
    return this._('sonota-home-assistant.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-home-assistant.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: function () {
    return this._('sonota-home-assistant.port.in');
  },
  outputLabels: function (index: number) {
    return this._(`sonota-home-assistant.port.${index === 0 ? 'mqtt' : 'flash'}`);
  },
});
