import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { FlashHost, type HostSettings } from '../../lib/flash/host/host';
import { FinalStageLock } from '../../lib/flash/job/finalstage-lock';
import { Job } from '../../lib/flash/job/job';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { FINALSTAGE } from '../../lib/flash/routes';
import { quoted } from '../../lib/wordings/wording';
import { freePort } from '../shared/ports';
import { ON_LOOPBACK } from './bench';
import { assertCode } from './refusals';

const SETTINGS: HostSettings = {
  bind: '127.0.0.1',
  address: '192.0.2.9',
  httpsPort: 1,
  legacyPort: 2,
  httpPort: 3,
  finalStagePort: 4,
};
const OTHERS: HostSettings = {
  bind: '127.0.0.2',
  address: '192.0.2.10',
  httpsPort: 5,
  legacyPort: 6,
  httpPort: 7,
  finalStagePort: 8,
};

describe('flash/host: its settings', () => {
  const hosts: FlashHost[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())));

  function make(settings: HostSettings): FlashHost {
    const host = new FlashHost(settings, undefined);
    hosts.push(host);
    return host;
  }

  function settingsOf({ bind, address, ports, finalStagePort }: FlashHost): object {
    const { https: httpsPort, legacy: legacyPort, http: httpPort } = ports;
    return { bind, address, httpsPort, legacyPort, httpPort, finalStagePort };
  }

  for (const key of Object.keys(SETTINGS) as (keyof HostSettings)[]) {
    it(`are taken on where only ${key} is another one, and open no port that was not open`, async () => {
      const host = make(SETTINGS);
      assert.deepEqual(settingsOf(host), SETTINGS);
      const next = { ...SETTINGS, [key]: OTHERS[key] };
      await host.apply(next);
      assert.deepEqual([settingsOf(host), host.isListening], [next, false]);
    });
  }

  it('are not taken on again where nothing of their fault is another one', async () => {
    const problem = (reason: string): FlashError =>
      new FlashError('value-invalid', { name: 'httpsPort', reason: quoted(reason) });
    const host = make({ ...ON_LOOPBACK, problem: problem('it is "abc"') });
    const trouble = await assertCode(host.open(), 'value-invalid');
    let states = 0;
    host.on('state', () => (states += 1));
    await host.apply({ ...ON_LOOPBACK, problem: problem('it is "abc"') });
    assert.deepEqual([host.trouble, states], [trouble, 0]);
    await host.apply({ ...ON_LOOPBACK, problem: problem('it is "abcd"') });
    assert.deepEqual([host.trouble, states], [undefined, 1]);
    const { message } = await assertCode(host.open(), 'value-invalid');
    assert.match(message, /abcd/);
  });

  it('hold the place in FinalStage at the port that is served, until the host is closed', async () => {
    const [before, after] = [await freePort(), await freePort()];
    const host = make({ ...ON_LOOPBACK, finalStagePort: before });
    const holder = host.jobs.jobFor('upgrade', '1000000001');
    holder.route = FINALSTAGE;
    holder.download = new UpgradeDownload();
    assert.deepEqual([await waitsFor(before), await waitsFor(after)], [holder, undefined]);
    assert.equal(host.finalStageLock, FinalStageLock.at(before));
    await host.apply({ ...ON_LOOPBACK, finalStagePort: after });
    assert.deepEqual([await waitsFor(before), await waitsFor(after)], [undefined, holder]);
    assert.equal(host.finalStageLock, FinalStageLock.at(after));
    await host.close();
    assert.equal(await waitsFor(after), undefined);
  });

  /** The job for which a device of another host waits at that port. */
  async function waitsFor(port: number): Promise<Job | undefined> {
    const job = new Job('upgrade', '1000000002');
    job.route = FINALSTAGE;
    let holder: Job | undefined;
    const gone = new AbortController();
    const turn = FinalStageLock.at(port).acquire(job, gone.signal, (one) => (holder = one));
    gone.abort(new Error('it does not wait'));
    await turn.catch(() => undefined);
    return holder;
  }
});
