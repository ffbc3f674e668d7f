'use strict';

/**
 * What may be skipped where `CI` is set, and why. Each key is the beginning of a test's full title, or of what a script
 * leaves out; anything else that is skipped there is a failure, so that a tool that is missing never makes CI green.
 */
module.exports = {
  'firmware > from files > says so where it has no permission': 'CI runs as root, which may read everything',
};
