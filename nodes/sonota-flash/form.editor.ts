/* The form of the node: what it fills in, and the host that it takes or makes. */

interface SonotaOfferedImage {
  name: string;
  title: string;
  sha256: string | null;
  roads: string[];
  recommended?: true;
  isHere: boolean;
}

interface SonotaOfferedImages {
  catalog: SonotaOfferedImage[];
  store: { sha256: string; origins: string[] }[];
}

interface SonotaHostNode {
  id: string;
  type: string;
  name?: string;
  ssid?: string;
  /** The address on which it listens; empty = every one. */
  bind?: string;
  z?: string;
}

interface SonotaFlashNode extends SonotaFlashProperties {
  _(key: string, values?: Record<string, unknown>): string;
}

function sonotaFlashForm(node: SonotaFlashNode): void {
  const t = (key: string, values?: Record<string, unknown>): string => node._(`sonota-flash.${key}`, values);
  const hosts = sonotaHosts().filter(sonotaIsForDevices);
  const host = $('#node-input-host');
  // A new node takes the only host there is. That of a rehearsal is taken by choice alone.
  if (!node.host && hosts.length === 1) host.val(hosts[0]?.id ?? '');
  const chosen = (): SonotaHostNode | undefined => sonotaHosts().find(({ id }) => id === host.val());
  const follow = (): void => sonotaFollowHost(chosen(), t);
  host.on('change', follow);
  follow();
  if (!node.ssid) sonotaFillWifi(() => chosen()?.ssid);
  sonotaOfferImages(node.image, t);
  sonotaFollowMethod();
  const more = document.getElementById('sonota-flash-more') as HTMLDetailsElement | null;
  const { firmware, method, intermediate, unlock, deviceid, timeout, apUrl, finalStageUrl, newFirmwareUrl } = node;
  const texts = [firmware, method, intermediate, unlock, deviceid, timeout, apUrl, finalStageUrl, newFirmwareUrl];
  const isUsed = texts.some(Boolean) || node.clicks || node.force;
  if (more && (isUsed || hosts.length > 1)) more.open = true;
}

/** Fields for DIY mode alone are hidden where that is ruled out. */
function sonotaFollowMethod(): void {
  const method = $('#node-input-method');
  const follow = (): void => void $('.sonota-flash-diy').toggle(method.val() !== 'cloud');
  method.on('change', follow);
  follow();
}

/** The hosts that a node on this tab may use. */
function sonotaHosts(): SonotaHostNode[] {
  const found: SonotaHostNode[] = [];
  RED.nodes.eachConfig((config) => {
    const { type, z } = config as unknown as SonotaHostNode;
    const isInReach = !z || z === (RED.workspaces.active() as unknown as string);
    if (type === 'sonota-host' && isInReach) found.push(config as unknown as SonotaHostNode);
    return true;
  });
  return found;
}

/** The host's Wi-Fi holds where these fields are empty. */
function sonotaFollowHost(
  host: SonotaHostNode | undefined,
  t: (key: string, values?: Record<string, unknown>) => string,
): void {
  const ssid = host?.ssid ?? '';
  $('#node-input-ssid').attr('placeholder', ssid === '' ? t('placeholder.ssid') : t('placeholder.ofHost', { ssid }));
  $('#node-input-password').attr('placeholder', ssid === '' ? '' : t('placeholder.passwordOfHost'));
}

/** The Wi-Fi that this machine is in, unless the host has one or a person was faster. */
function sonotaFillWifi(ofHost: () => string | undefined): void {
  const field = $('#node-input-ssid');
  void sonotaRequest({ url: 'sonota/wifi/home', dataType: 'json', cache: false }).done(([name]: string[]) => {
    if (name === undefined || ofHost() || field.val() !== '') return;
    field.val(name).trigger('change');
    sonotaFocusPassword();
  });
}

