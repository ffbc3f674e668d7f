/** The 1 MB of a Sonoff's flash before and after, as a picture (SVG). Drawn from the numbers that the checks use. */

import type { Examination } from './doctor';
import {
  FLASH_BYTES,
  STOCK_LAYOUT,
  finalLayout,
  slotLayout,
  type Area,
  type AreaKind,
  type FlashLayout,
} from './flash-map';
import { isRefusal } from './finding';
import { inEnglish, isPictureText, type PictureSpeech } from './picture-texts';
import { targetFacts, type ImageTarget } from './targets';

export interface FlashPictureOptions {
  /** Default: stock firmware. */
  readonly before?: FlashLayout;
  /** Default: the layout with the image at its target; without an image, the room that a new firmware has. */
  readonly after?: FlashLayout;
  /** Drawn into its place, with what does not fit, and summed up in a line below. */
  readonly image?: Examination;
  /** The language of its texts; English unless given. */
  readonly speak?: PictureSpeech;
}

const COLOURS: Readonly<Record<AreaKind, string>> = {
  boot: '#8ba6cf',
  slot: '#a9c1e0',
  records: '#e3c98b',
  system: '#c9b6d8',
  settings: '#e3c98b',
  image: '#8cc495',
  over: '#b52b27',
  free: '#f4f4f4',
};
const INK = '#222222';
const FAINT = '#666666';

/** Pixels. */
const WIDTH = 560;
const BAR = { top: 44, height: 400, width: 170, left: [90, 370] } as const;
const SMALLEST_AREA = 18;
const LINE = 18;
const HEIGHT = BAR.top + BAR.height + 3 * LINE;

/** The flash after an image of `size` bytes was written to its target. */
export function layoutAfter(target: ImageTarget, size: number): FlashLayout {
  const place = targetFacts(target);
  return place.role === 'final' ? finalLayout(place, size) : slotLayout(place, size);
}

/**
 * The picture as the text of one `<svg>` element: no script, no style sheet, no reference to anything outside, so it
 * may stand in a page, in a file or in an `<img>`.
 */
export function flashPicture(options: FlashPictureOptions = {}): string {
  const { before = STOCK_LAYOUT, after, image, speak = inEnglish } = options;
  const layout =
    after ?? (image ? layoutAfter(image.target, image.size) : layoutAfter('finalstage', room('finalstage')));
  const caption = image ? captionOf(image, speak) : speak('room', { size: room('finalstage') });
  const ok = !image || image.verdict !== 'refuse';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(speak('title', {}))}</title>`,
    `<desc>${escaped(described(before, layout, caption, speak))}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="6" fill="#ffffff"/>`,
    ...bar('before', before, BAR.left[0], speak),
    ...bar('after', layout, BAR.left[1], speak),
    text(WIDTH / 2, HEIGHT - LINE, caption, { anchor: 'middle', colour: ok ? INK : COLOURS.over }),
    '</svg>',
    '',
  ].join('\n');
}

function bar(heading: 'before' | 'after', layout: FlashLayout, left: number, speak: PictureSpeech): string[] {
  const lines = [text(left + BAR.width / 2, BAR.top - LINE, speak(heading, {}), { anchor: 'middle', bold: true })];
  let top: number = BAR.top;
  for (const [index, height] of heights(layout).entries()) {
    const area = layout[index];
    if (!area) continue;
    const [y, middle] = [round(top), round(top + height / 2 + 4)];
    lines.push(
      `<g><title>${escaped(inWords(area, speak))}</title>` +
        `<rect x="${left}" y="${y}" width="${BAR.width}" height="${round(height)}" fill="${COLOURS[area.kind]}" stroke="#ffffff"/></g>`,
      text(left + BAR.width / 2, middle, labelOf(area, speak), {
        anchor: 'middle',
        colour: area.kind === 'over' ? '#ffffff' : INK,
      }),
      text(left - 6, round(top + 12), address(area.from), { anchor: 'end', colour: FAINT }),
    );
    top += height;
  }
  lines.push(text(left - 6, round(top + 12), address(FLASH_BYTES), { anchor: 'end', colour: FAINT }));
  return lines;
}

/** In proportion to the bytes, but none so small that its label would not fit. */
function heights(layout: FlashLayout): number[] {
  const rest = BAR.height - layout.length * SMALLEST_AREA;
  return layout.map(({ from, to }) => SMALLEST_AREA + (rest * (to - from)) / FLASH_BYTES);
}

function captionOf({ size, target, findings, facts }: Examination, speak: PictureSpeech): string {
  const { limit } = targetFacts(target);
  const refused = findings.find(isRefusal);
  if (!refused) return speak(facts?.kind === 'user' ? 'slot-holds' : 'fits', { size, limit });
  const { code } = refused;
  return size > limit
    ? speak('refused-over', { code, over: size - limit, limit })
    : speak('refused', { code, size, limit });
}

function described(before: FlashLayout, after: FlashLayout, caption: string, speak: PictureSpeech): string {
  const list = (layout: FlashLayout): string => layout.map((area) => inWords(area, speak)).join('; ');
  return speak('described', { before: list(before), after: list(after), caption });
}

function inWords(area: Area, speak: PictureSpeech): string {
  const { from, to } = area;
  return speak('area', { label: labelOf(area, speak), from: address(from), to: address(to), size: to - from });
}

function labelOf({ label }: Area, speak: PictureSpeech): string {
  return isPictureText(label) ? speak(label, {}) : label;
}

function room(target: ImageTarget): number {
  return targetFacts(target).limit;
}

function address(bytes: number): string {
  return `0x${bytes.toString(16).toUpperCase().padStart(5, '0')}`;
}

interface TextLook {
  anchor: 'middle' | 'end';
  colour?: string;
  bold?: boolean;
}

function text(x: number, y: number, words: string, { anchor, colour = INK, bold = false }: TextLook): string {
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}"${weight}>${escaped(words)}</text>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** Labels are the caller's, so they are not trusted to be free of markup, nor of characters that XML does not allow. */
function escaped(words: string): string {
  const allowed = words.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '\ufffd');
  return allowed.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
