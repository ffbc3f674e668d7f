/*
 * Checks of what a person types into a form, for every node's editor script. An empty field means the default and is
 * always fine; so is a whole ${ENVIRONMENT_VARIABLE}, which only the runtime can look into.
 *
 * Node-RED hands over a second argument and takes a string back as "not valid, because"; it tells the two kinds of
 * check apart by the number of declared arguments, so each check must declare both. Its typings know only booleans.
 */
type FormCheck = (value: string, opt?: object) => boolean;

/**
 * A check that asks `fault` for the key of the sentence to show, or for nothing where the value is good. It gets the value
 * without the spaces around it, and as it was typed.
 */
function sonotaCheck(fault: (value: string, typed: string) => string | undefined): FormCheck {
  return (value, _opt?) => {
    const text = value == null ? '' : String(value).trim();
    if (text === '' || /^\$\{[^}]+\}$/.test(text)) return true;
    const key = fault(text, String(value));
    return key === undefined || (RED._(`@sonota/node-red/sonota-host:sonota-host.check.${key}`) as unknown as boolean);
  };
}

const sonotaChecks = {
  /** 0 to 65535; what 0 means is the field's affair. */
  port: sonotaCheck((text) => (/^\d+$/.test(text) && Number(text) <= 65535 ? undefined : 'port')),

  /** More than nothing: seconds, or a factor. */
  positive: sonotaCheck((text) => (Number(text) > 0 && Number.isFinite(Number(text)) ? undefined : 'positive')),

  /** A whole number from 1 on. */
  count: sonotaCheck((text) => (/^[1-9]\d*$/.test(text) ? undefined : 'count')),

  /** Four numbers; a name would not do, because devices get the address as it stands. */
  ipv4: sonotaCheck((text) => (/^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$/.test(text) ? undefined : 'ipv4')),

  /** Four numbers and the length of the network's part. */
  cidr: sonotaCheck((text) =>
    /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!\/)|(?=\/))){4}\/([1-9]|[12]\d|3[0-2])$/.test(text) ? undefined : 'cidr',
  ),

  /** An address these devices can be asked at: plain http, no name of a user. */
  httpUrl: sonotaCheck((text) => (/^http:\/\/[^\s/@]+(\/\S*)?$/i.test(text) ? undefined : 'httpUrl')),

  /** The same, or a host alone: `kitchen.lan`, `192.168.1.20`, with a port perhaps. */
  hostOrUrl: sonotaCheck((text) => (/^(http:\/\/)?[^\s/@:]+(:\d+)?\/?$/i.test(text) ? undefined : 'hostOrUrl')),

  /** One level of a topic; `{deviceid}` is filled in. */
  mqttTopic: sonotaCheck((text) => (/^[^\s+#/;%]+$/.test(text) ? undefined : 'mqttTopic')),

  /** A module's number, `keep`, or a template as it is published. */
  tasmotaTemplate: sonotaCheck((text) =>
    /^(\d{1,3}|keep|\{.*"GPIO".*\})$/s.test(text) ? undefined : 'tasmotaTemplate',
  ),

  /** The device keeps 31 bytes, not 31 letters; every node refuses a space at an end, which is seldom meant. */
  ssid: sonotaCheck((text, typed) => {
    if (text !== typed) return 'outerSpace';
    return new TextEncoder().encode(text).length <= 31 ? undefined : 'ssid';
  }),

  /** Ten hexadecimal digits, or the name of the device's access point. */
  deviceid: sonotaCheck((text) => (/^(ITEAD-)?[\da-f]{10}$/i.test(text) ? undefined : 'deviceid')),

  /** Where something is published: a name without wildcards, which Home Assistant takes as a part of a topic. */
  topic: sonotaCheck((text) => (/^[^\s+#/]+(\/[^\s+#/]+)*$/.test(text) ? undefined : 'topic')),

  /** A path, an address, or a name of ours; whether it can be read is found out by the runtime. */
  image: sonotaCheck((text) => {
    if (/\.gz$/i.test(text)) return 'imageCompressed';
    if (/^store:/i.test(text)) return /^store:[\da-f]{64}$/i.test(text) ? undefined : 'imageStore';
    if (/^catalog:/i.test(text)) return /^catalog:\S+$/i.test(text) ? undefined : 'imageCatalog';
    if (/^[a-z][a-z\d+.-]+:\/\//i.test(text)) return /^https?:\/\/[^\s/]+/i.test(text) ? undefined : 'imageUrl';
    return undefined;
  }),
};

/** Italic where a person chose the name, as everywhere in the editor. */
function sonotaLabelStyle(this: Labelled): string {
  return this.name ? 'node_label_italic' : '';
}

/** The two outputs that all four stages have. */
function sonotaStageOutput(index: number): string {
  return RED._(`@sonota/node-red/sonota-host:sonota-host.output.${index === 0 ? 'result' : 'progress'}`);
}

/** The one input that all four stages have. */
function sonotaStageInput(): string {
  return RED._('@sonota/node-red/sonota-host:sonota-host.input.start');
}
