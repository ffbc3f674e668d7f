import type { Node, NodeAPI } from 'node-red';
import type { FlashHost } from '../../lib/flash/host/host';
import type { Job } from '../../lib/flash/job/job';
import { newFirmware } from '../../lib/flash/stage/new-firmware';
import type { Message } from '../../lib/flash/job/ticket';
import type { HostNode } from '../shared/hosts';
import { deviceOf } from '../shared/messages';
import { httpUrlOr, numberOr, textOr, textOrNone } from '../shared/properties';
import { StageNode, type StageNodeDef } from '../shared/stage-node';

interface NewFirmwareDef extends StageNodeDef {
  url: string;
  timeout: number | string;
}

export default function register(RED: NodeAPI): void {
  function SonotaNewFirmware(this: Node, config: NewFirmwareDef): void {
    RED.nodes.createNode(this, config);
    const timeoutSeconds = numberOr(config.timeout, 600);
    rememberUrl(RED.nodes.getNode(config.host) as HostNode | null, config.url);
    new StageNode(RED, this, config, {
      stage: 'newfirmware',
      oneAtATime: true,
      plan: ({ flashHost }, message) => {
        const deviceid = deviceOf(message);
        const url = givenUrl(config, message);
        return {
          deviceid,
          findJob: () => jobToLookAfter(flashHost, deviceid),
          run: (context) => newFirmware(context, flashHost, { timeoutSeconds, url }),
        };
      },
    });
  }

  RED.nodes.registerType('sonota-new-firmware', SonotaNewFirmware);
}

/** For a flash whose acknowledgement is lost: then its new firmware alone tells that it was taken. */
function rememberUrl(host: HostNode | null, url: string): void {
  if (host) host.flashHost.newFirmwareUrl = URL.canParse(url) ? url : undefined;
}

/**
 * Where a person wants it looked for: an http:// address, or an IPv4 alone.
 * @throws FlashError `url-invalid`
 */
function givenUrl(config: NewFirmwareDef, message: Message): string | undefined {
  const given = textOr(config.url, textOrNone(message['newfirmware']) ?? '');
  if (given === '') return undefined;
  return httpUrlOr(/^[\w.-]+(:\d+)?$/.test(given) ? `http://${given}` : given, '');
}

/** A flash that was resumed at FinalStage may not know its device: then it is the newest such one that is done. */
function jobToLookAfter(host: FlashHost, deviceid: string | undefined): Job {
  const nameless = host.jobs.all().findLast((job) => job.deviceid === undefined && job.stage === 'done');
  const [only, ...others] = host.jobs.awaitingNewFirmware();
  if (deviceid === undefined && only !== undefined && others.length === 0) return only;
  return deviceid === undefined && nameless ? nameless : host.jobs.jobFor('newfirmware', deviceid);
}
