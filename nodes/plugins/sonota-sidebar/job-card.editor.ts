/* One flash in the sidebar. A card is made once and then changed in place, so that no button loses the focus. */

interface SonotaCard {
  readonly root: JQuery;
  update(job: SonotaJob): void;
}

type SonotaDeed = 'cancel' | 'retry' | 'evidence' | 'line' | 'forget' | 'give';

/** Characters; what is longer cannot be read from across the room. */
const SONOTA_LARGE_AT_MOST = 100;

const SONOTA_DEED_ICONS = {
  cancel: 'fa-stop',
  retry: 'fa-repeat',
  evidence: 'fa-download',
  line: 'fa-clipboard',
  forget: 'fa-trash-o',
} as const;

function sonotaJobCard(act: (deed: SonotaDeed, job: SonotaJob) => void, announce: (text: string) => void): SonotaCard {
  const title = $('<span class="sonota-card-title"></span>');
  const stage = $('<span class="sonota-card-stage"></span>');
  const fill = $('<div class="sonota-card-fill"></div>');
  const bar = $('<div class="sonota-card-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"></div>');
  const says = $('<p class="sonota-card-says"></p>');
  const details = $('<p class="sonota-card-details"></p>');
  const clock = sonotaCountdown();
  const picture = sonotaPictures();
  const next = sonotaNextStep(() => shown && act('give', shown));
  const verdict = $('<p class="sonota-card-verdict"></p>');
  const code = sonotaCodeLink();
  const request = $('<p class="sonota-card-more sonota-card-request"></p>');
  const about = $('<p class="sonota-card-more"></p>');
  const buttons = $('<div class="sonota-card-buttons"></div>');
  const root = $('<li class="sonota-card"></li>').append(
    $('<div class="sonota-card-head"></div>').append(title, stage),
    bar.append(fill),
    says,
    clock.root,
    details,
    verdict,
    code.root,
    next.root,
    request,
    about,
    // Before the pictures, or Cancel would be out of sight.
    buttons,
    picture.root,
  );
  let shown: SonotaJob | undefined;
  const deeds = Object.fromEntries(
    (['cancel', 'retry', 'evidence', 'line', 'forget'] as const).map((deed) => {
      const button = $('<button type="button" class="red-ui-button red-ui-button-small"></button>').append(
        $('<i aria-hidden="true"></i>').addClass(`fa ${SONOTA_DEED_ICONS[deed]}`),
        document.createTextNode(` ${sonotaSidebarText(`button.${deed}`)}`),
      );
      button.on('click', () => shown && act(deed, shown));
      return [deed, button.appendTo(buttons)];
    }),
  ) as Record<keyof typeof SONOTA_DEED_ICONS, JQuery>;

  const allow = (deed: keyof typeof SONOTA_DEED_ICONS, may: boolean, device: string, whyNot = ''): void => {
    const label = sonotaSidebarText(`button.${deed}Of`, { device });
    deeds[deed].prop('disabled', !may).attr({ 'aria-label': label, title: may ? label : whyNot });
  };

  const update = (job: SonotaJob): void => {
    const device = job.deviceid ?? sonotaSidebarText('job.unknownDevice');
    const stageName = sonotaStageOf(job);
    if (shown && shown.stage !== job.stage) announce(sonotaSidebarText('announce', { device, stage: stageName }));
    shown = job;
    root.attr({ 'data-job': job.id, 'data-stage': job.stage, 'data-look': sonotaLookOf(job) });
    sonotaSetText(title, device);
    sonotaSetText(stage, job.stage === 'done' ? stageName : `${stageName} · ${job.percent} %`);
    bar.attr({ 'aria-valuenow': job.percent, 'aria-label': sonotaSidebarText('job.progress', { device }) });
    fill.css('width', `${job.percent}%`);
    const told = sonotaToldIn(job.says);
    sonotaSetText(says, sonotaUnbroken(told.text));
    says.attr('data-long', String(told.text.length > SONOTA_LARGE_AT_MOST));
    sonotaSetText(details, told.details);
    root.attr('data-hand', String(job.isHandNeeded));
    clock.show(job);
    picture.show(job);
    next.show(job);
    verdict.attr('data-trouble', String(sonotaIsTrouble(job)));
    sonotaSetText(verdict, sonotaVerdictOf(job));
    code.show(sonotaCodeOf(job));
    sonotaSetText(request, sonotaRequestOf(job));
    sonotaSetText(about, sonotaAboutOf(job));
    allow('cancel', job.canCancel, device);
    deeds.cancel.toggle(job.canCancel);
    allow('evidence', true, device);
    allow('line', true, device);
    allow('retry', job.canRetry, device, job.stage === 'failed' ? sonotaSidebarText('button.noRetry') : '');
    deeds.retry.toggle(job.stage === 'failed');
    allow('forget', job.canForget, device, sonotaSidebarText('button.noForget'));
  };
  return { root, update };
}

