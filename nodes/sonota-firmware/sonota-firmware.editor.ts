interface SonotaFirmwareProperties extends EditorNodeProperties {
  user1: string;
  user2: string;
  final: string;
}

RED.nodes.registerType<SonotaFirmwareProperties>('sonota-firmware', {
  category: 'config',
  defaults: {
    name: { value: '' },
    user1: { value: '', validate: sonotaChecks.image },
    user2: { value: '', validate: sonotaChecks.image },
    final: { value: '', validate: sonotaChecks.image },
  },
  label: function () {
    const file = (this.final ?? '').split(/[\\/]/).pop();
    return this.name || file || this._('sonota-firmware.label.default');
  },
  labelStyle: sonotaLabelStyle,
});
