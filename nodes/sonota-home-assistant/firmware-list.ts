import { basename } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import type { LoadedImage } from '../../lib/firmware/firmware';
import { Values } from '../shared/values';
import type { Snapshot } from '../../lib/home-assistant';

/** The `sonota-firmware` nodes of this Node-RED by their names, for a list to choose from. */
export class FirmwareList {
  private readonly ids = new Map<string, string>();
  private readonly names = new Map<string, string>();

  /**
   * @param chosen the name that a person has chosen
   * @param more the firmware node of the form, which counts until then; and what to call an image without a name
   */
  constructor(
    RED: NodeAPI,
    private readonly chosen: () => string | undefined,
    private readonly more: { readonly defaultId: string | undefined; readonly unknownName: string },
  ) {
    RED.nodes.eachNode((definition: NodeDef) => {
      if (definition.type !== 'sonota-firmware') return;
      const final = finalOf(definition);
      const name = this.freeName(definition.name || nameOfSource(final) || definition.id);
      this.ids.set(name, definition.id);
      if (final !== '' && !this.names.has(final)) this.names.set(final, name);
    });
  }

  shown(): Snapshot['firmware'] {
    return { options: [...this.ids.keys()], chosen: this.chosenName };
  }

  has(name: string): boolean {
    return this.ids.has(name);
  }

  /** The node to flash with. */
  get chosenId(): string | undefined {
    return this.chosenName === undefined ? undefined : this.ids.get(this.chosenName);
  }

  /** The firmware that a job has installed, by its name in the list if it is from there. */
  nameOf(image: LoadedImage | undefined): string {
    if (image === undefined) return this.chosenName ?? this.more.unknownName;
    return this.names.get(image.source) ?? nameOfSource(image.source) ?? this.more.unknownName;
  }

  private get chosenName(): string | undefined {
    const name = this.chosen();
    if (name !== undefined && this.ids.has(name)) return name;
    return [...this.ids].find(([, id]) => id === this.more.defaultId)?.[0];
  }

  private freeName(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.ids.has(name); count += 1) name = `${wanted} (${count})`;
    return name;
  }
}

/** `/data/tasmota-lite.bin` and `catalog:tasmota-lite` alike are called tasmota-lite. */
function nameOfSource(source: string): string | undefined {
  const name = basename(source.replace(/^\w+:(?!\/\/)/, '').split(/[?#]/)[0] ?? '').replace(/\.bin$/i, '');
  return name === '' || name === 'message' ? undefined : name;
}

/** For a name only: an unreadable firmware is reported when it is used. */
function finalOf(definition: NodeDef): string {
  try {
    return Values.ofForm(definition).text('final') ?? '';
  } catch {
    return '';
  }
}
