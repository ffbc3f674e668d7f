import assert from 'node:assert/strict';
import { ERROR_CODES, type ErrorCode } from '../../lib/errors';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { ONE_HOP } from '../../lib/flash/routes';
import { Job } from '../../lib/flash/job/job';
import { mayTryAgain, outlookOf, whereToBegin } from '../../lib/flash/queue/retry';

/** Codes that a second try would not change, or that only a person may decide after a look at the device. */
const LASTING: readonly ErrorCode[] = [
  'address-invalid',
  'cancel-nothing',
  'cancel-too-late',
  'cancelled',
  'certificate-rejected',
  'device-contested',
  'device-not-supported',
  'digest-mismatch',
  'digest-unconfirmed',
  'diy-encrypted',
  'diy-id-needed',
  'diy-image-refused',
  'diy-message-refused',
  'diy-mode-missing',
  'diy-other-device',
  'diy-unlock-not-asked',
  'diy-unlock-not-taken',
  'diy-unlock-port',
  'diy-unlock-refused',
  'finalstage-half-erased',
  'finalstage-interrupted',
  'finalstage-unconfirmed',
  'firmware-missing',
  'host-missing',
  'intermediate-unknown',
  'model-refused',
  'not-armed',
  'not-possible',
  'output-not-wired',
  'plain-port-off',
  'port-in-use',
  'port-of-other-host',
  'queue-lost',
  'queue-not-wired',
  'reference-ambiguous',
  'rehearsal-only',
  'road-unknown',
  'store-failed',
  'store-full',
  'tasmota-other-firmware',
  'tasmota-password-wrong',
  'tasmota-refused',
  'tasmota-setting-unusable',
  'template-unknown',
  'tls-refused',
  'topic-shared',
  'upgrade-malformed',
  'url-invalid',
  'value-invalid',
  'variable-unset',
  'version-refused',
  'wifi-action-unknown',
  'wifi-address-invalid',
  'wifi-address-needed',
  'wifi-credentials-missing',
  'wifi-credentials-unusable',
  'wifi-interface-missing',
  'wifi-interface-unusable',
  'wifi-network-missing',
  'wifi-not-permitted',
  'wifi-unavailable',
  'wifi-uplink',
];

/** A job in this stage. */
function jobIn(stage: 'provision' | 'upgrade' | 'finalstage' | 'newfirmware'): Job {
  const job = new Job(stage, '1000a1b2c3');
  job.enter(stage);
  return job;
}

describe('flash/queue/retry', () => {
  it('does not try again what stays as it is, nor a wrong image', () => {
    const refused = ERROR_CODES.filter((code) => !mayTryAgain(code, undefined));
    const images = ERROR_CODES.filter((code) => code.startsWith('image-'));
    assert.ok(images.length > 5);
    assert.deepEqual([...refused].sort(), [...LASTING, ...images].sort());
    for (const code of refused) assert.equal(mayTryAgain(code, jobIn('provision')), false, code);
  });

  it('knows what no try changes: the device itself', () => {
    const hopeless = ERROR_CODES.filter((code) => outlookOf(code) === 'never');
    assert.deepEqual(hopeless, [
      'certificate-rejected',
      'device-not-supported',
      'model-refused',
      'finalstage-half-erased',
    ]);
    assert.equal(outlookOf('image-wrong-slot'), 'person');
    assert.equal(outlookOf('firmware-missing'), 'person');
    assert.equal(outlookOf('device-timeout'), 'retry');
  });

  it('retries temporary failures, as long as no byte of the final image has gone out', () => {
    const job = jobIn('finalstage');
    job.finalStage = new FinalStageSession();
    job.finalStage.requested('user2', 400_000).ended('delivered');
    assert.equal(mayTryAgain('finalstage-timeout', job), true);
    job.finalStage.requested('final', 400_000);
    assert.equal(mayTryAgain('finalstage-timeout', job), false);
  });

  it('knows that the final image has gone out from what was seen, when the visit is over', () => {
    const job = jobIn('finalstage');
    job.evidence.add({ kind: 'finalstage-requested', image: 'user2', size: 400_000 });
    assert.equal(mayTryAgain('finalstage-timeout', job), true);
    job.evidence.add({ kind: 'finalstage-requested', image: 'final', size: 400_000 });
    assert.equal(mayTryAgain('finalstage-timeout', job), false);
  });

  it('leaves a device alone that has taken its image in one hop, until it is back in its stock firmware', () => {
    const job = jobIn('upgrade');
    job.route = ONE_HOP;
    job.fail('download-failed');
    assert.equal(mayTryAgain('download-failed', job), true);
    job.enter('upgrade');
    job.leave('upgrade');
    assert.equal(mayTryAgain('one-hop-silent', job), false);
    assert.equal(mayTryAgain('back-to-stock', job), true);
  });

  it('continues in FinalStage with a device that may be there, and else from the beginning', () => {
    assert.equal(whereToBegin(undefined), 'beginning');
    assert.equal(whereToBegin(jobIn('upgrade')), 'beginning');
    assert.equal(whereToBegin(jobIn('newfirmware')), 'beginning');
    assert.equal(whereToBegin(jobIn('finalstage')), 'finalstage');
  });
});
