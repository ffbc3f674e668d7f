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
import { targetFacts, type ImageTarget } from './targets';

export interface FlashPictureOptions {
  /** Stock firmware unless told. */
  readonly before?: FlashLayout;
  /** What the image leaves behind at its target unless given; without an image, the room that a new firmware has. */
  readonly after?: FlashLayout;
  /** Drawn into its place, with what does not fit, and told in a line below. */
  readonly image?: Examination;
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
export function flashPicture({ before = STOCK_LAYOUT, after, image }: FlashPictureOptions = {}): string {
  const layout =
    after ?? (image ? layoutAfter(image.target, image.size) : layoutAfter('finalstage', room('finalstage')));
  const caption = image ? captionOf(image) : `${room('finalstage')} bytes are there for the new firmware.`;
  const ok = !image || image.verdict !== 'refuse';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>The flash before and after</title>`,
    `<desc>${escaped(described(before, layout, caption))}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="6" fill="#ffffff"/>`,
    ...bar('Before', before, BAR.left[0]),
    ...bar('After', layout, BAR.left[1]),
    text(WIDTH / 2, HEIGHT - LINE, caption, { anchor: 'middle', colour: ok ? INK : COLOURS.over }),
    '</svg>',
    '',
  ].join('\n');
}

function bar(heading: string, layout: FlashLayout, left: number): string[] {
  const lines = [text(left + BAR.width / 2, BAR.top - LINE, heading, { anchor: 'middle', bold: true })];
  let top: number = BAR.top;
  for (const [index, height] of heights(layout).entries()) {
    const area = layout[index];
    if (!area) continue;
    const [y, middle] = [round(top), round(top + height / 2 + 4)];
    lines.push(
      `<g><title>${escaped(inWords(area))}</title>` +
        `<rect x="${left}" y="${y}" width="${BAR.width}" height="${round(height)}" fill="${COLOURS[area.kind]}" stroke="#ffffff"/></g>`,
      text(left + BAR.width / 2, middle, area.label, {
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

function captionOf({ size, target, findings, facts }: Examination): string {
  const { limit } = targetFacts(target);
  const share = size > limit ? `${size - limit} bytes more than the ${limit} that fit` : `${size} of ${limit} bytes`;
  const refused = findings.find(isRefusal);
  if (refused) return `Refused (${refused.code}): ${share}.`;
  return `${facts?.kind === 'user' ? 'The slot holds it' : 'It fits'}: ${share}.`;
}

function described(before: FlashLayout, after: FlashLayout, caption: string): string {
  const list = (layout: FlashLayout): string => layout.map(inWords).join('; ');
  return `Before: ${list(before)}. After: ${list(after)}. ${caption}`;
}

function inWords({ from, to, label }: Area): string {
  return `${label}, ${address(from)} to ${address(to)}, ${to - from} bytes`;
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
