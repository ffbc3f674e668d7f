/* How long a wait still takes at most, and a flash about. */

interface SonotaPart {
  readonly root: JQuery;
  show(job: SonotaJob): void;
}

/** Minutes that a flash takes from the beginning of each stage to its end, where all goes well. */
const SONOTA_MINUTES: Record<string, number> = {
  provision: 6,
  cloud: 5,
  upgrade: 4,
  finalstage: 3,
  newfirmware: 2,
  diy: 3,
};

function sonotaCountdown(): SonotaPart {
  const left = $('<span class="sonota-card-left"></span>');
  const network = $('<span class="sonota-card-left" data-says="networkCloses"></span>');
  const estimate = $('<span></span>');
  const root = $('<p class="sonota-card-more sonota-card-clock"></p>').append(network, left, estimate);
  let began = { stage: '', percent: 0 };
  const show = ({ waitEndsAt, networkClosesAt, stage, percent }: SonotaJob): void => {
    left.attr('data-ends', waitEndsAt ?? '');
    network.attr('data-ends', networkClosesAt ?? '');
    if (began.stage !== stage) began = { stage, percent };
    const minutes = sonotaMinutesLeft(stage, (100 - percent) / Math.max(1, 100 - began.percent));
    estimate.text(minutes === undefined ? '' : sonotaEstimate(minutes));
    root.toggle(waitEndsAt !== undefined || networkClosesAt !== undefined || minutes !== undefined);
    // A new card is not in the page yet.
    root.children('.sonota-card-left').each((_, element) => sonotaTickOf($(element)));
  };
  return { root, show };
}

/** @param share of what the stage and those behind it still have to do, from 1 at its beginning to 0 at the end */
function sonotaMinutesLeft(stage: string, share: number): number | undefined {
  const minutes = SONOTA_MINUTES[stage];
  return minutes === undefined ? undefined : Math.max(1, Math.ceil(minutes * share));
}

function sonotaEstimate(minutes: number): string {
  return sonotaSidebarText(minutes === 1 ? 'job.estimateOne' : 'job.estimate', { minutes });
}

/** Brings all countdowns to the present second. */
function sonotaTick(): void {
  $('.sonota-card-left').each((_, element) => sonotaTickOf($(element)));
}

function sonotaTickOf(left: JQuery): void {
  const ends = Date.parse(left.attr('data-ends') ?? '');
  const seconds = Math.ceil((ends - Date.now()) / 1000);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  // Not by sonotaSetText: the line that it stands in is shown or hidden as a whole.
  const says = left.attr('data-says') ?? 'waitEnds';
  left.text(seconds > 0 ? `${sonotaSidebarText(`job.${says}`, { time })} ` : '');
}
