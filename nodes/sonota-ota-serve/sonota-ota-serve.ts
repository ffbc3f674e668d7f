import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import { upgrade } from '../../lib/flash/stage/upgrade';
import { chooseFirmware } from '../shared/firmware-choice';
import { newFirmwareUrlBehind } from '../shared/new-firmware-behind';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

export default function register(RED: NodeAPI): void {
  function SonotaOtaServe(this: Node, config: StageNodeDef): void {
    RED.nodes.createNode(this, config);
    new StageNode(RED, this, config, {
      stage: 'upgrade',
      oneAtATime: false,
      readForm: (form) => ({
        timeoutSeconds: form.seconds('timeout') ?? 300,
        force: form.flag('force'),
        firmware: form.text('firmware'),
      }),
      plan: ({ host: { flashHost }, form: { timeoutSeconds, force, firmware }, said }) => {
        const deviceid = said.deviceId() ?? onlyDeviceReady(flashHost);
        const sources = chooseFirmware(RED, firmware, said);
        const newFirmwareUrl = newFirmwareUrlBehind(RED, this.id) ?? said.httpUrl('newfirmware');
        const options = { timeoutSeconds, deviceid, sources, force, newFirmwareUrl };
        return {
          deviceid,
          findJob: () => flashHost.jobs.jobFor('upgrade', deviceid),
          run: (context) => upgrade(context, flashHost, options),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-ota-serve', SonotaOtaServe);
}

/** @throws FlashError `device-unknown` where none or several are ready, or why the host does not listen */
function onlyDeviceReady(host: FlashHost): string {
  if (host.trouble) throw host.trouble;
  const known = host.devices.ready().flatMap(({ device }) => (device ? [device.deviceid] : []));
  const [only, ...others] = known;
  if (only !== undefined && others.length === 0) return only;
  const reason = only === undefined ? 'no device is ready' : 'several devices are ready';
  throw new FlashError('device-unknown', { reason, known: known.join(', ') || 'none' });
}
