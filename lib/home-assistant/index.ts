/** Our jobs as Home Assistant wants them over MQTT, and its commands as we take them. Pure: no client, timer or file. */

export { Arming, type Clock } from './arming';
export { readCommand, type Command, type Incoming } from './commands';
export { ENTITY_NAMES, type EntityName, type EntityNames } from './discovery';
export { kept, type MqttMessage } from './message';
export { INSTANCE_ID, onlineWord } from './instance';
export { DiscoveryPublisher } from './discovery-publisher';
export { Neighbours } from './neighbours';
export { STATE_NAMES, type StateName, type StateNames } from './states';
export { PHRASE_NAMES, type Phrase, type PhraseName } from './phrases';
export { Topics, type PublishedGroup, type TopicSettings } from './topics';
export {
  failureIn,
  isOpen,
  type Failure,
  type ShownDevice,
  type ShownFailure,
  type ShownImage,
  type ShownJob,
  type ShownReport,
  type SonoffInSight,
  type ShownQueue,
  type Snapshot,
} from './snapshot';
