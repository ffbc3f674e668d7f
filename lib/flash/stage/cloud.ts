import { explained, FlashError } from '../../errors';
import type { DeviceConnection } from '../../server/device-connection';
import { requireOneClaimant } from './claimants';
import { requireCloudMethod } from './cloud-method';
import type { DispatchSighting } from '../devices/devices';
import type { StageHost } from './stage-host';
import type { StageContext } from '../run/task';
import { waitFor } from '../../timing/wait';
import { throwIfFinal, withStageLimit, watchTrouble, recorded, type Beginning } from './stage-frame';
import { wording } from '../../wordings/wording';

export interface CloudOptions {
  readonly timeoutSeconds: number;
  /** The device to wait for; without it the next one that is ready and not yet in work. */
  readonly deviceid: string | undefined;
  /** Continues with a device whose firmware is known not to take it. */
  readonly force?: boolean;
}

/**
 * Waits until the device has registered and is ready for an upgrade, and says whether its firmware can take one.
 *
 * @throws FlashError `device-not-supported`, `device-contested`, `device-key-differs`, `certificate-rejected`, `tls-refused`, `message-malformed`,
 *   `session-unregistered`, `connection-empty`, `address-changed`, `nothing-arrived`, `device-timeout`, `unexplained`, `cancelled`
 */
export async function cloud(
  context: StageContext,
  host: StageHost,
  options: CloudOptions,
): Promise<Record<string, unknown>> {
  const { https, legacy } = host.ports;
  const beginning: Beginning = {
    stage: 'cloud',
    seconds: options.timeoutSeconds,
    ...(options.deviceid === undefined ? {} : { deviceid: options.deviceid }),
    address: host.address ?? 'unknown',
    ports: legacy ? `${https} and ${legacy}` : `${https}`,
    ...(options.force ? { isForced: true } : {}),
  };
  return recorded(context, beginning, () => waitForDevice(context, host, options, beginning));
}

async function waitForDevice(
  context: StageContext,
  host: StageHost,
  options: CloudOptions,
  beginning: Beginning,
): Promise<Record<string, unknown>> {
  const narrator = new CloudNarrator(context, host, options);
  const noteAddresses = (): void => {
    const addresses = host.ownAddresses(`http://${host.address ?? 'unknown'}`);
    context.job.evidence.addIfNew({ kind: 'addresses', addresses });
  };
  noteAddresses();
  host.on('addresses', noteAddresses);
  const look = (): DeviceConnection | undefined => {
    requireOneClaimant(host, context.job, options.deviceid);
    if (options.force && options.deviceid !== undefined) host.devices.acceptOnlyClaimant(options.deviceid);
    return throwIfFinal(context.job) ?? take();
  };
  try {
    const connection = await withStageLimit(context, beginning, {}, (signal) =>
      waitFor(host.devices, ['ready', 'trouble', 'dispatched', 'refused'], look, { signal }),
    );
    const { device } = connection;
    if (!device) throw new FlashError('unexplained', { reason: wording('ready-without-device') });
    const { method: method, level, reason } = requireCloudMethod(device, options);
    context.report('device-ready', { deviceid: device.deviceid }, { fraction: 0.95 });
    return { via: connection.via, ip: connection.peer, road: method, roadReason: reason, compatibility: level };
  } finally {
    host.off('addresses', noteAddresses);
    narrator.stop();
  }

  /** The connection of our device, if it is ready; it becomes the job's in the same step. */
  function take(): DeviceConnection | undefined {
    const connection = options.deviceid === undefined ? nextReady() : readyOf(options.deviceid);
    if (connection?.device) host.adoptDevice(context.job, connection);
    return connection;
  }

  function readyOf(deviceid: string): DeviceConnection | undefined {
    const connection = host.devices.get(deviceid);
    return connection?.ready ? connection : undefined;
  }

  function nextReady(): DeviceConnection | undefined {
    const isFree = (deviceid: string): boolean =>
      !host.devices.rivals(deviceid) && !isInWork(host, context, deviceid, narrator.since);
    return host.devices.ready().find(({ device }) => device && isFree(device.deviceid));
  }
}

/** Whether another run has this device in its hands, or has handed it on since we wait: then it is not ours to take. */
function isInWork(host: StageHost, context: StageContext, deviceid: string, since: Date): boolean {
  const job = host.jobs.openJob(deviceid);
  if (job === undefined || job === context.job) return false;
  return job.running !== undefined || job.hasLeft('cloud', since);
}

/** Says what comes in while this stage waits. */
class CloudNarrator {
  readonly since = new Date();
  private readonly stopWatching: () => void;

  constructor(
    private readonly context: StageContext,
    private readonly host: StageHost,
    private readonly options: CloudOptions,
  ) {
    this.announceWait();
    host.devices.on('dispatched', this.onDispatched);
    this.stopWatching = watchTrouble(context.job, (trouble) => {
      if (trouble) context.report('cloud-trouble', { message: explained(trouble) });
      else this.announceWait();
    });
  }

  stop(): void {
    this.host.devices.off('dispatched', this.onDispatched);
    this.stopWatching();
  }

  private announceWait(): void {
    const { deviceid } = this.options;
    const address = this.host.address ?? '?';
    if (deviceid === undefined) this.context.report('wait-for-any-device', { address });
    else this.context.report('wait-for-device', { deviceid, address });
  }

  private readonly onDispatched = ({ deviceid, model, romVersion }: DispatchSighting): void => {
    if (this.options.deviceid !== undefined && this.options.deviceid !== deviceid) return;
    this.context.report('device-dispatched', { deviceid, model, romVersion }, { fraction: 0.4 });
  };
}
