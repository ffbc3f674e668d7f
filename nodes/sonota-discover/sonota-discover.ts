import type { Node, NodeAPI } from 'node-red';
import type { FlashError } from '../../lib/errors';
import type { DeviceSurvey, SurveyChange } from '../../lib/flash/discovery/device-survey';
import type { ListedSonoff } from '../../lib/flash/discovery/listed-sonoff';
import { readNamedDevices, type NamedDevice } from '../../lib/flash/discovery/named-devices';
import { whenFlowsRun } from '../shared/deploys';
import type { Message } from '../../lib/flash/job/pending-message';
import type { MessageValues } from '../shared/messages';
import { countedByMethod, describeSonoff } from '../shared/sonoffs';
import type { WiredNodeDef } from '../shared/node-wiring';
import { TaskNode } from '../shared/task-node';
import { translateSentences, type Translate } from '../shared/translate';

export default function register(RED: NodeAPI): void {
  function SonotaDiscover(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    let isLooking = false;

    const showCount = (survey: DeviceSurvey): void => {
      const count = survey.list.length;
      if (!isLooking) tasks.status.done(tasks.translate('status.found', `${count} found`, { count }));
    };
    const tasks = new TaskNode(RED, this, config, {
      oneAtATime: true,
      cancels: true,
      awaitsDevices: () => true,
      refuse: (said) => void [tasks.host, readRequest(said)],
      run: async ({ said, signal }): Promise<Message> => {
        const { flashHost } = tasks.host;
        const { survey } = flashHost;
        const { devices, sweep } = readRequest(said);
        if (devices) survey.name(devices);
        isLooking = true;
        tasks.status.busy(tasks.translate('status.looking', 'looking'));
        try {
          const { list, troubles } = await survey.look({ signal, sweep });
          const reasons = flashHost.trouble ? [flashHost.trouble, ...troubles] : troubles;
          const details = detailsOf(RED, survey, reasons, tasks.translate);
          const payload = list.map((device) => describeSonoff(RED, device));
          const text = summaryOf(RED, list, tasks.translate);
          return { payload, text, ...(details === '' ? {} : { details }) };
        } finally {
          isLooking = false;
          showCount(survey);
        }
      },
      closed: (removed) => unwatch?.(removed),
    });

    let unwatch: ReturnType<DeviceSurvey['watch']> | undefined;
    const watch = (survey: DeviceSurvey): void => {
      unwatch = survey.watch(this.id, (changes) => {
        for (const change of changes) sendChange(RED, this, change, tasks.translate);
        showCount(survey);
      });
    };
    tasks.start(() => {
      const { survey } = tasks.host.flashHost;
      whenFlowsRun(RED, this, () => watch(survey));
    });
  }

  RED.nodes.registerType('sonota-discover', SonotaDiscover);
}

interface Request {
  readonly devices: readonly NamedDevice[] | undefined;
  readonly sweep: boolean;
}

/** @throws FlashError `value-invalid` */
function readRequest(said: MessageValues): Request {
  const sweep = said.flag('sweep');
  const given = said.raw('devices') ?? '';
  if (given === '') return { devices: undefined, sweep };
  const read = readNamedDevices(given);
  if ('reason' in read) throw said.invalid('devices', read.reason);
  return { devices: read.devices, sweep };
}

function summaryOf(RED: NodeAPI, list: readonly ListedSonoff[], translate: Translate): string {
  const methods = countedByMethod(RED, list);
  if (list.length === 0) return translate('summary.none', 'No Sonoff was found.');
  return translate('summary.some', `${list.length} found: ${methods}.`, { count: list.length, methods });
}

/** What could not be looked at. */
function detailsOf(RED: NodeAPI, survey: DeviceSurvey, troubles: readonly FlashError[], translate: Translate): string {
  const deaf = [...survey.deaf].map(([address, reason]) =>
    translate('details.deaf', `No announcement can be heard at ${address} (${reason}).`, { address, reason }),
  );
  return [...troubles.map((error) => translateSentences(RED, error).what), ...deaf].join(' ');
}

/** An exception in a node behind our wires must not end the survey. */
function sendChange(RED: NodeAPI, node: Node, { event, device }: SurveyChange, translate: Translate): void {
  const payload = describeSonoff(RED, device);
  const which = [device.name, device.deviceid ?? device.address, device.model, device.version]
    .filter((part) => part !== undefined)
    .join(' ');
  const values = { which, method: payload.methodText };
  const text = translate(`event.${event}`, `${which}: ${event === 'gone' ? 'gone' : payload.methodText}.`, values);
  const { deviceid } = payload;
  const message: Message = { topic: `${deviceid ?? device.key}/${event}`, event, deviceid, payload, text };
  try {
    node.send([null, message]);
  } catch (error) {
    node.error(error);
  }
}
