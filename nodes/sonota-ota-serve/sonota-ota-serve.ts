import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import { upgrade } from '../../lib/flash/stage/upgrade';
import { chooseFirmware } from '../shared/firmware-choice';
import { deviceOf } from '../shared/messages';
import { isTicked, numberOr } from '../shared/properties';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

interface OtaServeDef extends StageNodeDef {
  firmware: string;
  timeout: number | string;
  force: boolean | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaOtaServe(this: Node, config: OtaServeDef): void {
    RED.nodes.createNode(this, config);
    const timeoutSeconds = numberOr(config.timeout, 300);
    const force = isTicked(config.force);
    new StageNode(RED, this, config, {
      stage: 'upgrade',
      oneAtATime: false,
      plan: ({ flashHost }, message) => {
        const deviceid = deviceOf(message) ?? onlyDeviceReady(flashHost);
        const sources = chooseFirmware(RED, config.firmware, message);
        return {
          deviceid,
          findJob: () => flashHost.jobs.jobFor('upgrade', deviceid),
          run: (context) => upgrade(context, flashHost, { timeoutSeconds, deviceid, sources, force }),
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
