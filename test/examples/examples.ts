import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { PrivateBus, whyNoBus } from '../net/wifi/private-bus';
import { exampleNumbers } from '../shared/examples';
import { ExampleRun, type ExampleOptions } from './example-run';

const ONE = '1000a1b2c3';
const TWO = '1000d4e5f6';
const TOKEN = 'a long random value';
const ONE_HOP = { 'sonota-firmware': { intermediate: 'one-hop' } };
/** The loopback is the one interface that every machine has; NetworkManager says that it is a Wi-Fi. */
const WIFI = { 'sonota-host': { wifi: 'networkmanager', wifiInterface: 'lo', wifiUplink: 'lo' } };
/** Where the others are run to their end. */
const ELSEWHERE = {
  '10': 'nodes/example-10.test.ts',
  '30': 'home-assistant',
  '31': 'home-assistant',
  '35': 'dashboard',
};

describe('the examples, run to their end in a real Node-RED', () => {
  const numbers = new Set(Object.keys(ELSEWHERE));
  let run: ExampleRun | undefined;

  afterEach(async () => {
    await run?.close();
    run = undefined;
  });

  /** @param options what the example's comment leaves to the person, or what this machine needs */
  function example(
    number: string,
    what: string,
    test: (run: ExampleRun) => Promise<void>,
    options?: ExampleOptions,
  ): void {
    numbers.add(number);
    it(`${number} ${what}`, async () => {
      run = await ExampleRun.open(number, options);
      await test(run);
    });
  }

  for (const number of ['01', '12']) {
    example(number, 'rehearses with its own virtual device', async (run) => {
      await run.press('Start the rehearsal');
      await run.shown('flashed');
      assert.match(await run.shown('virtual device ended'), /flashed/);
    });
  }

  example('08', 'rehearses with its own virtual device in DIY mode', async (run) => {
    await run.press('Start the rehearsal');
    assert.match(await run.shown('flashed'), /newfirmware/);
    assert.match(await run.shown('virtual device ended'), /flashed/);
  });

  example('02', 'flashes a Sonoff at the press of its button', async (run) => {
    await run.pressFlash();
    await run.flashed(await run.device());
    await run.shown('flashed');
  });

  example('09', 'flashes a Sonoff step by step', async (run) => {
    await run.press('Flash one Sonoff');
    await run.flashed(await run.device());
    await run.shown('flashed');
  });

  example('09', 'flashes a Sonoff with DIY mode, from its access point', async (run) => {
    await run.press('Flash one Sonoff');
    await run.flashed(await run.deviceWithDiyMode('access-point'));
    assert.match(await run.shown('flashed'), /newfirmware/);
  });

  example('04', 'flashes a Sonoff with DIY mode, which does not dial in', async (run) => {
    await run.press('Provision the next one');
    await run.flashed(await run.deviceWithDiyMode('access-point'));
    assert.match(await run.shown('flashed'), /newfirmware/);
  });

  example('03', 'resumes at the cloud, and looks for the new firmware afterwards', async (run) => {
    await run.press('Resume at the cloud');
    await run.flashed(await run.device({ isSetUp: true, newFirmware: run.newFirmware }));
    await run.shown('flashed');
    await run.press('Look for the new firmware');
    await run.shown('what it is');
    await run.status('debug', /^tasmota$/);
  });

  example('03', 'resumes at FinalStage', async (run) => {
    const waiting = await run.device({ startAt: 'finalstage' });
    await run.press('Resume at FinalStage');
    await run.flashed(waiting);
    await run.shown('flashed');
  });

  example('04', 'sets devices up one after another, and flashes each that dials in', async (run) => {
    const devices: VirtualSonoff[] = [];
    for (const [index, deviceid] of [ONE, TWO].entries()) {
      await run.press('Provision the next one');
      devices.push(await run.device({ deviceid }));
      assert.match(await run.shown('provisioned', index + 1), new RegExp(deviceid));
    }
    await Promise.all(devices.map((device) => run.flashed(device)));
    await run.shown('flashed', 2);
  });

  example('07', 'flashes a named device and one more', async (run) => {
    // A host listens once something waits in its queue.
    await run.press('these devices', { deviceids: [ONE] });
    const named = await run.device({ deviceid: ONE, isSetUp: true });
    // It has been found, so that it is no longer looked for in the next one's access point.
    await run.status('sonota-flash', /%/);
    await run.press('one more');
    const another = await run.device({ deviceid: TWO });
    await Promise.all([run.flashed(named), run.flashed(another)]);
    await run.shown('flashed', 2);
    await run.status('sonota-queue', /2/);
  });

  example(
    '07',
    'flashes in one hop where its firmware says so',
    async (run) => {
      const device = await run.device({ isSetUp: true, newFirmware: run.newFirmware });
      await run.press('these devices', { deviceids: [ONE] });
      await run.flashed(device);
      assert.match(await run.shown('flashed'), /newfirmware/);
    },
    { fillIn: ONE_HOP },
  );

  example('11', 'finds all that a flash needs', async (run) => {
    await run.press('Check');
    await run.shown('begin the flash here');
  });

  example('05', 'lists a Sonoff in DIY mode, and what another program knows', async (run) => {
    const deviceid = `1000${randomBytes(3).toString('hex')}`;
    await run.deviceWithDiyMode('diy', { deviceid, mdns: {} });
    await run.shown('what comes and goes', new RegExp(`${deviceid} 3\\.7\\.6.*DIY mode, now`));
    await run.press('Look around');
    assert.match(await run.shown('in one sentence'), /\d × DIY mode, now/);
    assert.match(await run.shown('the list'), new RegExp(deviceid));
    await run.press('What others know');
    assert.match(await run.shown('the list', 2), /BASICR3.*S31|S31.*BASICR3/s);
  });

  example('06', 'flashes a Sonoff in DIY mode', async (run) => {
    const device = await run.deviceWithDiyMode('diy');
    await run.press('Flash one Sonoff');
    await run.flashed(device);
    assert.match(await run.shown('flashed'), /newfirmware/);
  });

  example('13', 'flashes one Sonoff in one hop', async (run) => {
    await run.pressFlash();
    await run.flashed(await run.device({ newFirmware: run.newFirmware }));
    assert.match(await run.shown('flashed'), /newfirmware/);
  });

  example('14', 'sends a failure on by its code', async (run) => {
    await run.press('Start the rehearsal');
    assert.match(await run.shown('never this way'), /certificate/);
  });

  describe('with a NetworkManager', () => {
    let bus: PrivateBus | undefined;
    let manager: FakeNetworkManager | undefined;

    before(async function () {
      bus = await PrivateBus.start();
      if (!bus) {
        console.log(`    Skipped: example 20, because ${whyNoBus()}.`);
        return this.skip();
      }
      manager = await FakeNetworkManager.start();
      manager.addWifi('lo');
      manager.accessPoints = [{ ssid: `ITEAD-${ONE}`, bssid: '5E:CF:7F:A1:B2:C3', psk: '12345678', signal: 90 }];
    });

    after(async () => {
      await manager?.vanish();
      await bus?.stop();
    });

    example(
      '20',
      'looks around, visits a Sonoff and leaves it',
      async (run) => {
        await run.press('Look around');
        assert.match(await run.shown('what is in reach'), new RegExp(`ITEAD-${ONE}`));
        await run.press('Visit a Sonoff');
        await run.shown('joined');
        await run.press('Leave');
        await run.shown('left');
      },
      { fillIn: WIFI },
    );
  });

  example('21', 'rehearses as far as a Tasmota that is set up', async (run) => {
    await run.press('Start the rehearsal');
    assert.match(await run.shown('set up'), new RegExp(run.url('home')));
    const page = await fetch(run.url('home'));
    assert.match(await page.text(), /Rehearsed Sonoff.*by Theo Arends/s);
  });

  example('22', 'flashes one Sonoff and sets its Tasmota up', async (run) => {
    await run.pressFlash();
    await run.flashed(await run.device({ newFirmware: run.newFirmware }));
    assert.match(await run.shown('set up'), new RegExp(run.url('home')));
    const page = await fetch(run.url('home'));
    assert.match(await page.text(), /by Theo Arends/);
  });

  example(
    '32',
    'flashes at a request with the token, and at no other',
    async (run) => {
      const device = await run.device({ isSetUp: true });
      const ask = async (authorization: string): Promise<number> => {
        const headers = { authorization, 'content-type': 'application/json' };
        const body = JSON.stringify({ deviceid: ONE });
        return (await fetch(`${run.red.url}/sonota/flash`, { method: 'POST', headers, body })).status;
      };
      for (const wrong of ['', 'Bearer ', `Bearer ${TOKEN}x`]) assert.equal(await ask(wrong), 401, wrong);
      assert.equal(await ask(`Bearer ${TOKEN}`), 202);
      await run.flashed(device);
      await run.shown('flashed');
    },
    { credentials: { tab: { SONOTA_TOKEN: TOKEN } } },
  );

  it('are all run, here or elsewhere', () => {
    assert.deepEqual([...numbers].sort(), exampleNumbers());
  });
});
