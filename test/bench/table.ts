/** One line of the table that `make bench` prints. */
export interface Row {
  readonly what: string;
  readonly value: string;
  readonly goal?: string;
}

export function printTable(rows: readonly Row[]): void {
  const width = (pick: (row: Row) => string): number => Math.max(...rows.map(row => pick(row).length));
  const [a, b] = [width(r => r.what), width(r => r.value)];
  for (const { what, value, goal = '' } of rows)
    process.stdout.write(`${what.padEnd(a)}  ${value.padStart(b)}  ${goal}\n`);
}

export const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((x, y) => x - y)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? NaN;

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
