import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { FlashError } from '../../lib/errors';
import type { Radio, WifiLease } from '../../lib/flash/radio/radio';
import { WifiSession } from '../../lib/flash/radio/wifi-session';
import type { AccessPoint, JoinedNetwork, WifiNetwork } from '../../lib/net/wifi/wifi';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';
import { assertCode } from './refusals';

const NEVER = new AbortController().signal;
const IN_TIME = { signal: NEVER, seconds: 30 };
const STAY = { ...IN_TIME, stay: 600 };
const NETWORK: WifiNetwork = { ssid: 'tasmota-1234' };
const IN_SIGHT = [{ ssid: 'home' }] as AccessPoint[];
const OF_LEASE = [{ ssid: 'of the lease' }] as AccessPoint[];

describe('flash/radio/wifi-session', () => {
  /** What the radio was asked for, in order. */
  const asked: string[] = [];
  let radio: { holder: string | undefined };
  let session: WifiSession;
  let driver: EventEmitter & { joined: JoinedNetwork | undefined };
  let join: (network: WifiNetwork, signal: AbortSignal) => Promise<JoinedNetwork>;
  beforeEach(() => {
    asked.length = 0;
    join = ({ ssid }) => {
      driver.joined = { ssid } as JoinedNetwork;
      return Promise.resolve(driver.joined);
    };
    radio = Object.assign(new EventEmitter(), {
      ...{ holder: undefined, interfaceName: 'wlan0' },
      acquire: (purpose: string) => {
        asked.push(`acquire ${purpose}`);
        driver = Object.assign(new EventEmitter(), { joined: undefined });
        const own = driver;
        return Promise.resolve({
          driver: own,
          scan: () => Promise.resolve(OF_LEASE),
          join: (network: WifiNetwork, signal: AbortSignal) => join(network, signal),
          release: () => {
            own.joined = undefined;
            return Promise.resolve(void asked.push('release'));
          },
        } as unknown as WifiLease);
      },
      scan: (purpose: string) => Promise.resolve((asked.push(`scan ${purpose}`), IN_SIGHT)),
    });
    session = new WifiSession(radio as unknown as Radio);
  });
  afterEach(() => session.leave());
  afterEach(timeGoesOn);

  /** Work that ends with its signal alone. */
  const untilAborted = (_network: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

  it('joins in the turn of flows, leaves what it had joined before, and says what it left', async () => {
    assert.equal(session.joined, undefined);
    assert.deepEqual(await session.join(NETWORK, STAY), { ssid: 'tasmota-1234' });
    assert.deepEqual(session.joined, { ssid: 'tasmota-1234' });
    await session.join({ ssid: 'other' }, STAY);
    assert.deepEqual(asked, ['acquire flow', 'release', 'acquire flow']);
    assert.deepEqual(await session.leave(), { ssid: 'other' });
    assert.deepEqual([session.joined, await session.leave()], [undefined, undefined]);
    assert.equal(asked.length, 4);
  });

  it('looks around with the network that it has joined, else in its turn', async () => {
    assert.equal(await session.scan(IN_TIME), IN_SIGHT);
    assert.deepEqual(asked.splice(0), ['scan flow']);
    await session.join(NETWORK, STAY);
    assert.equal(await session.scan(IN_TIME), OF_LEASE);
    assert.deepEqual(asked, ['acquire flow']);
  });

  it('stays as long as it may, and reports then that it has left', async () => {
    timeStands(['setTimeout']);
    const ended = once(session, 'ended');
    await session.join(NETWORK, STAY);
    timePasses(599_999);
    assert.deepEqual(session.joined, { ssid: 'tasmota-1234' });
    timePasses(1);
    const [error] = (await ended) as [FlashError];
    assert.deepEqual(error, new FlashError('wifi-stayed-long', { ssid: 'tasmota-1234', seconds: 600 }));
    assert.deepEqual([session.joined, asked], [undefined, ['acquire flow', 'release']]);
  });

  it('reports a network that is lost, once it has left, and none that it has left before', async () => {
    timeStands(['setTimeout']);
    const reports: FlashError[] = [];
    session.on('ended', (error) => reports.push(error));
    await session.join(NETWORK, STAY);
    const first = driver;
    await session.join({ ssid: 'other' }, STAY);
    const lost = new FlashError('wifi-lost', { ssid: 'other' });
    first.emit('lost', lost);
    timePasses(1000);
    assert.deepEqual(session.joined, { ssid: 'other' });
    const ended = once(session, 'ended');
    driver.emit('lost', lost);
    await ended;
    timePasses(600_000);
    assert.deepEqual([reports, session.joined], [[lost], undefined]);
    assert.deepEqual(asked.slice(2), ['acquire flow', 'release']);
  });

  it('gives the radio back where it cannot join, or not in time', async () => {
    const refused = new FlashError('wifi-lost', { ssid: 'tasmota-1234' });
    join = () => Promise.reject(refused);
    await assert.rejects(session.join(NETWORK, STAY), refused);
    assert.deepEqual([session.joined, asked.splice(0)], [undefined, ['acquire flow', 'release']]);
    timeStands(['setTimeout']);
    const begun = new Promise<void>((resolve) => {
      join = (network, signal) => (resolve(), untilAborted(network, signal));
    });
    const joining = session.join(NETWORK, STAY);
    joining.catch(() => undefined);
    await begun;
    timePasses(30_000);
    const { values } = await assertCode(joining, 'wifi-timeout');
    assert.deepEqual(values, { what: wording('task-join', { ssid: 'tasmota-1234' }), seconds: 30 });
    assert.deepEqual(asked, ['acquire flow', 'release']);
  });

  for (const [holder, code, values] of [
    ['finalstage', 'wifi-busy', { name: 'wlan0', what: wording('purpose-finalstage') }],
    ['flow', 'wifi-timeout', { what: wording('task-scan'), seconds: 30 }],
    [undefined, 'wifi-timeout', { what: wording('task-scan'), seconds: 30 }],
  ] as const) {
    it(`says after its time that it could not look, with ${holder ?? 'no other user'} at the radio`, async () => {
      timeStands(['setTimeout']);
      radio.holder = holder;
      Object.assign(radio, { scan: untilAborted });
      const looking = session.scan(IN_TIME);
      looking.catch(() => undefined);
      timePasses(30_000);
      assert.deepEqual((await assertCode(looking, code)).values, values);
    });
  }

  it('ends with the signal', async () => {
    const controller = new AbortController();
    Object.assign(radio, { scan: untilAborted });
    const looking = session.scan({ signal: controller.signal, seconds: 30 });
    looking.catch(() => undefined);
    controller.abort(new FlashError('cancelled'));
    await assertCode(looking, 'cancelled');
  });
});
