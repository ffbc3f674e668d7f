/** A message for the core node `mqtt out`. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A state, which the broker retains for later subscribers. */
export function kept(topic: string, content: object | string): MqttMessage {
  return { topic, payload: typeof content === 'string' ? content : JSON.stringify(content), qos: 1, retain: true };
}

/** An event: Home Assistant would take a retained one for new after each of its starts. */
export function passing(topic: string, content: object): MqttMessage {
  return { topic, payload: JSON.stringify(content), qos: 1, retain: false };
}
