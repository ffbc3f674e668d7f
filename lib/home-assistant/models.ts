/** The products by the model string of the stock firmware (docs/dev/stock-firmware.md#3.6). */
const PRODUCTS: Readonly<Record<string, string>> = {
  'ITA-GZ1-GL': 'Sonoff Basic',
  'PSA-B01-GL': 'Sonoff S20',
  'PSA-BHA-GL': 'Sonoff TH10/TH16',
  'PSC-B01-GL': 'Sonoff Pow',
  'PSB-B04-GL': 'Sonoff Dual',
  'PSF-B04-GL': 'Sonoff T1/4CH',
  'PSF-B01-GL': 'Sonoff Touch/T1',
};

/** The name of a product; undefined for a model string that nothing is known of. */
export function productOf(model: string): string | undefined {
  return Object.hasOwn(PRODUCTS, model) ? PRODUCTS[model] : undefined;
}
