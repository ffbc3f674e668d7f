import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { pixelsOf } from '../shared/photograph';

/** The used part of gifenc, which has no types. */
interface Gifenc {
  readonly GIFEncoder: () => {
    writeFrame: (index: Uint8Array, width: number, height: number, options: Record<string, unknown>) => void;
    finish: () => void;
    bytes: () => Uint8Array;
  };
  readonly quantize: (rgba: Uint8Array, colours: number) => number[][];
  readonly applyPalette: (rgba: Uint8Array, palette: number[][]) => Uint8Array;
}

const { GIFEncoder, quantize, applyPalette } = createRequire(__filename)('gifenc') as Gifenc;

/** The last of 256 stands for "as before". */
const COLOURS = 255;
const FRAME_MS = 500;
const LAST_FRAME_MS = 3000;

export interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pictures of a part of a page, one after another, for an animated GIF. A picture that is like the one before is left out. */
export class Film {
  private readonly frames: { rgba: Uint8Array; shownMs: number }[] = [];
  private isOver = false;

  constructor(
    private readonly page: Page,
    private readonly clip: Clip,
  ) {}

  /** Takes pictures until `cut`, as fast as they come. */
  async roll(): Promise<void> {
    while (!this.isOver) await this.take();
    await this.take();
  }

  cut(): void {
    this.isOver = true;
  }

  private async take(): Promise<void> {
    const png = await this.page.screenshot({ clip: { ...this.clip }, animations: 'disabled' });
    const { rgba } = await pixelsOf(this.page, png);
    const before = this.frames.at(-1);
    if (before && Buffer.from(before.rgba).equals(rgba)) return;
    this.frames.push({ rgba, shownMs: FRAME_MS });
  }

  /** One palette for all; of each picture only what differs from the one before. */
  write(path: string): void {
    const { width, height } = this.clip;
    const gif = GIFEncoder();
    const all = Buffer.concat(this.frames.map(({ rgba }) => rgba));
    const palette = quantize(new Uint8Array(all), COLOURS);
    const same = palette.length;
    let before: Uint8Array | undefined;
    for (const [index, { rgba, shownMs }] of this.frames.entries()) {
      const colours = applyPalette(rgba, palette);
      const changed = before ? colours.map((colour, at) => (colour === before?.[at] ? same : colour)) : colours;
      before = colours;
      const delay = index === this.frames.length - 1 ? LAST_FRAME_MS : shownMs;
      const transparency = index === 0 ? {} : { transparent: true, transparentIndex: same, dispose: 1 };
      gif.writeFrame(changed, width, height, { palette: [...palette, [0, 0, 0]], delay, ...transparency });
    }
    gif.finish();
    writeFileSync(path, gif.bytes());
  }
}
