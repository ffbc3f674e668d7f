import { FlashError } from '../../errors';
import type { DeviceConnection } from '../../server/device-connection';
import { requireCloudRoad } from '../cloud-road';
import type { Dispatched, Trouble } from '../devices';
import type { FlashHost } from '../host';
import type { StageContext } from '../stage-runs';
import { withinLimit } from '../time-limit';
import { waitFor } from '../wait';

/** A device that breaks off after our certificate this often checks it; it will never do anything else. */
const REJECTIONS_FOR_CERTAINTY = 3;

export interface CloudOptions {
  readonly timeoutSeconds: number;
  /** The device to wait for; without it the next one that is ready and not yet in work. */
  readonly deviceid: string | undefined;
  /** Goes on with a device whose firmware is known not to take it. */
  readonly force?: boolean;
}

/**
 * Waits until the device has registered and is ready for an upgrade, and says whether its firmware can take one.
 *
 * @throws FlashError `device-not-supported`, `certificate-rejected`, `tls-refused`, `message-malformed`,
 *   `nothing-arrived`, `device-timeout`, `cancelled`
 */
export async function cloud(
  context: StageContext,
  host: FlashHost,
  options: CloudOptions,
): Promise<Record<string, unknown>> {
  const seen = new CloudSightings(context, host, options);
  const limit = { seconds: options.timeoutSeconds, whenOver: () => seen.whyNothing() };
  try {
    seen.announceWait();
    const connection = await withinLimit(context.signal, limit, (signal) =>
      waitFor(host.devices, ['ready', 'trouble', 'dispatched'], () => seen.verdict() ?? take(), { signal }),
    );
    const { device } = connection;
    if (!device) throw new FlashError('unexplained', { reason: 'a ready session without a device' });
    const { road, level, reason } = requireCloudRoad(device, options);
    context.say('device-ready', { deviceid: device.deviceid }, { fraction: 0.95 });
    return { via: connection.via, ip: connection.peer, road, roadReason: reason, compatibility: level };
  } finally {
    seen.stop();
  }

  /** The connection of our device, if it is ready; it becomes the job's in the same step. */
  function take(): DeviceConnection | undefined {
    const connection = host.devices
      .ready()
      .find(({ device }) =>
        options.deviceid === undefined
          ? device && !isInWork(host, context, device.deviceid, seen.since)
          : device?.deviceid === options.deviceid,
      );
    if (connection?.device) host.adoptDevice(context.job, connection);
    return connection;
  }
}

/** Whether another run has this device in its hands, or has handed it on since we wait: then it is not ours to take. */
function isInWork(host: FlashHost, context: StageContext, deviceid: string, since: Date): boolean {
  const job = host.jobs.openJob(deviceid);
  if (job === undefined || job === context.job) return false;
  return job.running !== undefined || job.hasLeft('cloud', since);
}

/** What came in while this stage waited: the ground for saying why nothing did. */
class CloudSightings {
  readonly since = new Date();
  private dialled = 0;
  private readonly rejections = new Map<string, number>();
  private lastTrouble: FlashError | undefined;

  constructor(
    private readonly context: StageContext,
    private readonly host: FlashHost,
    private readonly options: CloudOptions,
  ) {
    host.devices.on('dialled', this.onDialled);
    host.devices.on('trouble', this.onTrouble);
    host.devices.on('dispatched', this.onDispatched);
  }

  stop(): void {
    this.host.devices.off('dialled', this.onDialled);
    this.host.devices.off('trouble', this.onTrouble);
    this.host.devices.off('dispatched', this.onDispatched);
  }

  announceWait(): void {
    const { deviceid } = this.options;
    const address = this.host.address ?? '?';
    if (deviceid === undefined) this.context.say('wait-for-any-device', { address });
    else this.context.say('wait-for-device', { deviceid, address });
  }

  /** Throws what is certain before the time is over. */
  verdict(): undefined {
    const { deviceid } = this.options;
    const dispatched = deviceid === undefined ? undefined : this.host.devices.lastDispatch(deviceid);
    if (dispatched) requireCloudRoad(dispatched, this.options);
    const peer = [...this.rejections].find(([, times]) => times >= REJECTIONS_FOR_CERTAINTY)?.[0];
    if (peer !== undefined) throw new FlashError('certificate-rejected', { peer });
  }

  whyNothing(): FlashError {
    const { deviceid, timeoutSeconds: seconds } = this.options;
    if (this.lastTrouble) return this.lastTrouble;
    if (this.dialled > 0) return new FlashError('device-timeout', { deviceid: deviceid ?? '(any)', seconds });
    const { https, legacy } = this.host.ports;
    const ports = legacy ? `${https} and ${legacy}` : `${https}`;
    return new FlashError('nothing-arrived', { address: this.host.address ?? '?', ports, seconds });
  }

  private readonly onDialled = (): void => {
    this.dialled += 1;
  };

  private readonly onTrouble = ({ peer, error }: Trouble): void => {
    this.lastTrouble = error;
    // A neighbour that has been refusing since before we waited must not end the wait for another device.
    const isNews = (this.host.devices.troubleBegan(peer) ?? this.since) >= this.since;
    if (isNews && error.code === 'certificate-rejected')
      this.rejections.set(peer, (this.rejections.get(peer) ?? 0) + 1);
    this.context.say('cloud-trouble', { message: error.message }, { warning: error.code });
  };

  private readonly onDispatched = ({ deviceid, model, romVersion }: Dispatched): void => {
    if (this.options.deviceid !== undefined && this.options.deviceid !== deviceid) return;
    this.lastTrouble = undefined;
    this.context.say('device-dispatched', { deviceid, model, romVersion }, { fraction: 0.4 });
  };
}
