import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { sentencesOf } from '../../lib/errors';
import { readCommand, type Incoming, type MqttMessage } from '../../lib/home-assistant';
import { BrokerLink, type BrokerState } from '../../nodes/sonota-home-assistant/broker-link';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { EMPTY, NAMES, phrase, STATES } from '../home-assistant/snapshots';

const FLASHER = 'homeassistant/device/sonota_flasher/config';
const ALL = ['sonota/set/#', 'sonota/status', 'homeassistant/status', 'homeassistant/device/#'];
let nodes = 0;

describe('nodes: how sonota-home-assistant begins beside others', () => {
  let link: BrokerLink;
  let instance: string;
  let state: BrokerState | undefined;
  const published: MqttMessage[] = [];

  function begin(filters: readonly string[] | undefined): void {
    const publications = Publications.in(undefined, assert.fail);
    const own = publications.arrives(`broker-link-${(nodes += 1)}`);
    instance = own.instance;
    link = new BrokerLink(
      {
        ...{ own, publications, phrase, names: NAMES, states: STATES, version: '0.1.0' },
        topics: { prefix: 'homeassistant', base: 'sonota' },
        sentences: ({ code, values }) => sentencesOf(code, values),
        wiring: { outlets: ['out'], broker: 'localhost:1883', filters },
      },
      {
        world: () => EMPTY,
        publish: (message) => published.push(message),
        deleted: assert.fail,
        contact: (now) => (state = now),
        failed: assert.ifError,
      },
    );
    link.start();
  }

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    published.length = 0;
  });
  afterEach(async () => {
    mock.timers.reset();
    await link.stop(false);
  });

  function hear(topic: string, payload: string, retain = false): void {
    const incoming: Incoming = { topic, payload, retain };
    const command = readCommand(link.topics, incoming, []);
    if (command.kind === 'heard' || command.kind === 'config' || command.kind === 'configs-heard') {
      link.take(command, retain);
    } else assert.fail(command.kind);
  }

  /** What comes when so much time has passed. */
  async function after(ms: number): Promise<void> {
    mock.timers.tick(ms);
    // What is published has been written to the disk before.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  const configs = (): string[] =>
    published.splice(0).flatMap(({ topic, payload }) => (topic.endsWith('/config') && payload !== '' ? [topic] : []));
  const configOf = (other: string): string =>
    JSON.stringify({ availability: [{ topic: 'sonota/status', payload_available: `online ${other}` }] });

  it('announces nothing before it has heard every config that the broker has', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    await after(1000);
    assert.deepEqual(
      published.filter(({ topic }) => topic.endsWith('/knock')).map(({ payload, retain }) => [payload, retain]),
      [[instance, false]],
    );
    assert.deepEqual(configs(), []);
    hear('homeassistant/device/sonota_flasher/knock', 'ffffffff');
    await after(1000);
    assert.deepEqual(configs(), [], "another instance's knock");
    hear('homeassistant/device/sonota_flasher/knock', instance);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
  });

  it('does not wait for configs for ever, nor where no mqtt in brings them', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    await after(5000);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    await link.stop(false);
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    assert.deepEqual([state?.missing, state?.isMissed], ['homeassistant/device/#', false]);
  });

  it('stays or gives way by the ids where both were first, so that one of the two stays', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    hear(FLASHER, configOf('ffffffff'));
    await after(200);
    assert.deepEqual(configs(), [FLASHER], 'the greater id gives way');
    hear(FLASHER, configOf('00000000'));
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
    hear(FLASHER, configOf('ffffffff'));
    await after(200);
    assert.deepEqual(configs(), [], 'that one is none of its own now');
  });

  it('gives way to one that says that it is there, and reports it for as long as that is so', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'online ffffffff', true);
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
    assert.equal(state?.other?.code, 'topic-shared');
    hear('sonota/status', 'offline');
    link.lookSoon();
    await after(300);
    assert.equal(state?.other, undefined);
    hear('sonota/status', 'online ffffffff');
    assert.equal((state as BrokerState | undefined)?.other?.code, 'topic-shared');
  });
});
