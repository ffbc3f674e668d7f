import assert from 'node:assert/strict';
import { jobFileContent } from '../../lib/flash/stored/job-schema';
import { read } from '../../lib/storage/schema';
import { ENTRY, JOB, OBSERVATIONS, PENDING } from './stored-samples';

const FILE = {
  jobs: [{ ...JOB, evidence: OBSERVATIONS }],
  tickets: [PENDING, { ...PENDING, id: 'ended', outcome: { found: { via: 'tls' }, job: JOB.snapshot } }],
  queue: { isPaused: true, entries: [ENTRY] },
};

/** A file with one value of it replaced; `where` as keys and indexes. */
function withOne(where: readonly (string | number)[], value: unknown, whole: unknown = FILE): unknown {
  const [key, ...rest] = where;
  if (key === undefined) return value;
  const within = whole as Record<string | number, unknown>;
  const changed = withOne(rest, value, within[key]);
  return Array.isArray(whole) ? whole.with(Number(key), changed) : { ...within, [key]: changed };
}

/** The same without one property of it. */
function without(where: readonly (string | number)[]): unknown {
  const path = where.slice(0, -1);
  const parent = path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], FILE);
  const kept = Object.fromEntries(Object.entries(parent as object).filter(([key]) => key !== where.at(-1)));
  return withOne(path, kept);
}

