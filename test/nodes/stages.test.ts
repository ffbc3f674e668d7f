import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FlashHost } from '../../lib/flash/host/host';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import type { Job } from '../../lib/flash/job/job';
import { ONE_HOP } from '../../lib/flash/routes';
import type { DeviceConnection } from '../../lib/server/device-connection';
import type { HostNode } from '../../nodes/shared/hosts';
import { MessageValues } from '../../nodes/shared/messages';
import { finalStageStep, type FinalStageForm } from '../../nodes/shared/stages/finalstage';
import { newFirmwareStep } from '../../nodes/shared/stages/new-firmware';
import { explain, FlashError, sentencesOf } from '../../lib/errors';
import { FIRMWARE, ON_LOOPBACK } from '../flash/bench';
import { freePort, occupy } from '../shared/ports';
import { Bed, freePorts, road, type Msg } from './bed';
import { quoted, wording } from '../../lib/wordings/wording';

const HOME = { ssid: 'home', password: 'top secret' };

describe('nodes: the four stages', () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  it('flash a device from one message, with a result, progress and one done at each', async () => {
    const ports = await freePorts();
    const [apPort, finalStagePort] = [await freePort(), await freePort()];
    const flow = road(ports, {
      provision: { url: `http://127.0.0.1:${apPort}` },
      upgrade: { firmware: '' },
      finalstage: { url: `http://127.0.0.1:${finalStagePort}` },
    });
    bed = await Bed.load(flow);
    const device = bed.device({ apPort, finalStagePort, homeNetwork: HOME });
    await device.start();
    bed.send('provision', { ...HOME, _msgid: 'one', topic: 'mine', firmware: FIRMWARE, foreign: { kept: true } });
    const last = await bed.at('finalstage-out');
    assert.equal((await device.ended).result, 'flashed');

    const found: Msg[] = ['provision', 'cloud', 'upgrade'].map((id) => bed!.messages(`${id}-out`)[0]!);
    for (const msg of [...found, last]) {
      assert.equal(msg['deviceid'], device.deviceid);
      assert.equal(msg['topic'], 'mine');
      assert.deepEqual(msg['foreign'], { kept: true });
      assert.equal(Object.getPrototypeOf(msg.payload), Object.prototype);
      assert.ok(!('password' in msg));
    }
    assert.equal((last.sonota as Msg)['stage'], 'done');
    assert.equal((last.sonota as Msg)['percent'], 100);
    assert.equal((last.sonota as Msg)['model'], 'ITA-GZ1-GL');
    assert.deepEqual(Object.keys((last.sonota as { stages: object }).stages), [
      'provision',
      'cloud',
      'upgrade',
      'finalstage',
    ]);

    const percents: number[] = [];
    for (const id of ['provision', 'cloud', 'upgrade', 'finalstage']) {
      assert.deepEqual(await bed.doneBy(id), [undefined], `done of ${id}`);
      assert.deepEqual(bed.shown(id), { fill: 'green', shape: 'dot', text: 'done' });
      const shown: string[] = bed.statuses
        .filter((one) => one.id === id)
        .map(({ status }) => `${status.fill} ${status.shape}`);
      assert.equal(shown[0], 'grey ring');
      assert.ok(shown.includes('blue dot') || id === 'cloud', shown.join());
      for (const { text } of bed.statuses.filter((one) => one.id === id).map(({ status }) => status)) {
        assert.ok(text.length < 25, text);
      }
      const progress = bed.messages(`${id}-progress`);
      assert.ok(progress.length > 0, `progress of ${id}`);
      for (const msg of progress) {
        assert.match(String(msg['topic']), new RegExp(`^(${device.deviceid}|unknown)/${id}$`));
        assert.equal(msg.payload, msg.sonota?.['percent']);
        assert.match(String(msg['text']), /\w.*[.…]$/);
        assert.ok('deviceid' in msg);
        assert.equal(msg['_msgid'], 'one', 'it belongs to the message that came in');
        percents.push(Number(msg.payload));
      }
    }
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    assert.equal(percents.filter((percent) => percent === 100).length, 1);
    assert.equal(bed.messages('caught').length, 0);
    assert.ok(!JSON.stringify([bed.arrived, bed.statuses]).includes(HOME.password));
  });

  it('warn of a device that waits where output 1 leads nowhere', async () => {
    const ports = await freePorts();
    const apPort = await freePort();
    const node = { url: `http://127.0.0.1:${apPort}`, wires: [[], ['provision-progress']] };
    bed = await Bed.load(road(ports, { provision: node }));
    const device = bed.device({ apPort, homeNetwork: HOME });
    await device.start();
    const { jobs } = (bed.node('host') as HostNode).flashHost;
    const reported: unknown[] = [];
    jobs.on('changed', ({ lastReport }) => reported.push(lastReport));
    const warned = once(bed.node('provision'), 'call:warn') as Promise<[{ args: unknown[] }]>;
    bed.send('provision', { ...HOME });
    const shown = await bed.status('provision', ({ text }) => text === 'output-not-wired');
    const [{ args }] = await warned;
    const { what } = sentencesOf('output-not-wired', { deviceid: device.deviceid, output: 1 });
    assert.ok(String(args[0]).startsWith(what), String(args[0]));
    const told = { name: 'output-leads-nowhere', values: { output: 1 } };
    assert.deepEqual([jobs.latest(device.deviceid)?.lastReport, reported.at(-1)], [told, told]);
    assert.deepEqual(shown, { fill: 'yellow', shape: 'ring', text: 'output-not-wired' });
    assert.deepEqual(await bed.doneBy('provision'), [undefined], 'it is no error');
  });

  it('see wires that a deploy has drawn to a node that stays as it is', async () => {
    const ports = await freePorts();
    const apPort = await freePort();
    const url = `http://127.0.0.1:${apPort}`;
    bed = await Bed.load(road(ports, { provision: { url, wires: [[], []] } }));
    const before = bed.node('provision');
    await bed.deploy(road(ports, { provision: { url, wires: [['provision-out'], ['provision-progress']] } }), 'nodes');
    assert.equal(bed.node('provision'), before);
    await bed.device({ apPort, homeNetwork: HOME }).start();
    bed.send('provision', { ...HOME });
    await bed.at('provision-progress');
    await bed.at('provision-out');
    assert.equal(bed.shown('provision')?.text, 'done');
  });

  it('make a message of their progress only where it is wired', async () => {
    for (const wires of [
      [[], []],
      [[], ['cloud-progress']],
    ]) {
      const verdicts: string[] = [];
      const translate = (key: string): string => {
        if (key.includes(':notes.')) verdicts.push(key);
        return key;
      };
      bed = await Bed.load(road(await freePorts(), { cloud: { wires } }), {}, undefined, translate);
      bed.send('cloud');
      await bed.status('cloud', ({ fill }) => fill === 'yellow');
      assert.equal(verdicts.length > 0, wires[1]?.length === 1, 'the verdict is a part of the message');
      await bed.unload();
    }
  });

  it('say that they have no host, in the status and to Catch', async () => {
    const none = { host: '' };
    bed = await Bed.load(
      road(await freePorts(), { provision: none, cloud: none, upgrade: none, finalstage: { host: 'nobody' } }),
    );
    for (const id of ['provision', 'cloud', 'upgrade', 'finalstage']) {
      assert.deepEqual(bed.shown(id), { fill: 'red', shape: 'ring', text: 'host-missing' });
      bed.send(id, { password: HOME.password, mine: id });
      const caught = await bed.at('caught', (msg) => msg['mine'] === id);
      assert.equal(caught.error?.code, 'host-missing');
      assert.equal(caught.error.source.id, id);
      assert.match(caught.error.message, /^This node has no Sonoff host\. Open the node, .*\.$/);
      assert.ok(!('password' in caught));
      assert.equal((await bed.doneBy(id)).length, 1);
    }
  });

  it('show a port in use, do not crash, and work again with the next message once it is free', async () => {
    for (const key of ['httpsPort', 'legacyPort', 'httpPort'] as const) {
      const ports = await freePorts();
      const holder = await occupy(ports[key]);
      bed = await Bed.load(road(ports, { cloud: { timeout: '0.2' } }));
      try {
        bed.send('cloud', { deviceid: '1000a1b2c3', mine: 1 });
        const caught = await bed.at('caught', (msg) => msg['mine'] === 1);
        await bed.status('upgrade', ({ fill, shape, text }) => `${fill} ${shape} ${text}` === 'red ring port-in-use');
        assert.equal(caught.error?.code, 'port-in-use');
        assert.match(caught.error.message, new RegExp(`\\b${ports[key]}\\b`));
        // No device can be ready: why is of more use than which.
        bed.send('upgrade', { mine: 'any' });
        assert.equal((await bed.at('caught', (msg) => msg['mine'] === 'any')).error?.code, 'port-in-use');
      } finally {
        await holder.release();
      }
      bed.send('cloud', { deviceid: '1000a1b2c3', mine: 2 });
      const caught = await bed.at('caught', (msg) => msg['mine'] === 2);
      assert.equal(caught.error?.code, 'nothing-arrived');
      await bed.status('upgrade', ({ text }) => text === 'idle');
      await bed.unload();
      bed = undefined;
    }
  });

  it('take the Wi-Fi of the form before that of the message, and the message’s where the form is empty', async () => {
    for (const [form, message] of [
      [HOME, { ssid: 'other', password: 'another secret' }],
      [{}, HOME],
      [HOME, {}],
    ] as const) {
      const apPort = await freePort();
      const flow = road(await freePorts(), {
        host: 'ssid' in form ? { ssid: form.ssid } : {},
        provision: { url: `http://127.0.0.1:${apPort}`, wires: [['provision-out'], []] },
      });
      bed = await Bed.load(flow, { host: 'password' in form ? { password: form.password } : {} });
      const device = bed.device({ apPort, homeNetwork: HOME });
      await device.start();
      bed.send('provision', { ...message });
      const msg = await bed.at('provision-out');
      assert.ok(!('password' in msg));
      bed.send('cloud', { deviceid: device.deviceid });
      await bed.at('cloud-out');
      await bed.unload();
      bed = undefined;
    }
  });

  it('name both devices where the message is of another one than the form', async () => {
    bed = await Bed.load(road(await freePorts(), { provision: { deviceid: '1000000001' } }));
    bed.send('provision', { ...HOME, deviceid: '1000000002' });
    const { error } = await bed.at('caught');
    const [only, meant] = ['1000000001', '1000000002'];
    const reason = wording('takes-only', { only, meant });
    assert.deepEqual(
      [error?.code, error?.message],
      ['device-unknown', explain('device-unknown', { reason, known: only })],
    );
    // The same one twice is no contradiction, however it is written.
    bed.send('provision', { ...HOME, deviceid: `ITEAD-${only}`, mine: 1 });
    bed.send('provision', { cancel: true });
    assert.equal((await bed.at('caught', ({ mine }) => mine === 1)).error?.code, 'cancelled');
  });

  it('set up no other device than the one that their form or their message names', async () => {
    for (const [form, message] of [
      [{ deviceid: '1000000001' }, {}],
      [{}, { deviceid: '1000000001' }],
    ] as const) {
      const apPort = await freePort();
      bed = await Bed.load(road(await freePorts(), { provision: { url: `http://127.0.0.1:${apPort}`, ...form } }));
      const device = bed.device({ apPort, deviceid: '1000000002', homeNetwork: HOME });
      await device.start();
      bed.send('provision', { ...HOME, ...message });
      const { error } = await bed.at('caught');
      const reason = wording('access-point-of-another', { owner: '1000000002', meant: '1000000001' });
      assert.equal(error?.message, explain('device-unknown', { reason, known: '1000000002' }));
      assert.equal(device.state, 'access-point', 'it was left alone');
      await bed.unload();
      bed = undefined;
    }
  });

  it('refuse to start without credentials, and keep none of a message that failed', async () => {
    bed = await Bed.load(road(await freePorts()));
    bed.send('provision', { ssid: 'home', mine: 1 });
    const caught = await bed.at('caught');
    assert.equal(caught.error?.code, 'wifi-credentials-missing');
    assert.deepEqual(bed.shown('provision'), { fill: 'red', shape: 'ring', text: 'wifi-credentials-missing' });
    bed.send('provision', { ssid: 'x'.repeat(40), password: HOME.password, mine: 2 });
    const other = await bed.at('caught', (msg) => msg['mine'] === 2);
    assert.equal(other.error?.code, 'wifi-credentials-unusable');
    for (const [mine, wrong] of [
      [3, { ssid: 'home ' }],
      [4, { password: ` ${HOME.password}` }],
    ] as const) {
      bed.send('provision', { ...HOME, ...wrong, mine });
      const spaces = await bed.at('caught', (msg) => msg['mine'] === mine);
      assert.equal(spaces.error?.code, 'wifi-credentials-unusable');
    }
    assert.ok(!JSON.stringify(bed.arrived).includes(HOME.password));
  });

  it('find the firmware of a message by name, by id and in Buffers, and say what is missing', async () => {
    const ports = await freePorts();
    bed = await Bed.load(
      road(ports, { firmware: { name: ' made up ' }, upgrade: { firmware: '', wires: [['upgrade-out'], []] } }),
    );
    const device = bed.device({
      provisioned: { serverName: '127.0.0.1', port: ports.httpsPort },
      behaviours: { refusesWith: 404 },
    });
    await device.start();
    bed.send('cloud', { deviceid: device.deviceid, firmware: 'no such firmware', mine: 0 });
    const missing = await bed.at('caught', (msg) => msg['mine'] === 0);
    assert.equal(missing.error?.code, 'firmware-missing');
    assert.match(missing.error.message, /no such firmware/);
    const cases: [unknown, string][] = [
      [undefined, 'firmware-missing'],
      ['made up', 'download-failed'],
      ['firmware', 'download-failed'],
      [FIRMWARE, 'download-failed'],
      [{ ...FIRMWARE, final: undefined }, 'firmware-missing'],
      [{ ...FIRMWARE, user1: FIRMWARE.user2 }, 'image-wrong-slot'],
      [{ ...FIRMWARE, final: '/no/such/file.bin' }, 'image-unreadable'],
      [[1, 2, 3], 'value-invalid'],
      [{ ...FIRMWARE, user1: 7 }, 'image-unreadable'],
    ];
    for (const [index, [firmware, code]] of cases.entries()) {
      const mine = index + 1;
      bed.send('upgrade', { deviceid: device.deviceid, firmware, mine });
      const caught = await bed.at('caught', (msg) => msg['mine'] === mine);
      assert.equal(caught.error?.code, code, `case ${index}: ${caught.error?.message}`);
      assert.deepEqual(bed.shown('upgrade'), { fill: 'red', shape: 'ring', text: code });
    }
    assert.equal(bed.done.filter(({ node }) => node === 'upgrade').length, cases.length + 1);
  });

  it('take firmware that is known to refuse the upgrade where their form insists, each for itself', async () => {
    const deviceid = '1000000001';
    for (const [form, codes] of [
      [{}, ['device-not-supported', 'device-not-supported']],
      [{ cloud: { force: true } }, ['ready', 'device-not-supported']],
      [{ upgrade: { force: true } }, ['device-not-supported', 'download-failed']],
    ] as const) {
      const ports = await freePorts();
      const flow = road(ports, { cloud: { wires: [['cloud-out'], []] }, upgrade: { wires: [[], []] } });
      bed = await Bed.load(flow.map((one) => ({ ...one, ...(form as Record<string, object>)[one.id] })));
      const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
      const { devices } = (bed.node('host') as HostNode).flashHost;
      const ready = once(devices, 'ready');
      bed.send('cloud', { deviceid: '1000ffffff' });
      await bed.status('cloud', ({ fill }) => fill === 'yellow');
      await bed.device({ deviceid, romVersion: '3.5.0', provisioned, behaviours: { refusesWith: 404 } }).start();
      await ready;
      const seen: unknown[] = [];
      for (const id of ['cloud', 'upgrade']) {
        bed.send(id, { deviceid, mine: id });
        const isOf = ({ mine }: Msg): boolean => mine === id;
        seen.push((await Promise.race([bed.at('caught', isOf), bed.at('cloud-out', isOf)])).error?.code ?? 'ready');
      }
      assert.deepEqual(seen, codes, JSON.stringify(form));
      await bed.unload();
      bed = undefined;
    }
  });

  it('give each of the messages that joined a result of its own', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { cloud: { wires: [['cloud-out'], []] } }));
    const deviceid = '1000000001';
    for (const mine of [1, 2]) bed.send('cloud', { deviceid, mine });
    await bed.device({ deviceid, provisioned: { serverName: '127.0.0.1', port: ports.httpsPort } }).start();
    const one = await bed.at('cloud-out', ({ mine }) => mine === 1);
    const other = await bed.at('cloud-out', ({ mine }) => mine === 2);
    assert.deepEqual(other.sonota, one.sonota);
    // What a flow changes in one message must not change in the other.
    Object.assign(one.payload as object, { changed: true });
    Object.assign(one.sonota as object, { changed: true });
    assert.ok(!('changed' in (other.payload as object)));
    assert.ok(!('changed' in (other.sonota as object)));
  });

  it('ask which device is meant where several are ready', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { cloud: { wires: [['cloud-out'], []] } }));
    bed.send('upgrade', { mine: 0 });
    assert.equal((await bed.at('caught', ({ mine }) => mine === 0)).error?.code, 'device-not-ready');
    for (const deviceid of ['1000000001', '1000000002']) {
      const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
      await bed.device({ deviceid, provisioned, behaviours: { refusesWith: 404 } }).start();
      bed.send('cloud', { deviceid });
      await bed.at('cloud-out', (msg) => msg['deviceid'] === deviceid);
    }
    bed.send('upgrade', { mine: 1 });
    const caught = await bed.at('caught', ({ mine }) => mine === 1);
    const reason = wording('several-ready');
    assert.deepEqual(
      [caught.error?.code, caught.error?.message],
      ['device-unknown', explain('device-unknown', { reason, known: '1000000001, 1000000002' })],
    );
    bed.send('upgrade', { deviceid: 1000000002, mine: 2 });
    const refused = await bed.at('caught', ({ mine }) => mine === 2);
    assert.equal(refused.error?.code, 'download-failed');
    assert.match(refused.error.message, /1000000002/);
  });

  it('put out each device that becomes ready unasked, one message a job', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { cloud: { every: true, wires: [['cloud-out'], []] } }));
    const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
    const device = bed.device({ deviceid: '1000000001', provisioned, behaviours: { refusesWith: 404 } });
    await device.start();
    await bed.at('cloud-out', (msg) => msg['deviceid'] === '1000000001');
    const again = once((bed.node('host') as HostNode).flashHost.devices, 'ready');
    device.powerCycle();
    await again;
    // Of a connection that has not said who it is there is nothing to put out.
    (bed.node('host') as HostNode).flashHost.devices.emit('ready', {} as DeviceConnection);
    await bed.device({ deviceid: '1000000002', provisioned }).start();
    await bed.at('cloud-out', (msg) => msg['deviceid'] === '1000000002');
    assert.equal(bed.messages('cloud-out').length, 2);
    // Its job ends: then it is news again.
    bed.send('upgrade', { deviceid: '1000000001' });
    await bed.at('caught');
    device.powerCycle();
    while (bed.messages('cloud-out').length < 3)
      await bed.at('cloud-out', () => bed!.messages('cloud-out').length >= 3);
    assert.equal(bed.messages('cloud-out')[2]?.['deviceid'], '1000000001');
  });

  it('put out no second message for a device that another message waits for', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { cloud: { every: true, wires: [['cloud-out'], []] } }));
    bed.send('cloud', { deviceid: '1000000001', mine: 1 });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
    await bed.device({ deviceid: '1000000001', provisioned }).start();
    await bed.at('cloud-out');
    await bed.device({ deviceid: '1000000002', provisioned }).start();
    await bed.at('cloud-out', (msg) => msg['deviceid'] === '1000000002');
    assert.deepEqual(
      bed.messages('cloud-out').map(({ deviceid, mine }) => [deviceid, mine]),
      [
        ['1000000001', 1],
        ['1000000002', undefined],
      ],
    );
  });

  it('queue at a fixed address, join the same device, and are cancelled by a message', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { provision: { url: `http://127.0.0.1:${await freePort()}` } }));
    bed.send('provision', { ...HOME, mine: 1 });
    bed.send('provision', { ...HOME, deviceid: '1000000002', mine: 2 });
    bed.send('provision', { ...HOME, deviceid: '1000000002', mine: 3 });
    await bed.status('provision', ({ text }) => / \(\+1\)$/.test(text));
    bed.send('cloud', { deviceid: '1000000003', mine: 4 });
    bed.send('cloud', { deviceid: '1000000003', mine: 5 });
    await bed.status('cloud', ({ fill, shape }) => fill === 'yellow' && shape === 'ring');
    assert.equal((await bed.at('cloud-progress'))['waiting'], true);
    bed.send('provision', { cancel: true, deviceid: 'ITEAD-1000000002' });
    for (const mine of [2, 3]) {
      assert.equal((await bed.at('caught', (msg) => msg['mine'] === mine)).error?.code, 'cancelled');
    }
    assert.ok(!bed.messages('caught').some((msg) => msg['mine'] === 1), 'the first device is not meant');
    bed.send('provision', { cancel: true });
    assert.equal((await bed.at('caught', (msg) => msg['mine'] === 1)).error?.code, 'cancelled');
    bed.send('cloud', { cancel: true });
    for (const mine of [4, 5]) {
      assert.equal((await bed.at('caught', (msg) => msg['mine'] === mine)).error?.code, 'cancelled');
    }
    assert.deepEqual(bed.shown('provision'), { fill: 'red', shape: 'ring', text: 'cancelled' });
    assert.equal(bed.done.filter(({ node }) => node === 'provision').length, 5);
    assert.equal(bed.done.filter(({ node }) => node === 'cloud').length, 3);
  });

  it('are cancelled for the device that waits for the turn in FinalStage, and no other', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    bed = await Bed.load(road(await freePorts(), { finalstage: { url } }));
    bed.send('finalstage', { deviceid: '1000000001', firmware: FIRMWARE, mine: 1 });
    bed.send('finalstage', { deviceid: '1000000002', firmware: FIRMWARE, mine: 2 });
    await bed.status('finalstage', ({ text }) => / \(\+1\)$/.test(text));
    bed.send('finalstage', { cancel: true, deviceid: '1000000002' });
    assert.deepEqual((await bed.at('caught'))['mine'], 2);
    bed.send('finalstage', { cancel: true });
    await bed.at('caught', ({ mine }) => mine === 1);
    const codes = bed.messages('caught').map(({ mine, error }) => [mine, error?.code]);
    assert.deepEqual(codes, [
      [2, 'cancelled'],
      [1, 'cancelled'],
    ]);
  });

  it('wait for another node that has a device at the fixed address', async () => {
    const flow = road(await freePorts(), { provision: { url: `http://127.0.0.1:${await freePort()}` } });
    const second = flow.flatMap((node) => (node.id === 'provision' ? [{ ...node, id: 'second' }] : []));
    bed = await Bed.load([...flow, ...second]);
    bed.send('provision', { ...HOME, mine: 1 });
    await bed.status('provision', ({ fill }) => fill === 'yellow');
    bed.send('second', { ...HOME, mine: 2 });
    await bed.status('second', ({ text }) => text === 'idle (+1)');
    bed.send('provision', { cancel: true });
    await bed.status('second', ({ fill }) => fill === 'yellow');
    assert.deepEqual(
      bed.messages('caught').map(({ mine }) => mine),
      [1],
    );
  });

  it('end well though a message cannot be handed on, and tell of it', async () => {
    const ports = await freePorts();
    const wires = [['cloud-out', 'provision-out'], []];
    bed = await Bed.load(road(ports, { cloud: { wires } }));
    let isBroken = false;
    // What goes down a second wire is a copy.
    const message = Object.defineProperty({ deviceid: '1000000001' }, 'foreign', {
      enumerable: true,
      get: () => {
        if (isBroken) throw new Error('it cannot be copied');
        return 'kept';
      },
    });
    bed.send('cloud', message);
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    isBroken = true;
    const told = once(bed.node('cloud'), 'call:error');
    const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
    await bed.device({ deviceid: '1000000001', provisioned }).start();
    await told;
    const { flashHost } = bed.node('host') as HostNode;
    const job = flashHost.jobs.latest('1000000001');
    assert.deepEqual([job?.stage, job?.hasLeft('cloud')], ['cloud', true]);
    assert.deepEqual(await bed.doneBy('cloud'), [undefined], 'it has let go of the message');
  });

  it('show what is wrong with their host for as long as that is so, and not instead of what became of a message', async () => {
    const ports = await freePorts();
    bed = await Bed.load(road(ports, { cloud: { wires: [['cloud-out'], []] } }));
    const { flashHost } = bed.node('host') as HostNode;
    const shows = (trouble?: FlashError): string => {
      flashHost.trouble = trouble;
      flashHost.emit('state');
      return bed?.shown('cloud')?.text ?? '';
    };
    const wrong = new FlashError('tls-refused', { peer: 'this machine itself', reason: quoted('x') });
    assert.deepEqual([shows(), shows(wrong), shows(wrong), shows()], ['idle', 'tls-refused', 'tls-refused', 'idle']);
    bed.send('cloud', { deviceid: '1000000001' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow');
    const waiting = bed.shown('cloud')?.text;
    assert.deepEqual([shows(), shows(wrong), shows()], [waiting, 'tls-refused', 'tls-refused'], 'its own news come');
    const provisioned = { serverName: '127.0.0.1', port: ports.httpsPort };
    await bed.device({ deviceid: '1000000001', provisioned }).start();
    await bed.at('cloud-out');
    assert.deepEqual([shows(), shows(wrong), shows()], ['done', 'tls-refused', 'idle']);
    // Nor does a message whose stage went on behind a redeploy count as held for ever.
    bed.send('cloud', { deviceid: '1000000002' });
    await bed.status('cloud', ({ fill }) => fill === 'yellow', bed.statuses.length);
    const from = bed.statuses.length;
    await bed.deploy(road(ports, { cloud: { wires: [['cloud-out'], ['cloud-progress']] } }));
    await bed.status('cloud', ({ fill }) => fill === 'yellow', from);
    await bed.device({ deviceid: '1000000002', provisioned }).start();
    await bed.at('cloud-out', (msg) => msg['deviceid'] === '1000000002');
    assert.deepEqual([shows(), shows(wrong), shows()], ['done', 'tls-refused', 'idle']);
  });

  it('show what is wrong with their host before what is wrong with their own form', async () => {
    bed = await Bed.load(road(await freePorts(), { cloud: { timeout: 'soon' } }));
    const { flashHost } = bed.node('host') as HostNode;
    const shown = [bed.shown('cloud')?.text];
    for (const trouble of [new FlashError('tls-refused', { peer: 'x', reason: quoted('x') }), undefined]) {
      flashHost.trouble = trouble;
      flashHost.emit('state');
      shown.push(bed.shown('cloud')?.text);
    }
    assert.deepEqual(shown, ['value-invalid', 'tls-refused', 'value-invalid']);
  });

  describe('which of several flashes they continue', () => {
    const [ONE, TWO] = ['1000000001', '1000000002'] as const;
    let host: FlashHost;
    beforeEach(() => {
      host = new FlashHost(ON_LOOPBACK, undefined);
    });
    afterEach(() => host.close());

    const form = { firmware: () => undefined, newFirmwareUrl: () => undefined } as unknown as FinalStageForm;
    const inFinalStage = (deviceid?: string): Job =>
      finalStageStep.plan({ host: { flashHost: host } as HostNode, form, said: said(deviceid) }).findJob();
    const withNewFirmware = (deviceid?: string): Job =>
      newFirmwareStep
        .plan({
          host: { flashHost: host } as HostNode,
          form: { timeoutSeconds: 1, url: undefined },
          said: said(deviceid),
        })
        .findJob();
    const said = (deviceid?: string): MessageValues => new MessageValues(deviceid === undefined ? {} : { deviceid });

    function waiting(deviceid?: string): Job {
      const job = host.jobs.jobFor('finalstage', deviceid);
      job.finalStage = new FinalStageSession();
      return job;
    }

    function fetched(deviceid?: string): Job {
      const job = host.jobs.jobFor('upgrade', deviceid);
      job.route = ONE_HOP;
      job.enter('upgrade');
      job.leave('upgrade');
      return job;
    }

    it('is the only one that waits in FinalStage, where no device is named', () => {
      const one = waiting(ONE);
      assert.equal(inFinalStage(), one);
      const two = waiting(TWO);
      assert.ok(![one, two].includes(inFinalStage()), 'of two it could be either');
      assert.equal(inFinalStage(TWO), two);
    });

    it('is none that another stage looks after', () => {
      const one = waiting(ONE);
      one.running = new AbortController();
      assert.notEqual(inFinalStage(), one);
      const two = waiting(TWO);
      assert.equal(inFinalStage(), two);
    });

    it('is the only one whose device puts its new firmware in place, else the newest of no known device', () => {
      const one = fetched(ONE);
      assert.equal(withNewFirmware(), one);
      const two = fetched(TWO);
      assert.ok(![one, two].includes(withNewFirmware()), 'of two it could be either');
      assert.equal(withNewFirmware(TWO), two);
      const nameless = [0, 1].map(() => {
        const job = host.jobs.jobFor('finalstage', undefined);
        job.enter('finalstage');
        job.leave('finalstage');
        return job;
      });
      assert.equal(withNewFirmware(), nameless[1]);
      assert.notEqual(withNewFirmware('1000000003'), nameless[1]);
    });
  });
});
