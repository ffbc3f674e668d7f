interface SonotaQueueProperties extends EditorNodeProperties {
  host: string;
  atOnce: string;
  attempts: string;
}

RED.nodes.registerType<SonotaQueueProperties>('sonota-queue', {
  category: 'Sonoff',
  color: '#C3D9D7',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    atOnce: { value: '', validate: sonotaChecks.count },
    attempts: { value: '', validate: sonotaChecks.count },
  },
  inputs: 1,
  outputs: 3,
  icon: 'sonota-queue.svg',
  paletteLabel: function () {
    return this._('sonota-queue.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-queue.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: function (index) {
    return this._(`sonota-queue.output.${['start', 'finalstage', 'news'][index] ?? 'news'}`);
  },
});
