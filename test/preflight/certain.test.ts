import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { certainFailure, doubts } from '../../lib/preflight/certain';
import { failed, passed, warned, type SaidCheck } from '../../lib/preflight/check';
import { phrase } from '../../lib/preflight/phrases';
import type { SaidReport } from '../../lib/preflight/preflight';
import { wording } from '../../lib/wordings/wording';

const HELD = wording('port-taken-by', { program: 'node', pid: 5 });
const FINE = passed('clock', 'clock-wrong', phrase('clock', { date: 'today' }));
const TAKEN = failed('port', new FlashError('port-in-use', { port: 8443, reason: HELD }));
const NO_WIFI = warned('wifi', 'wifi-credentials-missing', { what: wording('wifi-name') });
const FIREWALL = failed('self', {
  code: 'self-unreachable',
  values: { where: '192.168.1.20', reason: wording('nothing-answered') },
});
const OVERLAP = warned('network', 'network-overlap', { network: '10.10.7.0/24', name: 'eth0', other: 'the device' });

function reportOf(...checks: SaidCheck[]): SaidReport {
  return { checks, verdict: 'warning', text: '', said: phrase('ready') };
}

describe('preflight: what a flash is refused for', () => {
  it('refuses for a port that is taken, with all that is known of it', () => {
    const error = certainFailure(reportOf(FINE, FIREWALL, TAKEN));
    assert.equal(error?.code, 'port-in-use');
    assert.deepEqual(error.values, { port: 8443, reason: HELD });
    assert.equal(error.message, new FlashError('port-in-use', error.values).message);
  });

  it('refuses where the home Wi-Fi is not known, in words', () => {
    const error = certainFailure(reportOf(FINE, NO_WIFI));
    assert.equal(error?.code, 'wifi-credentials-missing');
    assert.equal(error.values.what?.text, 'name');
  });

  it('leaves to a person what this machine cannot know', () => {
    const report = reportOf(FINE, FIREWALL, OVERLAP);
    assert.equal(certainFailure(report), undefined);
    assert.deepEqual(doubts(report), [FIREWALL, OVERLAP]);
  });

  it('has no doubts where all is well', () => {
    assert.equal(certainFailure(reportOf(FINE)), undefined);
    assert.deepEqual(doubts(reportOf(FINE)), []);
  });
});
