/* What comes after a flash, by the firmware that was installed. */

/** Firmware that opens a Wi-Fi of its own in which it is told the home Wi-Fi. */
const SONOTA_NEXT_STEPS = ['tasmota', 'esphome', 'espurna'];

function sonotaNextStep(): SonotaPart {
  const text = $('<span></span>');
  const link = $('<a target="_blank" rel="noopener"></a>');
  const root = $('<p class="sonota-card-next"></p>').append(text, document.createTextNode(' '), link);
  const show = ({ stage, firmware, pageUrl }: SonotaJob): void => {
    const isKnown = firmware !== undefined && SONOTA_NEXT_STEPS.includes(firmware);
    const step = sonotaSidebarText(`next.${isKnown ? firmware : 'other'}`);
    text.text(step);
    const isPage = pageUrl !== undefined && /^https?:\/\//.test(pageUrl);
    link
      .attr('href', isPage ? pageUrl : '#')
      .text(sonotaSidebarText('next.page'))
      .toggle(isPage);
    root.toggle(stage === 'done');
  };
  return { root, show };
}
