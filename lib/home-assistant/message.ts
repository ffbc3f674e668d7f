/** A message for the core node `mqtt out`. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A state, which the broker retains for later subscribers. */
export function kept(topic: string, content: object | string): MqttMessage {
  return { topic, payload: typeof content === 'string' ? content : jsonOf(content), qos: 1, retain: true };
}

/** An event: Home Assistant would take a retained one for new after each of its starts. */
export function passing(topic: string, content: object): MqttMessage {
  return { topic, payload: jsonOf(content), qos: 1, retain: false };
}

/** Half of an emoji, which a name of any origin may hold, would have Home Assistant drop the whole message. */
function jsonOf(content: object): string {
  return JSON.stringify(content, (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
  );
}
