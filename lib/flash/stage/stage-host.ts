import type { FlashHost } from '../host/host';

/** What a stage may use of its host: its devices, jobs and images, and where this machine is; none of its life. */
export type StageHost = Pick<
  FlashHost,
  // What it has.
  | 'devices'
  | 'directory'
  | 'jobs'
  | 'library'
  | 'radio'
  | 'waits'
  // Where devices find it.
  | 'address'
  | 'addressToDial'
  | 'isAddressRemembered'
  | 'isAddressSet'
  | 'finalStagePort'
  | 'ports'
  | 'hasWifi'
  | 'ownAddresses'
  | 'on'
  | 'off'
  // What it does for a stage.
  | 'adoptDevice'
  | 'finalStageTurn'
  | 'kept'
  | 'open'
  | 'openFinalStagePort'
>;