/**
 * All that is left to type. The editor moves the focus itself while the form slides in: until a person does something, it
 * is brought back.
 */
function sonotaFocusPassword(): void {
  const field = $('#node-input-password');
  const tray = $('#dialog-form').closest('.red-ui-tray');
  const focus = (): void => {
    if (document.activeElement !== field.get(0)) field.trigger('focus');
  };
  const bringBack = (): void => void setTimeout(focus, 0);
  const settle = (): void => {
    tray.off('focusin', bringBack);
    for (const deed of ['pointerdown', 'keydown']) document.removeEventListener(deed, settle, true);
  };
  tray.on('focusin', bringBack);
  for (const deed of ['pointerdown', 'keydown']) document.addEventListener(deed, settle, true);
  focus();
}

/** Images that are ready to be used: those with a known digest, and those that are here. */
function sonotaOfferImages(chosen: string, t: (key: string, values?: Record<string, unknown>) => string): void {
  const picker = $('#node-input-image');
  const option = (value: string, text: string): JQuery => $('<option>').val(value).text(text);
  const upload = sonotaUploadButton('final', (source, name) => {
    picker.append(option(source, name)).val(source).trigger('change');
  });
  // Below the list, whose names need its whole width.
  picker.after($('<div>').css({ margin: '6px 0 0 101px' }).append(upload));
  // Until the list is here, and where it does not come.
  picker.append(option('', t('image.recommended', { title: '' })));
  if (chosen) picker.append(option(chosen, chosen));
  picker.val(chosen);
  void sonotaRequest({ url: 'sonota/firmware/images', dataType: 'json', cache: false }).done(
    (images: SonotaOfferedImages) => {
      const now = String(picker.val());
      const final = images.catalog.filter(({ roads }) => roads.includes('finalstage'));
      const title = final.find(({ recommended }) => recommended)?.title ?? '';
      picker.empty().append(option('', t('image.recommended', { title })));
      for (const { name, title: its, sha256, isHere } of final) {
        if (sha256 !== null || isHere) picker.append(option(`catalog:${name}`, its));
      }
      for (const { sha256, origins } of images.store) {
        const name = origins[origins.length - 1] ?? '';
        if (!name.startsWith('catalog:')) picker.append(option(`store:${sha256}`, `${name} (${sha256.slice(0, 8)}…)`));
      }
      const isListed = picker.find('option').is((_, element) => $(element).val() === now);
      if (!isListed) picker.append(option(now, now));
      picker.val(now);
    },
  );
}

/** A host that listens to this machine alone serves rehearsals: no device reaches it. */
function sonotaIsForDevices({ bind = '' }: SonotaHostNode): boolean {
  return !/^(127\.|localhost$|::1$)/i.test(bind.trim());
}

/** A flash needs a host: where there is none for devices, saving the form makes one with its defaults. */
function sonotaKeepHost(): void {
  const field = $('#node-input-host');
  if (field.val() && field.val() !== '_ADD_') return;
  if (sonotaHosts().some(sonotaIsForDevices)) return;
  const id = sonotaMakeHost();
  field.append($('<option>').val(id)).val(id);
}

/** As the editor makes a config node from its form. */
function sonotaMakeHost(): string {
  const nodes = RED.nodes as unknown as {
    id(): string;
    getType(type: string): { defaults: Record<string, { value: unknown }>; _?: (key: string) => string };
    add(node: object): void;
  };
  const id = nodes.id();
  const definition = nodes.getType('sonota-host');
  const values: Record<string, unknown> = {};
  for (const [key, { value }] of Object.entries(definition.defaults)) values[key] = value;
  nodes.add({
    ...values,
    id,
    _def: definition,
    _: (key: string) => definition._?.(key) ?? key,
    type: 'sonota-host',
    users: [],
    changed: true,
    valid: true,
  });
  RED.history.push({ t: 'add', nodes: [id], dirty: RED.nodes.dirty() } as never);
  return id;
}
