import assert from 'node:assert/strict';
import { once } from 'node:events';
import { sentencesOf } from '../../lib/errors';
import { FlashHost } from '../../lib/flash/host/host';
import { STAGES } from '../../lib/flash/stages';
import { ARMED_MS } from '../../lib/home-assistant/arming';
import { DeviceMemory } from '../../nodes/sonota-home-assistant/device-memory';
import type { FirmwareList } from '../../nodes/sonota-home-assistant/firmware-list';
import { HomeAssistantLink, type FlashRequest } from '../../nodes/sonota-home-assistant/link';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { Broker, Listener, needMosquitto } from './broker';
import { FakeClock } from './fake-clock';
import { at } from './scene';
import { ID, NAMES, phrase, STATES } from './snapshots';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;
const NEW = 'Tasmota 15';

describe('home assistant: offers, Cancel and the queue, at a real Mosquitto', () => {
  let broker: Broker;
  let listener: Listener;
  let host: FlashHost;
  let link: HomeAssistantLink;
  let clock: FakeClock;
  const requests: FlashRequest[] = [];
  const refusals: unknown[] = [];

  before(needMosquitto);
  beforeEach(async () => {
    broker = await Broker.start();
    listener = await Listener.at(broker.port);
    clock = new FakeClock();
    requests.length = refusals.length = 0;
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    host = new FlashHost({ bind: '127.0.0.1', address: '127.0.0.1', ...ports }, undefined);
    const memory = new DeviceMemory(undefined, 'memory', () => undefined);
    memory.saw({ deviceid: ID, romVersion: '1.5.5' });
    const firmware = { shown: () => ({ options: [NEW], chosen: NEW }), chosenId: 'tasmota', nameOf: () => NEW };
    const publications = Publications.in(undefined, () => undefined);
    link = new HomeAssistantLink(
      {
        ...{ host, memory, clock, phrase, names: NAMES, states: STATES, version: '0.1.0' },
        firmware: firmware as unknown as FirmwareList,
        images: () => ({ of: () => undefined, look: () => undefined }),
        topics: { prefix: 'homeassistant', base: 'sonota' },
        sentences: ({ code, values }) => sentencesOf(code, values),
        reportText: ({ text }) => text,
        translated: (job) => job,
        inSight: () => assert.fail('nobody looks for Sonoffs here'),
        publications,
        own: publications.arrives('ha'),
        wiring: { outlets: [], broker: 'localhost:1883', filters: ['#'] },
      },
      {
        publish: ({ topic, payload, retain }) => void listener.say(topic, payload, retain),
        flash: (request) => {
          requests.push(request);
          host.queue.add({ deviceid: request.deviceid });
        },
        failed: (error) => refusals.push(error),
        contact: () => undefined,
      },
    );
    listener.forward((message) => {
      try {
        link.take({ topic: message.topic, payload: message.payload });
      } catch (error) {
        refusals.push(error);
      }
    });
    link.start();
    await listener.heard('nothing is offered', at(UPDATE, { latest_version: 'ITEAD 1.5.5' }));
  });
  afterEach(async () => {
    await link?.stop(false);
    await host?.close();
    await listener?.close();
    await broker?.stop();
  });

  async function arm(): Promise<void> {
    await listener.say(`sonota/set/arm/${ID}`, 'ON');
    await listener.heard('armed', at(STATE, { armed: 'ON' }));
    await listener.heard('offered', at(UPDATE, { latest_version: NEW }));
  }

  it('ends an offer that was left open, and refuses what comes later', async () => {
    await arm();
    const from = listener.messages.length;
    clock.advance(ARMED_MS);
    await listener.heard('switched off', at(STATE, { armed: 'OFF' }), from);
    await listener.heard('not offered', at(UPDATE, { latest_version: 'ITEAD 1.5.5' }), from);
    await listener.say(`sonota/set/install/${ID}`, 'INSTALL');
    await listener.heard('refused', at(`sonota/device/${ID}/event`, { event_type: 'refused' }), from);
    assert.deepEqual(requests, []);
    assert.equal((refusals[0] as { code?: string }).code, 'not-armed');
  });

  it('keeps a flash that was accepted in its place of the queue', async () => {
    host.queue.pause();
    await arm();
    const from = listener.messages.length;
    await listener.say(`sonota/set/install/${ID}`, 'INSTALL');
    await listener.heard('used up', at(STATE, { armed: 'OFF' }), from);
    clock.advance(2 * ARMED_MS);
    assert.deepEqual(
      host.queue.snapshot().entries.map(({ deviceid, state }) => [deviceid, state]),
      [[ID, 'waiting']],
    );
    assert.deepEqual(requests, [{ topic: 'cloud', deviceid: ID, firmware: 'tasmota' }]);
  });

  for (const stage of STAGES) {
    it(`ends a flash at ${stage} by Cancel`, async () => {
      const job = host.jobs.jobFor(stage, ID);
      const running = new AbortController();
      job.running = running;
      const ended = once(running.signal, 'abort');
      await listener.say(`sonota/set/cancel/${ID}`, 'PRESS');
      await ended;
      assert.equal((running.signal.reason as { code?: string }).code, 'cancelled');
      assert.deepEqual(refusals, []);
    });
  }

  it('reports a flash that the queue could not start, or whose message no node has taken', async () => {
    let isWired = false;
    host.queue.attach('queue', { atOnce: 1, attempts: 1, start: () => isWired });
    host.queue.add({ deviceid: ID }, { nodeId: 'queue' });
    const failed = { event_type: 'failed', deviceid: ID };
    const told = await listener.heard('not wired', at('sonota/event', { ...failed, error: 'queue-not-wired' }));
    assert.match((JSON.parse(told.payload) as { text: string }).text, /output 1 is not wired/);
    isWired = true;
    timeStands(['Date', 'setInterval'], Date.now());
    try {
      host.queue.retryFailed();
      timePasses(16 * 60_000);
    } finally {
      timeGoesOn();
    }
    const lost = await listener.heard('lost', at('sonota/event', { ...failed, error: 'queue-lost' }));
    assert.match((JSON.parse(lost.payload) as { text: string }).text, /for 15 minutes/);
    const hasFailure = ({ topic, payload }: { topic: string; payload: string }): boolean =>
      topic === 'sonota/state' && payload.includes('"code":"queue-lost"');
    await listener.heard('the last failure', hasFailure);
  });

  it('tries a flash again that has failed in the queue, without a new arming', async () => {
    const message = { deviceid: ID };
    let starts = 0;
    host.queue.attach('queue', {
      atOnce: 1,
      attempts: 1,
      // Nothing is wired there, so each start fails.
      start: () => ((starts += 1), false),
    });
    host.queue.add(message, { nodeId: 'queue' });
    assert.equal(starts, 1);
    await listener.say('sonota/set/retry', 'PRESS');
    await listener.heard('the press', ({ topic }) => topic === 'sonota/set/retry');
    assert.equal(starts, 2);
    assert.deepEqual(refusals, []);
  });
});