/** Sets a text only if it differs, which keeps a selection. An empty line takes no room. */
function sonotaSetText(line: JQuery, text: string): void {
  if (line.text() !== text) line.text(text);
  line.toggle(text !== '');
}

function sonotaStageOf({ stage, lastStage }: SonotaJob): string {
  const named = (name: string): string => sonotaSidebarText(`job.stage.${name}`);
  return stage === 'failed' ? sonotaSidebarText('job.failedIn', { stage: named(lastStage) }) : named(stage);
}

function sonotaIsTrouble({ stage, verdict }: SonotaJob): boolean {
  return stage === 'failed' || (verdict !== undefined && sonotaSharedText(`notes.${verdict.code}`, {}, '') === '');
}

/** A line must not end within "7 s" or "Wi-Fi". */
function sonotaUnbroken(text: string): string {
  return text.replace(/(\d) (?=(s|MB|%)\b)/g, '$1\u00a0').replace(/\bWi-Fi\b/g, 'Wi\u2011Fi');
}

function sonotaLookOf(job: SonotaJob): string {
  if (job.nextStep?.state === 'running') return 'running';
  if (job.stage === 'done' || job.stage === 'failed') return job.stage;
  return sonotaIsTrouble(job) ? 'trouble' : 'running';
}

function sonotaAnnounced({ name, values, text }: SonotaSentence): string {
  return sonotaSharedText(`announcements.${name}.text`, values, text);
}

/** An instruction, and what is to be known of it. Of a trouble that is the remedy, and what happened. */
function sonotaToldIn(says: SonotaSentence | undefined): { text: string; details: string } {
  if (!says) return { text: '', details: '' };
  const { name, values, details } = says;
  const { message } = values;
  if (typeof message === 'object' && 'error' in message) {
    const part = (which: string): string => sonotaSharedText(`errors.${message.error}.${which}`, message.values, '');
    if (part('remedy') !== '') return { text: part('remedy'), details: part('what') };
  }
  const more = details === undefined ? '' : sonotaSharedText(`announcements.${name}.details`, values, details);
  return { text: sonotaAnnounced(says), details: more };
}

/** By what it is known that the new firmware runs, where it was looked for. */
function sonotaProofOf({ lastStage, verdict }: SonotaJob): string {
  return lastStage === 'newfirmware' && verdict ? sonotaSharedText(`notes.${verdict.code}`, verdict.values, '') : '';
}

/** If the stage announces the trouble in the same words, it is shown once. */
function sonotaVerdictOf(job: SonotaJob): string {
  const { verdict, says } = job;
  if (job.stage === 'done' && job.nextStep) return '';
  if (job.stage === 'done') return [sonotaSidebarText('job.flashed'), sonotaProofOf(job)].join(' ').trim();
  if (!verdict || verdict.code === 'on-course') return '';
  const text = sonotaExplained(verdict);
  if (says && sonotaAnnounced(says) === text) return '';
  return verdict.confidence === 'likely' ? sonotaSidebarText('job.likely', { text }) : text;
}

/** The code of what went wrong, or may, on the card. */
function sonotaCodeOf(job: SonotaJob): string | undefined {
  if (job.stage === 'done') return job.nextStep?.error?.code;
  if (!sonotaIsTrouble(job)) return undefined;
  return job.verdict && sonotaIsExplained(job.verdict.code) ? job.verdict.code : job.error;
}

function sonotaRequestOf({ lastRequest }: SonotaJob): string {
  if (!lastRequest) return '';
  const { at, name, values, text } = lastRequest;
  const what = sonotaSharedText(`requests.${name}`, values, text);
  return sonotaSidebarText('job.lastRequest', { time: sonotaTime(at), what });
}

function sonotaAboutOf({ model, romVersion, method, startedAt }: SonotaJob): string {
  const known = [model, romVersion].filter((fact) => fact !== null).join(' ');
  const began = sonotaSidebarText('job.began', { time: sonotaTime(startedAt) });
  return [known, method === undefined ? '' : sonotaSidebarText(`job.method.${method}`), began]
    .filter((part) => part !== '')
    .join(' · ');
}
