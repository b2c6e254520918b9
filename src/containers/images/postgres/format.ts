import type { ResultSet } from './client.js';

export interface Format {
  readonly tuplesOnly: boolean;
  readonly aligned: boolean;
  readonly separator: string;
}

const centred = (text: string, width: number): string => {
  const before = Math.floor((width - text.length) / 2);
  return `${' '.repeat(before)}${text}${' '.repeat(width - text.length - before)}`;
};

/** A result as psql prints it. */
export function formatSet({ columns, rows }: ResultSet, { tuplesOnly, aligned, separator }: Format): string {
  const cells = rows.map(row => row.map(value => value ?? ''));
  const count = `(${rows.length} row${rows.length === 1 ? '' : 's'})\n`;
  const names = columns.map(column => column.name);
  if (!aligned) {
    const lines = [...(tuplesOnly ? [] : [names]), ...cells].map(line => `${line.join(separator)}\n`).join('');
    return tuplesOnly ? lines : `${lines}${count}`;
  }
  const widths = columns.map(({ name }, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), tuplesOnly ? 0 : name.length),
  );
  const line = (row: readonly string[]): string => {
    const padded = row.map((text, i) => {
      const width = widths[i] ?? 0;
      if (columns[i]?.numeric === true) return text.padStart(width);
      // The last column ends where its text does.
      return i === row.length - 1 ? text : text.padEnd(width);
    });
    return ` ${padded.join(' | ')}\n`;
  };
  const body = cells.map(line).join('');
  if (tuplesOnly) return `${body}\n`;
  const head = ` ${names.map((name, i) => centred(name, widths[i] ?? 0)).join(' | ')} \n`;
  const rule = `${widths.map(width => '-'.repeat(width + 2)).join('+')}\n`;
  return `${head}${rule}${body}${count}\n`;
}
