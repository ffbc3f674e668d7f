/* The list of this machine's addresses in the form of a host; see routes.ts. */

const SONOTA_HOME_REASONS = ['wifi-name', 'default-route', 'only', 'same-network', 'remembered'] as const;
type SonotaHomeReason = (typeof SONOTA_HOME_REASONS)[number];

interface SonotaAddress {
  name: string;
  address: string;
  /** Why devices get this address, or what speaks against it; undefined where neither holds. */
  hint?: SonotaHomeReason | 'tunnel' | 'mobile' | 'container';
}

function sonotaAddressPicker(): void {
  const picker = $('#sonota-host-addresses');
  const field = $('#node-config-input-address');
  const tip = $('#sonota-host-home');
  const text = (key: string, values?: Record<string, string>): string =>
    RED._(`@sonota/node-red/sonota-host:sonota-host.addresses.${key}`, values);
  picker.attr('aria-label', text('label')).append($('<option value=""></option>').text(text('choose')));
  picker.on('change', () => {
    const chosen = String(picker.val());
    if (chosen !== '') field.val(chosen).trigger('change').trigger('focus');
    picker.val('');
  });
  void sonotaRequest({ url: 'sonota/addresses', dataType: 'json', cache: false }).done((addresses: SonotaAddress[]) => {
    for (const { name, address, hint } of addresses) {
      const words = hint === undefined ? `${address} (${name})` : text(hint, { address, name });
      picker.append($('<option></option>').val(address).text(words));
    }
    picker.parent().toggle(addresses.length > 0);
    const told = addresses.find(({ hint }) => SONOTA_HOME_REASONS.some((reason) => reason === hint));
    const sayChoice = (): void => {
      const isEmpty = String(field.val()).trim() === '';
      const words = told?.hint ? text(told.hint, { address: told.address, name: told.name }) : text('unclear');
      tip.text(text('told', { words })).toggle(isEmpty && addresses.length > 0);
    };
    field.on('input change', sayChoice);
    sayChoice();
  });
}
