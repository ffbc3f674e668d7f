interface SonotaDiscoverProperties extends EditorNodeProperties {
  host: string;
}

RED.nodes.registerType<SonotaDiscoverProperties>('sonota-discover', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-discover.svg',
  paletteLabel: function () {
    return this._('sonota-discover.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-discover.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: function (index) {
    return this._(`sonota-discover.output.${index === 0 ? 'list' : 'changes'}`);
  },
});
