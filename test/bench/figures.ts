/** Numbers as the table and the JSON show them. */

/** One figure of a row: the median and the worst of its repetitions, and the same of its partner in the same run. */
export interface Figure {
  readonly unit: string;
  readonly ours: readonly number[];
  readonly partner?: readonly number[];
  /** As the table shows them. */
  readonly digits?: number;
  /** The smallest of them is the worst. */
  readonly isBetterHigh?: boolean;
}

export interface Row {
  readonly name: string;
  readonly partner: string;
  readonly figures: Readonly<Record<string, Figure>>;
}

/** @param fraction 0 to 1 */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** A Markdown table; median first, the worst in brackets. */
export function table(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ name, partner, figures }) =>
    Object.entries(figures).map(([what, figure]) => {
      const ratio = figure.partner ? (median(figure.ours) / median(figure.partner)).toFixed(2) : '';
      return `| ${name} | ${what} | ${shown(figure, figure.ours)} | ${shown(figure, figure.partner)} | ${ratio} | ${partner} |`;
    }),
  );
  return ['| row | figure | ours | partner | ratio | the partner |', '|---|---|---|---|---|---|', ...lines].join('\n');
}

/** The median, and the worst in brackets. */
export function shown({ unit, digits = 0, isBetterHigh }: Figure, values: readonly number[] | undefined): string {
  if (!values || values.length === 0) return '';
  const worst = isBetterHigh ? Math.min(...values) : Math.max(...values);
  return `${median(values).toFixed(digits)} (${worst.toFixed(digits)}) ${unit}`.trim();
}
