/** What the sweeps have in common: they are skipped visibly where the emulator cannot be had. */

import { emulatorMissing } from '../emulator';

export function sweep(name: string, define: () => void): void {
  const missing = emulatorMissing();
  const title = missing ? `one-hop: ${name} (skipped: ${missing})` : `one-hop: ${name}`;
  describe(title, function () {
    this.timeout(10 * 60_000);
    before(function () {
      if (missing) this.skip();
    });
    define();
  });
}

/** One line of figures below a test. */
export function tell(line: string): void {
  console.log(`        ${line}`);
}
