/* The devices, drawn: where their button is and where their LED. */

/** Drawn by us, in the colour of the text; constants, into which no value goes. */
const SONOTA_PICTURES = {
  basic:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="6" y="22" width="84" height="28" rx="4" fill="none" stroke="currentColor" stroke-width="2"/><path d="M18 22v28M78 22v28" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-button" cx="40" cy="36" r="6"/><circle class="sonota-picture-led" cx="56" cy="36" r="3.5"/></svg>',
  s20: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="24" y="8" width="48" height="56" rx="8" fill="none" stroke="currentColor" stroke-width="2"/><circle cx="48" cy="42" r="14" fill="none" stroke="currentColor" stroke-width="2"/><circle cx="43" cy="42" r="2" fill="currentColor"/><circle cx="53" cy="42" r="2" fill="currentColor"/><circle class="sonota-picture-button" cx="48" cy="18" r="5"/><circle class="sonota-picture-led" cx="63" cy="18" r="3.5"/></svg>',
  touch:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="20" y="8" width="56" height="56" rx="6" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-button" cx="48" cy="36" r="11"/><circle class="sonota-picture-led" cx="48" cy="56" r="3.5"/></svg>',
  th: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="12" y="12" width="72" height="48" rx="4" fill="none" stroke="currentColor" stroke-width="2"/><path d="M12 26h72" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-button" cx="38" cy="44" r="6"/><circle class="sonota-picture-led" cx="58" cy="44" r="3.5"/></svg>',
  '4ch':
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="8" y="14" width="80" height="44" rx="3" fill="none" stroke="currentColor" stroke-width="2"/><path d="M8 26h80" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-button" cx="22" cy="42" r="5"/><circle cx="38" cy="42" r="5" fill="none" stroke="currentColor" stroke-width="2"/><circle cx="54" cy="42" r="5" fill="none" stroke="currentColor" stroke-width="2"/><circle cx="70" cy="42" r="5" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-led" cx="81" cy="20" r="3.5"/></svg>',
  mini: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 72" aria-hidden="true"><rect x="26" y="16" width="44" height="40" rx="4" fill="none" stroke="currentColor" stroke-width="2"/><path d="M32 56v6M42 56v6M54 56v6M64 56v6" fill="none" stroke="currentColor" stroke-width="2"/><circle class="sonota-picture-button" cx="40" cy="32" r="5"/><circle class="sonota-picture-led" cx="56" cy="32" r="3.5"/></svg>',
} as const;

type SonotaPicture = keyof typeof SONOTA_PICTURES;

/** By the model that a device states (docs/dev/stock-firmware.md#3.6). */
const SONOTA_MODELS: Record<string, SonotaPicture> = {
  'ITA-GZ1-GL': 'basic',
  'PSA-B01-GL': 's20',
  'PSA-BHA-GL': 'th',
  'PSC-B01-GL': 'th',
  'PSB-B04-GL': 'basic',
  'PSF-B04-GL': 'touch',
};

/** The announcements that ask for the button of the device. */
const SONOTA_BUTTON_ASKED = ['wait-for-ap', 'look-for-ap'];

/** The device whose button is needed; all of them while the model is unknown. */
function sonotaPictures(): SonotaPart {
  const root = $('<ul class="sonota-card-pictures" role="list"></ul>');
  let shown = '';
  const show = ({ says, model }: SonotaJob): void => {
    const isAsked = says !== undefined && SONOTA_BUTTON_ASKED.includes(says.name);
    const own = model === null ? undefined : SONOTA_MODELS[model];
    const all = Object.keys(SONOTA_PICTURES) as SonotaPicture[];
    const wanted = isAsked ? (own === undefined ? all : [own]) : [];
    root.toggle(wanted.length > 0);
    if (shown === wanted.join()) return;
    shown = wanted.join();
    root.empty();
    for (const name of wanted) {
      const text = sonotaSidebarText(`picture.${name}`);
      root.append($('<li></li>').append($(SONOTA_PICTURES[name]), $('<span></span>').text(text)));
    }
  };
  return { root, show };
}
