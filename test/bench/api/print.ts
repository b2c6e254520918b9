import type { Unit } from './scenario.js';
import type { Measured, Result } from './suite.js';

/** From this part of a core on, who made the load may be what limited. */
const BUSY = 0.9;

const number = (value: number): string =>
  Number.isNaN(value)
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0, useGrouping: true });

const withUnit = (value: number, unit: Unit): string => `${number(value)}${unit === '' ? '' : ` ${unit}`}`;

/** `*` says that the driver had most of a core. */
function valueOf(result: Result | undefined, unit: Unit): string {
  if (result === undefined) return '–';
  return `${withUnit(result.value, unit)}${(result.driver ?? 0) >= BUSY ? '*' : ''}`;
}

/** CPU time of the server for one request, delivery, list. */
function cpuOf(result: Result | undefined): string {
  if (result?.cpuMs === undefined) return '';
  return result.cpuMs < 1 ? `${(result.cpuMs * 1000).toFixed(0)} µs` : `${number(result.cpuMs)} ms`;
}

/** How many times better the first is. */
function ratioOf(ours: Result | undefined, theirs: Result | undefined, unit: Unit): string {
  if (ours === undefined || theirs === undefined || ours.value === 0 || theirs.value === 0) return '';
  const ratio = unit === 'per s' ? ours.value / theirs.value : theirs.value / ours.value;
  return Number.isNaN(ratio) ? '' : `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`;
}

const lagsOf = ({ lags }: Measured): string =>
  Object.values(lags)
    .map(({ p99, max }) => `${number(p99)} / ${number(max)} ms`)
    .join(', ');

/** A row per figure; of several targets the first is compared with the others. */
export function asTable(measured: readonly Measured[], names: readonly string[]): string[][] {
  const [first = '', ...others] = names;
  const head = ['what', ...names.flatMap(name => [name, 'its CPU each']), ...others.map(() => 'ratio')];
  const body = measured.map((one, i) => [
    one.row.what,
    ...names.flatMap(name => [valueOf(one.results[name], one.row.unit), cpuOf(one.results[name])]),
    ...others.map(other => ratioOf(one.results[first], one.results[other], one.row.unit)),
    one.row.reach === undefined ? '' : withUnit(one.row.reach, one.row.unit),
    // Once for each scenario.
    measured[i - 1]?.scenario === one.scenario ? '' : lagsOf(one),
  ]);
  return [[...head, 'to reach', 'event loop late, p99 / max'], ...body];
}

export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(cells => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map(cells => `${line(cells)}\n`).join('');
}

/** The same for a page. */
export function asMarkdown([head = [], ...body]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.trim()).join(' | ')} |\n`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|\n`, ...body.map(line)].join('');
}
