/**
 * Leads from the help of a node to the docs: each error code to its explanation, and at the end the page about what the
 * node is for. The docs are in English, so other languages say that.
 */
import { pageAddress } from './project-address.mjs';

/** Each node's page below docs/, and its heading. */
export const PAGES = {
  'sonota-cloud-emulator': ['first-flash.md', 'Your first flash'],
  'sonota-discover': ['diy.md', 'Devices with DIY mode'],
  'sonota-diy-flash': ['diy.md', 'Devices with DIY mode'],
  'sonota-finalstage-watch': ['first-flash.md', 'Your first flash'],
  'sonota-firmware': ['first-flash.md', 'Your first flash'],
  'sonota-flash': ['first-flash.md', 'Your first flash'],
  'sonota-home-assistant': ['home-assistant.md', 'Flashing Sonoffs from Home Assistant'],
  'sonota-host': ['wi-fi.md', 'Who joins the Wi-Fi'],
  'sonota-image-doctor': ['first-flash.md', 'Your first flash'],
  'sonota-new-firmware': ['resume.md', 'Resume a flash that stopped'],
  'sonota-ota-serve': ['first-flash.md', 'Your first flash'],
  'sonota-preflight': ['first-flash.md', 'Your first flash'],
  'sonota-provision': ['first-flash.md', 'Your first flash'],
  'sonota-queue': ['many-devices.md', 'Many devices'],
  'sonota-tasmota-setup': ['first-flash.md', 'Your first flash'],
  'sonota-virtual-device': ['first-flash.md', 'Your first flash'],
  'sonota-wifi': ['wi-fi.md', 'Who joins the Wi-Fi'],
};

const WORDS = {
  'en-US': { heading: 'References', note: '' },
  de: { heading: 'Verweise', note: ' (englisch)' },
  fr: { heading: 'Références', note: ' (en anglais)' },
};

/**
 * @param {string} help of a node in one language, as it is written in nodes/
 * @param {readonly string[]} codes all error codes
 */
export function linkedHelp(help, { type, language, codes }) {
  const linked = help.replace(/<code>([a-z][a-z0-9-]+)<\/code>/g, (code, name) =>
    codes.includes(name) ? link(`docs/codes.md#${name}`, code) : code,
  );
  const [page, title] = PAGES[type];
  const { heading, note } = WORDS[language];
  const references = [`docs/${page}`, title, note];
  const items = [references, ['docs/messages.md', 'Messages', note], ['docs/codes.md', 'Every code', note]].map(
    ([path, text, added]) => `    <li>${link(path, text)}${added}</li>`,
  );
  return linked.replace(
    /\s*<\/script>\s*$/,
    `\n\n  <h3>${heading}</h3>\n  <ul>\n${items.join('\n')}\n  </ul>\n</script>\n`,
  );
}

function link(path, text) {
  return `<a href="${pageAddress(path)}" target="_blank" rel="noopener">${text}</a>`;
}
