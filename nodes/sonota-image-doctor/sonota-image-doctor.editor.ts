interface SonotaImageDoctorProperties extends EditorNodeProperties {
  road: string;
}

RED.nodes.registerType<SonotaImageDoctorProperties>('sonota-image-doctor', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    road: { value: '' },
  },
  inputs: 1,
  outputs: 1,
  icon: 'sonota-doctor.svg',
  paletteLabel: function () {
    return this._('sonota-image-doctor.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-image-doctor.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: function () {
    return this._('sonota-image-doctor.label.input');
  },
  outputLabels: function () {
    return this._('sonota-image-doctor.label.output');
  },
});
