interface SonotaFinalStageWatchProperties extends EditorNodeProperties {
  host: string;
  firmware: string;
  url: string;
  timeout: string;
}

RED.nodes.registerType<SonotaFinalStageWatchProperties>('sonota-finalstage-watch', {
  category: 'Sonoff steps',
  color: '#9FC6C4',
  defaults: {
    name: { value: '' },
    host: { value: '', type: 'sonota-host', required: true },
    // Not required: the job has one already unless the flow starts here.
    firmware: { value: '', type: 'sonota-firmware', required: false },
    url: { value: '', validate: sonotaChecks.httpUrl },
    timeout: { value: '', validate: sonotaChecks.positive },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sonota-finalstage.svg',
  paletteLabel: function () {
    return this._('sonota-finalstage-watch.label.palette');
  },
  label: function () {
    return this.name || this._('sonota-finalstage-watch.label.palette');
  },
  labelStyle: sonotaLabelStyle,
  inputLabels: sonotaStageInput,
  outputLabels: sonotaStageOutput,
});
