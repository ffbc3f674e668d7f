import assert from 'node:assert/strict';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { whyNoAir } from '../lab/air';
import { MANY, type FlowNode } from '../lab/flow';
import type { FlowRecord } from '../lab/records';
import { whyNoBus } from '../net/wifi/private-bus';
import { Bench } from './bench';

const COUNT = 20;
const LIMIT_MS = 480_000;
/** They run so much faster, for their pauses are most of a flash; what they give others stays as it is. */
const SPEED = 10;
const PLACES = Array.from({ length: COUNT }, (_, index) => `d${index}`);
const idOf = (index: number): string => `1000${(0xa10000 + index).toString(16)}`;

/** Two that cannot be flashed, and the verdict on each. */
const FAULTY: Record<number, { fault: string; code: string }> = {
  4: { fault: 'refuse-406', code: 'model-refused' },
  // It hangs in FinalStage for good, and shows that to all devices that come behind it.
  9: { fault: 'stream-cut', code: 'finalstage-stalled' },
};

describe(`${COUNT} devices, one Inject, one radio, and no person at the Wi-Fi`, function () {
  this.timeout(LIMIT_MS);
  let bench: Bench;

  before(async function () {
    const reason = whyNoAir() ?? whyNoBus();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      return this.skip();
    }
    bench = await Bench.open(PLACES);
  });

  after(async () => await bench?.close());

  it('flashes those that can be and sets them up, and says of the others why not', async () => {
    const inject = await bench.deploy({
      example: MANY,
      change: setUpToo,
      forms: { 'sonota-finalstage-watch': { timeout: '40' } },
    });
    bench.records.on('record', (record: FlowRecord) => holdButtons(bench, record));
    await inject({ deviceids: PLACES.map((_, index) => idOf(index)) });
    const isOver = ({ kind, msg }: FlowRecord): boolean =>
      kind === 'queue' && (msg.payload as QueueSnapshot).state === 'idle' && (msg.payload as QueueSnapshot).done > 0;
    const end = await bench.records
      .find(isOver, AbortSignal.timeout(LIMIT_MS - 20_000))
      .catch(() => assert.fail(bench.story()));
    const { done, failed, entries } = end.msg.payload as QueueSnapshot;
    assert.deepEqual({ done, failed }, { done: COUNT - 2, failed: 2 }, bench.story());
    for (const [index, { code }] of Object.entries(FAULTY)) {
      const entry = entries.find(({ deviceid }) => deviceid === idOf(Number(index)));
      assert.equal(entry?.error, code, entry?.text);
      // It had a part of the image, and that is the verdict.
      assert.doesNotMatch(entry?.text ?? '', / 0 of /);
    }
    const setUps = new Set<string | undefined>();
    while (setUps.size < COUNT - 2) {
      const isNew = ({ kind, node, msg }: FlowRecord): boolean =>
        kind === 'result' && node === 'tasmota-setup' && !setUps.has(msg.deviceid);
      const { msg } = await bench.records
        .find(isNew, AbortSignal.timeout(60_000))
        .catch(() => assert.fail(`${setUps.size} were set up\n${bench.story()}`));
      setUps.add(msg.deviceid);
    }
    for (const device of bench.devices) {
      const index = PLACES.indexOf(device.place);
      assert.equal(device.flashSha256, FAULTY[index] ? undefined : bench.finalSha256, device.place);
    }
    assert.deepEqual(bench.manager.names(), { profiles: [], active: [undefined] });
  });
});

/** Behind the last node of example 07 stands that which sets Tasmota up, as in example 22. */
function setUpToo(nodes: FlowNode[]): void {
  const watch = nodes.find(({ type }) => type === 'sonota-finalstage-watch')!;
  const [flashed = [], progress = []] = watch.wires ?? [];
  const { z, host } = watch;
  const id = 'set-up';
  nodes.push({ id, type: 'sonota-tasmota-setup', z: z!, name: '', host, x: 840, y: 340, wires: [flashed, progress] });
  watch.wires = [[id], progress];
}

/** The only thing that a person does here: holds the button of the device that is called for. */
function holdButtons(bench: Bench, { kind, msg }: FlowRecord): void {
  if (kind !== 'queue') return;
  for (const { deviceid, state } of (msg.payload as QueueSnapshot).entries) {
    const index = PLACES.findIndex((_, one) => idOf(one) === deviceid);
    const place = PLACES[index]!;
    if (state !== 'running' || bench.devices.some((device) => device.place === place)) continue;
    const fault = FAULTY[index]?.fault ?? '';
    const options: Partial<VirtualSonoffOptions> = { deviceid: idOf(index), speed: SPEED, fault };
    bench.device(place, options);
  }
}
