'use strict';

const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

const allowedSkips = require('./allowed-skips.cjs');

/**
 * The spec reporter, in parallel runs too, and beside it the totals as JSON into the file named by SONOTA_TEST_TOTALS,
 * with a line on each failure. In CI a test is not skipped, but fails, unless `allowed-skips.cjs` has its title.
 */
module.exports = class Reporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    const refused = [];
    runner.on('fail', (test, error) => failures.push(`${titleOf(test)}: ${String(error.message).split('\n')[0]}`));
    runner.on('pending', (test) => {
      if (!mayBeSkipped(titleOf(test))) refused.push(`${titleOf(test)}: it is skipped, which CI does not allow`);
    });
    const totals = () => ({
      passed: runner.stats.passes,
      failed: runner.stats.failures + refused.length,
      skipped: runner.stats.pending - refused.length,
      failures: [...failures, ...refused],
    });
    runner.once('end', () => {
      for (const line of refused) console.log(`Failed: ${line}`);
      // It becomes mocha's exit code.
      runner.failures += refused.length;
      note(totals());
    });
    // How a run ends that takes too long (prepare.mjs).
    process.once('SIGTERM', () => {
      const late = `The run was ended at its time limit: ${running(runner)}`;
      console.log(late);
      const { failed, ...counted } = totals();
      note({ ...counted, failed: failed + 1, failures: [...counted.failures, late] });
      process.exit(1);
    });
  }
};

function titleOf(test) {
  return test.titlePath().join(' > ');
}

function mayBeSkipped(title) {
  return !process.env.CI || Object.keys(allowedSkips).some((beginning) => title.startsWith(beginning));
}

/** In a parallel run only the workers know it. */
function running(runner) {
  return runner.isParallelMode()
    ? 'some files have not ended'
    : `"${runner.currentRunnable?.fullTitle()}" has not ended`;
}

function note(totals) {
  const file = process.env.SONOTA_TEST_TOTALS;
  if (file) writeFileSync(file, JSON.stringify(totals));
}
