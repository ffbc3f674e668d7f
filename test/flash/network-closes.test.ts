import assert from 'node:assert/strict';
import { Job } from '../../lib/flash/job/job';
import { networkClosesAt } from '../../lib/flash/run/network-closes';
import { countdownEndOf, waitEndOf } from '../../lib/flash/run/wait-end';

describe('flash: how long a device keeps its network open', () => {
  const began = { kind: 'stage', stage: 'provision', event: 'began', seconds: 600 } as const;

  function waiting(): Job {
    const job = new Job('provision');
    job.running = new AbortController();
    job.evidence.add(began);
    return job;
  }

  it('is not known before its network was seen', () => {
    const job = waiting();
    job.evidence.add({ kind: 'ap-looked', result: 'silent', joined: false });
    job.evidence.add({ kind: 'wifi', event: 'joining', ssid: 'tasmota-1234' });
    assert.equal(networkClosesAt(job), undefined);
  });

  it('is three minutes from the first sight of it, by whichever way', () => {
    for (const seen of [
      { kind: 'wifi', event: 'joining', ssid: 'ITEAD-1000a1b2c3' },
      { kind: 'ap-looked', result: 'silent', joined: true },
    ] as const) {
      const job = waiting();
      job.evidence.add({ kind: 'wifi', event: 'left', ssid: 'ITEAD-1000a1b2c3' }, 500);
      job.evidence.add(seen, 1000);
      job.evidence.add({ kind: 'ap-looked', result: 'answered', joined: true }, 2000);
      job.evidence.add({ kind: 'wifi', event: 'joining', ssid: 'ITEAD-1000a1b2c3' }, 3000);
      assert.equal(networkClosesAt(job)?.getTime(), 181_000);
      job.evidence.add({ kind: 'stage', stage: 'provision', event: 'over' });
      assert.equal(networkClosesAt(job)?.getTime(), 181_000);
      // Another wait is for another network.
      job.evidence.add(began);
      assert.equal(networkClosesAt(job), undefined);
    }
  });

  it('is what a wait counts down to while the network is open', () => {
    const job = waiting();
    job.lastReport = { name: 'wait-for-ap', values: {} };
    assert.deepEqual(countdownEndOf(job), waitEndOf(job));
    job.evidence.add({ kind: 'ap-looked', result: 'silent', joined: true });
    const closes = networkClosesAt(job)?.getTime() ?? 0;
    assert.equal(countdownEndOf(job, closes - 1)?.getTime(), closes);
    assert.deepEqual(countdownEndOf(job, closes), waitEndOf(job));
    assert.ok((waitEndOf(job)?.getTime() ?? 0) > closes);
  });

  it('is of no interest behind the set-up', () => {
    const job = waiting();
    job.evidence.add({ kind: 'ap-looked', result: 'answered', joined: true });
    job.running = undefined;
    assert.equal(networkClosesAt(job), undefined);
    job.running = new AbortController();
    job.enter('cloud');
    assert.equal(networkClosesAt(job), undefined);
  });
});
