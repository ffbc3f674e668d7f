'use strict';

const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

/** How long the process may go on after the last test; whatever keeps it alive longer is a leak. */
const LEAK_LIMIT_MS = 60_000;

/**
 * The spec reporter, and beside it the totals as JSON into the file named by SONOTA_TEST_TOTALS, with a line on each
 * failure. A process that does not end by itself after the last test is ended, and that counts as one failure more.
 */
module.exports = class Reporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on('fail', (test, error) => {
      failures.push(`${test.titlePath().join(' > ')}: ${String(error.message).split('\n')[0]}`);
    });
    runner.once('end', () => {
      const { passes: passed, failures: failed, pending: skipped } = runner.stats;
      note({ passed, failed, skipped, failures });
      setTimeout(() => {
        const left = `A test left something open: ${process.getActiveResourcesInfo().join(', ')}`;
        console.log(left);
        note({ passed, failed: failed + 1, skipped, failures: [...failures, left] });
        process.exit(1);
      }, LEAK_LIMIT_MS).unref();
    });
  }
};

function note(totals) {
  const file = process.env.SONOTA_TEST_TOTALS;
  if (file) writeFileSync(file, JSON.stringify(totals));
}
