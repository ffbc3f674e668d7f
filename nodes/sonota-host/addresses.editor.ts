/* The list of this machine's addresses in the form of a host; see routes.ts. */

interface SonotaAddress {
  name: string;
  address: string;
  /** What speaks for or against it; undefined where nothing does. */
  hint?: 'routed' | 'container';
}

function sonotaAddressPicker(): void {
  const picker = $('#sonota-host-addresses');
  const text = (key: string, values?: Record<string, string>): string =>
    RED._(`@sonota/node-red/sonota-host:sonota-host.addresses.${key}`, values);
  picker.attr('aria-label', text('label')).append($('<option value=""></option>').text(text('choose')));
  picker.on('change', () => {
    const chosen = String(picker.val());
    if (chosen !== '') $('#node-config-input-address').val(chosen).trigger('change').trigger('focus');
    picker.val('');
  });
  void $.ajax({ url: 'sonota/addresses', dataType: 'json', cache: false }).done((addresses: SonotaAddress[]) => {
    for (const { name, address, hint } of addresses) {
      const words = hint === undefined ? `${address} (${name})` : text(hint, { address, name });
      picker.append($('<option></option>').val(address).text(words));
    }
    picker.parent().toggle(addresses.length > 0);
  });
}
