/* Search terms for the filter of the palette, which compares its text with the label of a node. */

const SONOTA_TERMS: Record<string, string> = {
  'sonota-flash': 'esphome tasmota ewelink firmware update upload ota',
  'sonota-diy-flash': 'flash ewelink firmware update upload ota',
  'sonota-provision': 'flash ewelink 1',
  'sonota-cloud-emulator': 'flash ewelink 2',
  'sonota-ota-serve': 'flash firmware update upload 3',
  'sonota-finalstage-watch': 'flash firmware update upload 4',
  'sonota-new-firmware': 'flash esphome tasmota 5',
  'sonota-queue': 'flash',
  'sonota-home-assistant': 'flash update',
  'sonota-image-doctor': 'flash firmware',
  'sonota-preflight': 'flash check',
  'sonota-virtual-device': 'flash rehearse',
  'sonota-wifi': 'flash wi-fi wlan',
  'sonota-discover': 'flash ewelink find search scan list diy mdns',
};

/** Adds them to the attribute that the filter reads; what the palette shows stays as it is. */
function sonotaSearchTerms(): void {
  const mark = (): void => {
    $('.red-ui-palette-node[data-palette-type^="sonota-"]').each((_, element) => {
      const node = $(element);
      const label = node.attr('data-palette-label') ?? '';
      const terms = ` sonoff ${SONOTA_TERMS[node.attr('data-palette-type') ?? ''] ?? ''}`;
      if (!label.endsWith(terms)) node.attr('data-palette-label', label + terms);
    });
  };
  RED.events.on('registry:node-type-added', () => setTimeout(mark, 0));
  mark();
}
