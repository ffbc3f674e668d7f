import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { Job } from '../../lib/flash/job/job';
import type { Ticket } from '../../lib/flash/job/ticket';
import { jobFileContent } from '../../lib/flash/kept/job-schema';
import { matching, read } from '../../lib/flash/kept/schema';
import { TicketBook } from '../../lib/flash/kept/ticket-book';

const TICKET: Ticket = { id: '1', nodeId: 'node', stage: 'cloud', message: { mine: 1 } };

describe('flash/kept/ticket-book', () => {
  /** What a process finds that starts after one was killed. */
  function afterRestart(before: TicketBook): TicketBook {
    const book = new TicketBook();
    book.restore(before.all());
    return book;
  }

  it('keeps the job of a message over any number of restarts', () => {
    const job = new Job('cloud', '1000a1b2c3');
    let book = new TicketBook();
    book.began(TICKET, job.deviceid);
    book.inJob(TICKET, job);
    for (let restarts = 0; restarts < 3; restarts++) {
      book = afterRestart(book);
      const [claimed] = book.claim('node');
      assert.equal(claimed?.record.jobId, job.id);
      assert.deepEqual(claimed.ticket, TICKET);
      // Its node begins it again; its stage may be queued until the next restart.
      book.began(claimed.ticket, job.deviceid);
      assert.deepEqual(book.claim('node'), [], 'each is given once');
    }
  });

  it('gives no node what is another one’s, and nothing that has ended', () => {
    const book = new TicketBook();
    book.began(TICKET, undefined);
    book.began({ ...TICKET, id: '2', nodeId: 'other' }, undefined);
    book.ended(TICKET, new FlashError('cancelled'));
    const after = afterRestart(book);
    assert.deepEqual(after.claim('node'), []);
    assert.deepEqual(
      after.claim('other').map(({ ticket }) => ticket.id),
      ['2'],
    );
  });

  it('forgets the result of an earlier stage when a later one of the same job begins, and no other', () => {
    const job = new Job('cloud', '1000a1b2c3');
    const book = new TicketBook();
    const next: Ticket = { ...TICKET, id: '2', stage: 'upgrade' };
    const stranger: Ticket = { ...TICKET, id: '3' };
    for (const ticket of [TICKET, stranger]) book.began(ticket, undefined);
    book.inJob(TICKET, job);
    book.inJob(stranger, new Job('cloud', '1000ffffff'));
    for (const ticket of [TICKET, stranger]) book.ended(ticket, { found: {}, job: job.snapshot() });
    book.began(next, undefined);
    assert.equal(book.all().length, 3);
    book.inJob(next, job);
    assert.deepEqual(
      book.all().map(({ id }) => id),
      ['3', '2'],
    );
  });

  it('takes from a file only what can be the name of an image', () => {
    const record = { id: '1', nodeId: 'node', stage: 'cloud', message: {}, left: [] };
    const { value } = read(jobFileContent, {
      jobs: [],
      tickets: [{ ...record, images: { user1: '../../secret', user2: 'a'.repeat(64) } }],
    });
    assert.deepEqual(value?.tickets[0]?.images, { user2: 'a'.repeat(64) });
    assert.deepEqual(read(matching(/^a$/, 'an a'), 'b'), { dropped: ['is not an a'] });
  });
});