describe('flash/stored/job-schema', () => {
  it('takes all that is written as it was written', () => {
    assert.deepEqual(read(jobFileContent, JSON.parse(JSON.stringify(FILE))), { value: FILE, dropped: [] });
    assert.deepEqual(read(jobFileContent, { jobs: [], tickets: [] }), {
      value: { jobs: [], tickets: [] },
      dropped: [],
    });
  });

  it('takes a job without what it need not have', () => {
    const optional = ['intermediate', 'linkMac', 'bssid', 'error', 'verdict'].map((name) => ['snapshot', name]);
    const download = ['role', 'otaClass'].map((name) => ['download', name]);
    for (const path of [['visit'], ['download'], ['snapshot', 'verdict', 'values'], ...optional, ...download]) {
      const where = ['jobs', 0, ...path];
      assert.deepEqual(read(jobFileContent, without(where)), { value: without(where), dropped: [] }, path.join('.'));
    }
    for (const name of ['deviceid', 'model', 'romVersion', 'ip', 'mac']) {
      const unknown = withOne(['jobs', 0, 'snapshot', name], null);
      assert.deepEqual(read(jobFileContent, unknown), { value: unknown, dropped: [] }, name);
      assert.equal(read(jobFileContent, without(['jobs', 0, 'snapshot', name])).value?.jobs.length, 0, name);
    }
  });

  for (const [what, where, values] of [
    [
      'the state of a transfer',
      ['jobs', 0, 'visit', 'deliveries', 'final', 'state'],
      [...['flowing', 'stalled', 'broken', 'acknowledged', 'delivered', 'interrupted']],
    ],
    ['where FinalStage is', ['jobs', 0, 'visit', 'peer'], ['127.0.0.9', 'localhost']],
    ['the class of a download', ['jobs', 0, 'download', 'otaClass'], ['range', 'no-range', 'finalstage']],
    ['the role of an image', ['jobs', 0, 'download', 'role'], ['user1', 'user2', 'final']],
    ['the end of a job', ['jobs', 0, 'snapshot', 'stage'], ['provision', 'diy', 'newfirmware', 'done', 'failed']],
    ['a route', ['jobs', 0, 'snapshot', 'intermediate'], ['finalstage', 'one-hop', 'diy']],
    ['how sure a verdict is', ['jobs', 0, 'snapshot', 'verdict', 'confidence'], ['certain', 'likely']],
    ['a verdict that is no failure', ['jobs', 0, 'snapshot', 'verdict', 'code'], ['on-course']],
    ['how far it is', ['jobs', 0, 'snapshot', 'percent'], [0, 100]],
    ['all of a transfer', ['jobs', 0, 'download', 'sent'], [0, 4096]],
    [
      'the state of an entry',
      ['queue', 'entries', 0, 'state'],
      [...['waiting', 'running', 'done', 'failed', 'skipped']],
    ],
    ['where an entry begins', ['queue', 'entries', 0, 'start'], ['beginning', 'finalstage']],
    ['the stage of a message', ['tickets', 0, 'stage'], ['provision', 'diy', 'tasmota']],
    ['what a flow put into a message', ['tickets', 0, 'message'], [{ anything: [{ at: { all: null } }] }]],
  ] as [string, (string | number)[], unknown[]][]) {
    it(`takes ${what}: ${values.map((value) => JSON.stringify(value)).join(', ')}`, () => {
      for (const value of values) {
        const file = withOne(where, value);
        assert.deepEqual(read(jobFileContent, file), { value: file, dropped: [] });
      }
    });
  }

  /** What is left where one value is not what it should be. */
  const salvaged: [what: string, where: (string | number)[], odd: unknown, left: () => unknown][] = [
    ['a job without its id', ['jobs', 0, 'id'], 7, () => withOne(['jobs'], [])],
    ['a job whose id is too long', ['jobs', 0, 'id'], 'x'.repeat(201), () => withOne(['jobs'], [])],
    ['a job in a stage that is none', ['jobs', 0, 'lastStage'], 'done', () => withOne(['jobs'], [])],
    ['a job beyond its end', ['jobs', 0, 'snapshot', 'percent'], 101, () => withOne(['jobs'], [])],
    ['a job of no time', ['jobs', 0, 'snapshot', 'startedAt'], 'once', () => withOne(['jobs'], [])],
    ['a job with too long a fact', ['jobs', 0, 'snapshot', 'model'], 'x'.repeat(1001), () => withOne(['jobs'], [])],
    ['a route that is not known', ['jobs', 0, 'snapshot', 'intermediate'], 'rail', () => withOne(['jobs'], [])],
    [
      'an error of a newer version',
      ['jobs', 0, 'snapshot', 'error'],
      'new',
      () => withOne(['jobs', 0, 'snapshot', 'error'], 'unexplained'),
    ],
    [
      'a verdict of a newer version',
      ['jobs', 0, 'snapshot', 'verdict', 'code'],
      'new',
      () => without(['jobs', 0, 'snapshot', 'verdict']),
    ],
    [
      'a stage without its times',
      ['jobs', 0, 'snapshot', 'stages', 'upgrade'],
      { percent: 1 },
      () => without(['jobs', 0, 'snapshot', 'stages', 'upgrade']),
    ],
    [
      'a stage beyond its end',
      ['jobs', 0, 'snapshot', 'stages', 'upgrade', 'percent'],
      101,
      () => without(['jobs', 0, 'snapshot', 'stages', 'upgrade']),
    ],
    [
      'no digest of an image',
      ['jobs', 0, 'firmware', 'final', 'sha256'],
      'A'.repeat(64),
      () => withOne(['jobs', 0, 'firmware'], {}),
    ],
    [
      'a digest with more behind it',
      ['jobs', 0, 'firmware', 'final', 'sha256'],
      `${'a'.repeat(64)}/../x`,
      () => withOne(['jobs', 0, 'firmware'], {}),
    ],
    [
      'a digest with more before it',
      ['tickets', 0, 'images', 'final'],
      `../${'a'.repeat(64)}`,
      () => withOne(['tickets', 0, 'images'], {}),
    ],
    [
      'an image of no role',
      ['jobs', 0, 'firmware'],
      { boot: JOB.firmware.final },
      () => withOne(['jobs', 0, 'firmware'], {}),
    ],
    ['a session at no address', ['jobs', 0, 'visit', 'peer'], 'example.org', () => without(['jobs', 0, 'visit'])],
    [
      'more sent than there is',
      ['jobs', 0, 'visit', 'deliveries', 'final', 'sent'],
      482_433,
      () => withOne(['jobs', 0, 'visit', 'deliveries'], {}),
    ],
    [
      'a download of which more was sent than there is',
      ['jobs', 0, 'download', 'sent'],
      4097,
      () => withOne(['jobs', 0, 'download'], { size: 0, sent: 0, requests: 0, isTaken: false, isOffered: true }),
    ],
    [
      'an observation that is none',
      ['jobs', 0, 'evidence', 0],
      { at: 0 },
      () => withOne(['jobs', 0, 'evidence'], OBSERVATIONS.slice(1)),
    ],
    ['a message of no node', ['tickets', 0, 'nodeId'], null, () => withOne(['tickets'], FILE.tickets.slice(1))],
    ['a message that is none', ['tickets', 0, 'message'], 'x', () => withOne(['tickets'], FILE.tickets.slice(1))],
    [
      'a list of what was left that is none',
      ['tickets', 0, 'left'],
      [7],
      () => withOne(['tickets'], FILE.tickets.slice(1)),
    ],
    [
      'the name of an image that is none',
      ['tickets', 0, 'images', 'final'],
      '../x',
      () => withOne(['tickets', 0, 'images'], {}),
    ],
    [
      'a failure of a newer version',
      ['tickets', 0, 'outcome', 'code'],
      'new',
      () => withOne(['tickets', 0, 'outcome', 'code'], 'unexplained'),
    ],
    [
      'an outcome without its job',
      ['tickets', 1, 'outcome', 'job'],
      null,
      () => withOne(['tickets'], FILE.tickets.slice(0, 1)),
    ],
    ['an entry in no state', ['queue', 'entries', 0, 'state'], 'lost', () => withOne(['queue', 'entries'], [])],
    ['an entry of half a round', ['queue', 'entries', 0, 'round'], 0.5, () => withOne(['queue', 'entries'], [])],
    ['an entry that begins nowhere', ['queue', 'entries', 0, 'start'], 'end', () => withOne(['queue', 'entries'], [])],
    [
      'a failure of an entry of a newer version',
      ['queue', 'entries', 0, 'error'],
      'new',
      () => withOne(['queue', 'entries', 0, 'error'], 'unexplained'),
    ],
    ['a queue that may be paused', ['queue', 'isPaused'], 'no', () => without(['queue'])],
  ];
  for (const [what, where, odd, left] of salvaged) {
    it(`takes the rest of a file with ${what}, and reports that`, () => {
      const { value, dropped } = read(jobFileContent, withOne(where, odd));
      assert.deepEqual(value, left());
      assert.equal(dropped.length, 1, dropped.join());
    });
  }

  const inJob = (path: string, ...names: string[]): (string | number)[][] =>
    names.map((name) => ['jobs', 0, ...path.split('.').filter((key) => key !== ''), name]);
  const inTicket = (...names: string[]): (string | number)[][] => names.map((name) => ['tickets', 0, name]);
  const inEntry = (...names: string[]): (string | number)[][] => names.map((name) => ['queue', 'entries', 0, name]);
  const ids = [...inJob('', 'id'), ...inTicket('id', 'nodeId', 'jobId'), ...inEntry('id', 'nodeId', 'jobId')];
  const facts = [
    ...inJob('snapshot', 'deviceid', 'model', 'romVersion', 'ip', 'mac', 'linkMac', 'bssid'),
    ...[...inTicket('deviceid'), ...inEntry('deviceid')],
  ];
  const texts = [
    ...[...inJob('firmware.final', 'source'), ...inJob('snapshot.verdict', 'text'), ...inEntry('text')],
    ['tickets', 0, 'left', 0],
  ];
  const KINDS: [what: string, wheres: (string | number)[][], good: unknown[], odd: unknown[]][] = [
    [
      'a whole number',
      [
        ...[...inJob('visit.deliveries.final', 'size', 'sent', 'tries'), ...inJob('download', 'size', 'requests')],
        ...[...inJob('download', 'sent'), ...inEntry('round', 'attempts', 'earlierAttempts')],
      ],
      [],
      [-1, 0.5, '1', null, 2 ** 53],
    ],
    [
      'a percentage',
      [...inJob('snapshot', 'percent'), ...inJob('snapshot.stages.upgrade', 'percent')],
      [0, 99.5],
      [-1],
    ],
    ['yes or no', [...inJob('download', 'isTaken', 'isOffered'), ['queue', 'isPaused']], [true, false], ['yes', 0]],
    [
      'a time',
      [
        ...[...inJob('snapshot', 'startedAt'), ...inJob('visit', 'since')],
        ...inJob('snapshot.stages.upgrade', 'startedAt', 'endedAt'),
      ],
      ['2026-01-02T03:04:05.678Z'],
      ['yesterday', 5, '1969-12-31T00:00:00.000Z'],
    ],
    ['an id', ids, ['x'.repeat(200)], [7, 'x'.repeat(201)]],
    ['a fact', facts, ['x'.repeat(1000)], [7, 'x'.repeat(1001)]],
    ['a text', texts, ['x'.repeat(10_000)], [7, 'x'.repeat(10_001)]],
  ];
  for (const [what, wheres, good, odd] of KINDS) {
    it(`takes nothing for ${what} that is none`, () => {
      for (const where of wheres) {
        for (const value of good) {
          const file = withOne(where, value);
          assert.deepEqual(read(jobFileContent, file), { value: file, dropped: [] }, where.join('.'));
        }
        for (const value of odd) {
          const { value: left, dropped } = read(jobFileContent, withOne(where, value));
          const found = where.reduce<unknown>((one, key) => (one as Record<string, unknown> | undefined)?.[key], left);
          assert.notEqual(found, value, where.join('.'));
          assert.equal(dropped.length, 1, where.join('.'));
        }
      }
    });
  }

  it('takes a message and an entry without what they need not have, and none without the rest', () => {
    for (const where of [
      ...inTicket('deviceid', 'jobId', 'images', 'outcome'),
      ...inEntry('nodeId', 'deviceid', 'jobId', 'error', 'text', 'values'),
      ['queue'],
    ]) {
      assert.deepEqual(read(jobFileContent, without(where)), { value: without(where), dropped: [] }, where.join('.'));
    }
    for (const [wheres, left] of [
      [inJob('', 'id', 'lastStage', 'snapshot', 'firmware', 'evidence'), withOne(['jobs'], [])],
      [inJob('snapshot', 'stage', 'percent', 'startedAt', 'stages'), withOne(['jobs'], [])],
      [inTicket('id', 'nodeId', 'stage', 'message', 'left'), withOne(['tickets'], FILE.tickets.slice(1))],
      [
        inEntry('id', 'message', 'round', 'state', 'attempts', 'earlierAttempts', 'start'),
        withOne(['queue', 'entries'], []),
      ],
      [inJob('visit', 'since', 'peer', 'deliveries'), without(['jobs', 0, 'visit'])],
      [
        [
          ['queue', 'isPaused'],
          ['queue', 'entries'],
        ],
        without(['queue']),
      ],
    ] as const) {
      for (const where of wheres) {
        const { value, dropped } = read(jobFileContent, without(where));
        assert.deepEqual([value, dropped.length], [left, 1], where.join('.'));
      }
    }
  });

  it('takes no stage without its times, and texts up to their lengths', () => {
    const stages = ['jobs', 0, 'snapshot', 'stages'];
    for (const name of ['startedAt', 'endedAt']) {
      const { value } = read(jobFileContent, withOne([...stages, 'upgrade', name], 'x'));
      assert.deepEqual(value, without([...stages, 'upgrade']), name);
    }
    const deliveries = { user2: { size: 4096, sent: 4096, tries: 2, state: 'delivered' } };
    for (const [where, long] of [
      [['jobs', 0, 'id'], 'x'.repeat(200)],
      [['jobs', 0, 'snapshot', 'model'], 'x'.repeat(1000)],
      [['jobs', 0, 'firmware', 'final', 'source'], 'x'.repeat(10_000)],
      [['jobs', 0, 'visit', 'deliveries'], deliveries],
    ] as const) {
      const file = withOne(where, long);
      assert.deepEqual(read(jobFileContent, file), { value: file, dropped: [] });
    }
  });

  it('leaves out what a newer version has added', () => {
    for (const path of [['jobs', 0], ['jobs', 0, 'snapshot'], ['jobs', 0, 'download'], ['tickets', 0], ['queue'], []]) {
      assert.deepEqual(read(jobFileContent, withOne([...path, 'newer'], 1)), { value: FILE, dropped: [] });
    }
  });
});
