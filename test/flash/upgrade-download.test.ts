import assert from 'node:assert/strict';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('flash/job/upgrade-download', () => {
  afterEach(timeGoesOn);

  function heard(download: UpgradeDownload): string[] {
    const events: string[] = [];
    for (const name of ['checkpoint', 'changed'] as const) download.on(name, () => events.push(name));
    return events;
  }

  it('reports what a restart must know, and what merely flows', () => {
    const download = new UpgradeDownload();
    const events = heard(download);
    download.offered();
    assert.deepEqual(events.splice(0), ['checkpoint']);
    download.requested('user2', 1000, 'range');
    assert.deepEqual(events.splice(0), ['checkpoint', 'changed']);
    download.requested('user2', 1000, 'range');
    assert.deepEqual([events.splice(0), download.requests], [[], 2], 'its bytes are the news');
    download.sentUpTo(500);
    assert.deepEqual(events.splice(0), ['changed']);
    download.sentUpTo(1000);
    assert.deepEqual(events.splice(0), ['checkpoint', 'changed']);
    download.sentUpTo(1000);
    assert.deepEqual(events.splice(0), ['changed'], 'it is complete only once');
    download.taken();
    assert.deepEqual(events.splice(0), ['checkpoint', 'changed']);
  });

  it('reports an image that is another one, or is taken in another way', () => {
    const download = new UpgradeDownload();
    download.requested('user2', 1000, 'range');
    const events = heard(download);
    for (const other of [
      () => download.requested('user1', 1000, 'range'),
      () => download.requested('user1', 2000, 'range'),
      () => download.requested('user1', 2000, 'no-range'),
    ]) {
      other();
      assert.deepEqual(events.splice(0), ['checkpoint', 'changed']);
    }
    const { role, size, otaClass } = download;
    assert.deepEqual([role, size, otaClass], ['user1', 2000, 'no-range']);
  });

  it('has changed when it reports that', () => {
    const download = new UpgradeDownload();
    const seen: unknown[] = [];
    for (const name of ['checkpoint', 'changed'] as const) {
      download.on(name, () => {
        const { role, size, sent, requests, otaClass, isTaken, isOffered } = download;
        seen.push([name, role, size, sent, requests, otaClass, isTaken, isOffered, download.lastByte?.getTime()]);
      });
    }
    download.offered();
    download.requested('user2', 1000, 'range');
    download.sentUpTo(1000, new Date(5000));
    download.taken();
    assert.deepEqual(seen, [
      ['checkpoint', undefined, 0, 0, 0, undefined, false, true, undefined],
      ['checkpoint', 'user2', 1000, 0, 1, 'range', false, true, undefined],
      ['changed', 'user2', 1000, 0, 1, 'range', false, true, undefined],
      ['checkpoint', 'user2', 1000, 1000, 1, 'range', false, true, 5000],
      ['changed', 'user2', 1000, 1000, 1, 'range', false, true, 5000],
      ['checkpoint', 'user2', 1000, 1000, 1, 'range', true, true, 5000],
      ['changed', 'user2', 1000, 1000, 1, 'range', true, true, 5000],
    ]);
  });

  it('knows the time of each byte', () => {
    timeStands(['Date'], 5000);
    const download = new UpgradeDownload();
    download.sentUpTo(1);
    assert.deepEqual(download.lastByte, new Date(5000));
    timePasses(999);
    assert.equal(download.isFlowing(1000), true);
    timePasses(1);
    assert.equal(download.isFlowing(1000), false);
  });

  it('never goes back, and is complete with its last byte', () => {
    const download = new UpgradeDownload();
    assert.equal(download.isComplete, false, 'nothing is not all');
    assert.deepEqual(download.record(), {
      ...{ role: undefined, size: 0, sent: 0, requests: 0, otaClass: undefined },
      ...{ isTaken: false, isOffered: false },
    });
    assert.deepEqual([download.size, download.sent, download.requests, download.isSigned], [0, 0, 0, false]);
    download.requested('user1', 1000, 'no-range');
    const { role, size, requests, otaClass } = download;
    assert.deepEqual([role, size, requests, otaClass], ['user1', 1000, 1, 'no-range']);
    download.sentUpTo(700);
    download.sentUpTo(300);
    assert.deepEqual([download.sent, download.isComplete], [700, false]);
    download.sentUpTo(1000);
    assert.equal(download.isComplete, true);
  });

  it('flows for a while after each byte', () => {
    const download = new UpgradeDownload();
    const now = new Date('2026-01-01T00:00:00Z');
    const after = (ms: number): Date => new Date(now.getTime() + ms);
    assert.equal(download.isFlowing(1000, now), false);
    download.sentUpTo(1, now);
    assert.deepEqual(download.lastByte, now);
    assert.deepEqual([download.isFlowing(1000, after(999)), download.isFlowing(1000, after(1000))], [true, false]);
  });

  it('outlives the process; then a device that was offered it may have the rest', () => {
    const download = new UpgradeDownload();
    download.offered();
    download.requested('user1', 1000, 'range');
    download.sentUpTo(400);
    const record = download.record();
    assert.deepEqual(record, {
      ...{ role: 'user1', size: 1000, sent: 400, requests: 1, otaClass: 'range' },
      ...{ isTaken: false, isOffered: true },
    });
    assert.equal(download.mayBeWritten, false);
    const restored = UpgradeDownload.restore(record);
    assert.deepEqual([restored.record(), restored.mayBeWritten], [record, true]);
    assert.equal(UpgradeDownload.restore({ ...record, isOffered: false }).mayBeWritten, false);
    download.sentUpTo(1000);
    assert.equal(download.mayBeWritten, true);
  });
});
