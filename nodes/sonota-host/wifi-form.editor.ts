/* The program that joins the Wi-Fi of a device, in the form of a host; see wifi-routes.ts. */

function sonotaWifiForm(): void {
  const driver = $('#node-config-input-wifi');
  const byItself = $('.sonota-host-wifi-by-itself');
  const show = (): void => void byItself.toggle(driver.val() !== 'manual');
  // A host from before there was a choice.
  if (!driver.val()) driver.val('auto');
  driver.on('change', show);
  show();
  void sonotaRequest({ url: 'sonota/wifi/interfaces', dataType: 'json' }).done((names: string[]) => {
    const list = $('#sonota-host-wifi-interfaces').empty();
    for (const name of names) list.append($('<option></option>').val(name));
  });
}
