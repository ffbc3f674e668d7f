import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { explained, FlashError, sentencesOf } from '../../lib/errors';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { Finding } from '../../lib/image';
import { passed, warned } from '../../lib/preflight/check';
import type { SaidReport } from '../../lib/preflight/preflight';
import { phrase } from '../../lib/preflight/phrases';
import {
  Labels,
  pictureSpeech,
  translateError,
  translateFinding,
  translateInspection,
  translateJob,
  translateLine,
  translatePreflight,
  translateQueue,
  translateLabel,
  translateReport,
  translateSentences,
  translateShared,
  translator,
} from '../../nodes/shared/translate';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import { fill, quoted, wording } from '../../lib/wordings/wording';
import type { Inspection } from '../../lib/firmware/inspection';
import { PICTURE_TEXTS } from '../../lib/image/picture-texts';

const SHARED = '@sonota/node-red/sonota-host:';

describe('nodes: texts in the language of the runtime', () => {
  /** By their whole keys. */
  let texts: Record<string, string>;
  const RED = {
    _: (key: string, values: Record<string, unknown> = {}) =>
      texts[key]?.replace(/__(\w+?)__/g, (whole, name: string) => (name in values ? String(values[name]) : whole)) ??
      // As Node-RED does where it has no such text, with or without the catalogue's name.
      (key.length % 2 === 0 ? key : key.replace(SHARED, '')),
  } as unknown as NodeAPI;
  beforeEach(() => {
    texts = {};
  });

  it('are those of the node, else the English ones', () => {
    const translate = translator(RED, 'sonota-wifi');
    assert.equal(translate('status.scan', 'scan'), 'scan');
    texts['sonota-wifi.status.scan'] = '';
    assert.equal(translate('status.scan', 'scan'), 'scan', 'an empty one is none');
    texts['sonota-wifi.status.scan'] = 'sucht __count__';
    assert.equal(translate('status.scan', 'scan', { count: 3 }), 'sucht 3');
  });

  it('are those that all nodes share, filled, with a question mark for what is not known', () => {
    assert.equal(translateShared(RED, 'reasons.x', 'It is {what} of {whom}.', { what: 'a' }), 'It is a of ?.');
    texts[`${SHARED}reasons.x`] = 'Es ist __what__.';
    assert.equal(translateShared(RED, 'reasons.x', 'It is {what}.', { what: 'a' }), 'Es ist a.');
  });

  it('of a report are its label, its text, and details where it has some', () => {
    const report = { name: 'image-flows', values: { image: 'user2' }, label: 'l', text: 't', percent: 7 } as const;
    assert.deepEqual(translateReport(RED, report), report);
    const [label, text, details] = ['Etikett', 'lädt __image__', 'mehr'];
    for (const [part, translated] of Object.entries({ label, text, details })) {
      texts[`${SHARED}announcements.image-flows.${part}`] = translated;
    }
    assert.deepEqual(translateReport(RED, report), { ...report, label, text: 'lädt user2' });
    assert.equal(translateReport(RED, { ...report, details: 'd' }).details, details);
  });

  it('of a label are looked up alone where no value stands in it', () => {
    const lookUps: string[] = [];
    const counting = { _: (key: string) => (lookUps.push(key), key) };
    const image = wording('asked-user2');
    const flows = { name: 'image-flows', values: { image }, label: 'upgrade', text: 't' } as const;
    assert.equal(translateLabel(counting, flows), 'upgrade');
    assert.deepEqual(lookUps, [`${SHARED}announcements.image-flows.label`]);
    const wires = { name: 'output-leads-nowhere', values: { output: image }, label: 'l', text: 't' } as const;
    assert.equal(translateLabel(counting, wires), 'l');
    assert.ok(lookUps.some((key) => key.includes('wordings.asked-user2')));
  });

  it('of labels are looked up once each, unless they are filled', () => {
    let lookUps = 0;
    texts[`${SHARED}announcements.image-flows.label`] = 'lädt';
    texts[`${SHARED}announcements.output-leads-nowhere.label`] = 'Ausgang __output__';
    const labels = new Labels({ _: (...asked: Parameters<NodeAPI['_']>) => ((lookUps += 1), RED._(...asked)) });
    for (const image of ['user1', 'user2']) {
      assert.equal(labels.of({ name: 'image-flows', values: { image }, label: 'upgrade', text: 't' }), 'lädt');
    }
    assert.equal(lookUps, 1);
    for (const output of [1, 2]) {
      const report = { name: 'output-leads-nowhere', values: { output }, label: 'l', text: 't' } as const;
      assert.equal(labels.of(report), `Ausgang ${output}`);
    }
  });

  it('of an error are both of its sentences or none, and all else of it stays', () => {
    const cause = new Error('why');
    const error = new FlashError('wifi-network-missing', { x: 1 }, { cause });
    texts[`${SHARED}errors.wifi-network-missing.what`] = 'Was __x__ __y__.';
    assert.equal(translateError(RED, error), error, 'half of it is no text');
    texts[`${SHARED}errors.wifi-network-missing.remedy`] = 'Tun.';
    const translated = translateError(RED, error);
    const { message, code, values, stack } = translated;
    assert.deepEqual([message, code, values, stack], ['Was 1 ?. Tun.', 'wifi-network-missing', { x: 1 }, error.stack]);
    assert.equal(translated.cause, cause);
    assert.equal(translateError(RED, translated), translated, 'it is in that language');
  });

  it('of an error that are shown apart stand alone', () => {
    const error = new FlashError('host-missing');
    const english = sentencesOf('host-missing', {});
    assert.deepEqual(translateSentences(RED, error), { what: english.what, remedy: english.remedy });
    texts[`${SHARED}errors.host-missing.remedy`] = 'Tun.';
    assert.deepEqual(translateSentences(RED, error), { what: english.what, remedy: 'Tun.' });
    texts[`${SHARED}errors.host-missing.what`] = 'Was.';
    assert.deepEqual(translateSentences(RED, error), { what: 'Was.', remedy: 'Tun.' });
  });

  it('of a job are those of its verdict, which may be an error or a note', () => {
    const job = (verdict?: object): JobSnapshot =>
      ({ stage: 'cloud', stages: {}, ...(verdict ? { verdict } : {}) }) as JobSnapshot;
    const none = job();
    assert.deepEqual(translateJob(RED, none), none);
    const verdict = { code: 'ap-silent', confidence: 'likely', text: 'English.', values: { url: 'x' } };
    assert.deepEqual(translateJob(RED, job(verdict)), job(verdict));
    const note = { ...verdict, code: 'plain-firmware' };
    assert.deepEqual(translateJob(RED, job(note)), job(note));
    texts[`${SHARED}notes.plain-firmware`] = 'Notiz __url__';
    assert.equal(translateJob(RED, job(note)).verdict?.text, 'Notiz x');
    texts[`${SHARED}errors.ap-silent.what`] = 'Was __url__.';
    texts[`${SHARED}errors.ap-silent.remedy`] = 'Tun.';
    assert.deepEqual(translateJob(RED, job(verdict)), job({ ...verdict, text: 'Was x. Tun.' }));
  });

  it('of words are those of each of them, in sentences and in what stages found', () => {
    texts[`${SHARED}wordings.data-unusable`] = 'Daten: __why__';
    texts[`${SHARED}wordings.not-json`] = 'kein JSON';
    texts[`${SHARED}errors.diy-stranger.what`] = '__url__: __reason__.';
    texts[`${SHARED}errors.diy-stranger.remedy`] = 'Tun.';
    const reason = wording('data-unusable', { why: wording('not-json') });
    const error = new FlashError('diy-stranger', { url: 'x', reason });
    assert.equal(translateError(RED, error).message, 'x: Daten: kein JSON. Tun.');
    const untold = wording('data-unusable', { why: wording('binary') });
    assert.equal(
      translateSentences(RED, new FlashError('diy-stranger', { url: 'x', reason: untold })).what,
      'x: Daten: it is binary.',
    );
    const found = { roadReason: reason, warnings: [reason, quoted('as it is')], count: 7, none: null };
    const stages = { cloud: found } as unknown as JobSnapshot['stages'];
    const told = { roadReason: 'Daten: kein JSON', warnings: ['Daten: kein JSON', 'as it is'], count: 7, none: null };
    assert.deepEqual(translateJob(RED, { stage: 'cloud', stages } as JobSnapshot).stages, { cloud: told });
  });

  it('of a verdict stand in its values, too', () => {
    texts[`${SHARED}wordings.not-json`] = 'kein JSON';
    const verdict = { code: 'ap-silent', confidence: 'likely', text: 'English.', values: { why: wording('not-json') } };
    const job = { stage: 'cloud', stages: {}, verdict } as unknown as JobSnapshot;
    assert.deepEqual(translateJob(RED, job).verdict, { ...verdict, values: { why: 'kein JSON' } });
  });

  it('of a line of the log are those of an error or of a wording', () => {
    const error = new FlashError('host-missing');
    assert.deepEqual(
      [translateLine(RED, error), translateLine(RED, wording('not-json'))],
      [error.message, wording('not-json').text],
    );
    texts[`${SHARED}errors.host-missing.what`] = 'Kein Host.';
    texts[`${SHARED}errors.host-missing.remedy`] = 'Wählen.';
    texts[`${SHARED}wordings.not-json`] = 'kein JSON';
    assert.deepEqual(
      [translateLine(RED, error), translateLine(RED, wording('not-json'))],
      ['Kein Host. Wählen.', 'kein JSON'],
    );
  });

  it('of an image that a form has examined are those of each finding, in DIY mode, too', () => {
    const finding = (code: string): Finding =>
      ({ code, severity: 'note', values: {}, text: 't', remedy: 'r' }) as never;
    const [signed, large] = [finding('image-signed'), finding('image-too-large')];
    const examined = {
      state: 'examined',
      verdict: 'warn',
      findings: [signed],
      inDiyMode: [large],
    } as never as Inspection;
    assert.deepEqual(translateInspection(RED, examined), examined);
    texts[`${SHARED}findings.image-signed.what`] = 'Signiert.';
    texts[`${SHARED}errors.image-too-large.remedy`] = 'Kleiner.';
    assert.deepEqual(translateInspection(RED, examined), {
      ...examined,
      findings: [{ ...signed, text: 'Signiert.' }],
      inDiyMode: [{ ...large, remedy: 'Kleiner.' }],
    });
    const { inDiyMode: _, ...elsewhere } = examined as Record<string, unknown>;
    assert.ok(!('inDiyMode' in translateInspection(RED, elsewhere as never)));
  });

  it('of an image that could not be read are those of the error, and one that is not here has none', () => {
    const unreadable = { state: 'unreadable', code: 'host-missing', values: {}, message: 'English.' } as const;
    assert.deepEqual(translateInspection(RED, unreadable), unreadable);
    texts[`${SHARED}errors.host-missing.what`] = 'Kein Host.';
    texts[`${SHARED}errors.host-missing.remedy`] = 'Wählen.';
    assert.deepEqual(translateInspection(RED, unreadable), { ...unreadable, message: 'Kein Host. Wählen.' });
    const away = { state: 'not-fetched', from: 'x', size: null, sha256: null } as const;
    assert.deepEqual(translateInspection(RED, away), away);
  });

  it('of the picture of the flash are its labels, filled', () => {
    const [name = ''] = Object.keys(PICTURE_TEXTS);
    const label = name as keyof typeof PICTURE_TEXTS;
    assert.equal(pictureSpeech(RED)(label, {}), fill(PICTURE_TEXTS[label], {}));
    texts[`${SHARED}picture.${name}`] = 'Bild __size__';
    assert.equal(pictureSpeech(RED)(label, { size: 7 }), 'Bild 7');
  });

  it('of progress that reports trouble are those of the trouble', () => {
    texts[`${SHARED}announcements.cloud-trouble.text`] = '(__message__)';
    texts[`${SHARED}errors.host-missing.what`] = 'Kein Host.';
    texts[`${SHARED}errors.host-missing.remedy`] = 'Wählen.';
    const values = { message: explained(new FlashError('host-missing')) };
    const report = { name: 'cloud-trouble' as const, values, label: 'l', text: 'English.' };
    assert.equal(translateReport(RED, report).text, '(Kein Host. Wählen.)');
  });

  it('of a queue are those of its failed entries', () => {
    texts[`${SHARED}errors.host-missing.what`] = 'Kein Host.';
    texts[`${SHARED}errors.host-missing.remedy`] = 'Wählen.';
    const entries = [{ id: 'a' }, { id: 'b', error: 'host-missing', text: 'English.', values: {} }];
    const odd = [
      { id: 'c', error: 'wifi-timeout', text: 'as it was' },
      { id: 'd', text: 'no code' },
      { id: 'e', error: 'host-missing' },
    ];
    const queue = { state: 'idle', waiting: 1, entries: [...entries, ...odd] } as unknown as QueueSnapshot;
    assert.deepEqual(translateQueue(RED, queue), {
      ...queue,
      entries: [{ id: 'a' }, { ...entries[1], text: 'Kein Host. Wählen.' }, ...odd],
    });
  });

  it('of a finding are those of its code, an error or advice, part by part', () => {
    const finding = {
      code: 'image-signed',
      severity: 'note',
      values: { size: 7 },
      text: 't',
      remedy: 'r',
    } as unknown as Finding;
    assert.deepEqual(translateFinding(RED, finding), finding);
    texts[`${SHARED}findings.image-signed.what`] = 'Was __size__.';
    assert.deepEqual(translateFinding(RED, finding), { ...finding, text: 'Was 7.' });
    texts[`${SHARED}errors.image-signed.remedy`] = 'Tun.';
    texts[`${SHARED}findings.image-signed.remedy`] = 'Nicht dies.';
    assert.deepEqual(translateFinding(RED, finding), { ...finding, text: 'Was 7.', remedy: 'Tun.' });
  });

  it('of a table of checks are those of each row, and of what stands above it', () => {
    const checks = [
      passed('tls', 'tls-refused', []),
      warned('wifi', 'wifi-credentials-missing', { what: quoted('ssid') }),
    ];
    const report: SaidReport = { checks, verdict: 'warning', text: 'English.', said: phrase('ready') };
    const plain = translatePreflight(RED, report);
    const { text, remedy } = checks[1] as { text: string; remedy: string };
    assert.deepEqual(plain.checks[1], { check: 'wifi', code: 'wifi-credentials-missing', ok: 'warn', text, remedy });
    assert.deepEqual([plain.verdict, 'said' in plain], ['warning', false]);
    texts[`${SHARED}errors.wifi-credentials-missing.what`] = 'Was __what__.';
    texts[`${SHARED}errors.wifi-credentials-missing.remedy`] = 'Tun.';
    texts[`${SHARED}checks.ready`] = 'Bereit.';
    const german = translatePreflight(RED, report);
    assert.deepEqual([german.checks[1]?.text, german.checks[1]?.remedy, german.text], ['Was ssid.', 'Tun.', 'Bereit.']);
    assert.deepEqual(german.checks[0], { check: 'tls', code: 'tls-refused', ok: true, text: '', remedy: '' });
  });
});
