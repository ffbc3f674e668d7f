/* The step behind a flash, by the firmware that was installed: its Wi-Fi with one click, and its page. */

/** Firmware that opens a Wi-Fi of its own, in which it takes the home Wi-Fi. */
const SONOTA_NEXT_STEPS = ['tasmota', 'esphome', 'espurna', 'rehearsal'];

/** @param give gives the new firmware the home Wi-Fi */
function sonotaNextStep(give: () => void): SonotaPart {
  const text = $('<p></p>');
  const trouble = $('<p class="sonota-card-verdict" data-trouble="true"></p>');
  const button = $('<button type="button" class="red-ui-button sonota-card-give"></button>').on('click', give);
  const link = $('<a target="_blank" rel="noopener"></a>').text(sonotaSidebarText('next.page'));
  const deeds = $('<div class="sonota-card-buttons"></div>').append(button, link);
  const root = $('<div class="sonota-card-next"></div>').append(text, trouble, deeds);
  const show = (job: SonotaJob): void => {
    const { stage, pageUrl, nextStep, canGiveWifi } = job;
    sonotaSetText(text, sonotaNextStepText(job));
    sonotaSetText(trouble, nextStep?.error ? sonotaExplained(nextStep.error) : '');
    button.text(sonotaSidebarText(nextStep?.error ? 'next.again' : 'next.give')).toggle(canGiveWifi);
    const isPage = pageUrl !== undefined && /^https?:\/\//.test(pageUrl);
    link.attr('href', isPage ? pageUrl : '#').toggle(isPage);
    deeds.toggle(canGiveWifi || isPage);
    root.attr('data-step', nextStep?.state ?? '').toggle(stage === 'done');
  };
  return { root, show };
}

function sonotaNextStepText({ firmware, nextStep }: SonotaJob): string {
  const name = firmware !== undefined && SONOTA_NEXT_STEPS.includes(firmware) ? firmware : 'other';
  // Meanwhile the card says what there is to do.
  if (nextStep?.state === 'running') return '';
  return sonotaSidebarText(nextStep?.state === 'done' ? `next.atHome.${name}` : `next.${name}`);
}
