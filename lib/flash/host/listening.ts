/** The handling of everything that arrives on a host's ports. */

import { FlashError } from '../../errors';
import { CONNECTION_LIMITS, type Limit } from '../../server/connection-limits';
import { HANDSHAKE_RATE } from '../../server/device-servers';
import type { HandshakeFailed } from '../../server/tls-front';
import { wording, type Wording } from '../../wordings/wording';
import type { JobRegistry } from '../job/job-registry';
import { SESSIONS_OF_PEER, type Devices } from '../devices/devices';
import type { HostEnvironment } from './environment';
import { lineOf, lineOfWording, type HostLog } from '../host-log';
import type { ImageAuthorizer } from '../images/image-authorizer';
import type { HostLabel, ListeningHost } from './shared-listener';
import type { EvidenceRecorder } from './evidence-recorder';

/** Why connections are refused, for the log. */
const LIMIT_TEXTS: Readonly<Record<Limit, Wording>> = {
  peer: wording('log-limit-peer', { count: CONNECTION_LIMITS.peer }),
  total: wording('log-limit-total', { count: CONNECTION_LIMITS.total }),
  port: wording('log-limit-port'),
  handshakes: wording('log-limit-handshakes', { count: HANDSHAKE_RATE.perSecond }),
  sessions: wording('log-limit-sessions', { count: SESSIONS_OF_PEER }),
};
/** A network full of strangers must not fill the log, nor the memory. */
const REFUSED_PEERS_LOGGED = 100;

/** The parts of a host that are notified of what arrives. */
export interface ListeningParts {
  readonly jobs: JobRegistry;
  readonly devices: Devices;
  readonly authorizer: ImageAuthorizer;
  readonly recorder: EvidenceRecorder;
  readonly isOwnAddress: HostEnvironment['isOwnAddress'];
  /** The IPv4 that devices dial, where it is known. */
  readonly address: () => string | undefined;
  readonly label: () => HostLabel;
  readonly log: HostLog;
}

/** The evidence is recorded before any other part is notified: those parts ask for the verdict. */
export function listeningHost({ jobs, devices, authorizer, recorder, ...host }: ListeningParts): ListeningHost {
  const refused = refusals(recorder, host.log);
  devices.on('crowded', (peer) => refused(peer, 'sessions'));
  return {
    label: host.label,
    jobSince: (deviceid) => jobs.openJob(deviceid)?.startedAt.getTime(),
    awaitsFinalStageSince: () => jobs.awaitingFinalStage()[0]?.finalStage?.since.getTime() ?? Infinity,
    needsFinalStagePort: () => jobs.all().some(({ holdsFinalStage }) => holdsFinalStage),
    isOwnAddress: host.isOwnAddress,
    addressFor: (localAddress) => host.address() ?? localAddress,
    admits: (device, peer, to) => devices.admits(device, peer, to),
    find: (request, peer) => authorizer.find(request, peer),
    ownsTarget: (target) => authorizer.ownsTarget(target),
    takerOf: (path, peer) => authorizer.takerOf(path, peer),
    cloudDialled: (peer, via) => {
      devices.dialled(peer);
      recorder.dialled(peer, via);
    },
    imagesDialled: (peer) => recorder.dialled(peer, 'images'),
    finalStageDialled: (peer) => authorizer.dialled(peer),
    handshakeFailed: (failure) => {
      recorder.handshakeFailed(failure);
      const trouble = handshakeTrouble(failure);
      if (trouble) devices.hadTrouble(failure.peer, trouble);
    },
    dispatched: (dispatch) => {
      recorder.dispatched(dispatch);
      devices.dispatched(dispatch, dispatch.peer);
    },
    connected: (connection) => {
      recorder.connected(connection);
      devices.add(connection);
    },
    malformed: (error, peer) => {
      recorder.malformed(error, peer);
      devices.hadTrouble(peer, error);
    },
    browser: (peer) => recorder.stranger(peer, 'browser'),
    refused,
    trouble: (error) => host.log('warn', ...lineOf(error)),
  };
}

/** Seen by every job at work, and logged once a peer. */
function refusals(recorder: EvidenceRecorder, log: HostLog): ListeningHost['refused'] {
  const logged = new Set<string>();
  return (peer, limit) => {
    recorder.refused(peer, limit);
    if (logged.has(peer) || logged.size >= REFUSED_PEERS_LOGGED) return;
    logged.add(peer);
    log('warn', ...lineOfWording('log-refused', { peer, why: LIMIT_TEXTS[limit] }));
  };
}

/** The error for a failed handshake; a peer that merely left gets none. */
function handshakeTrouble({ failure, peer, reason }: HandshakeFailed): FlashError | undefined {
  if (failure === 'certificate-rejected') return new FlashError('certificate-rejected', { peer });
  if (failure === 'refused-here') return new FlashError('tls-refused', { peer, reason });
  if (failure === 'not-tls') return new FlashError('message-malformed', { peer, reason });
  return undefined;
}
