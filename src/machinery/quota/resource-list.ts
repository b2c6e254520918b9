import { addQuantities, compareQuantities, parseQuantity, scaledValue, subtractQuantities } from '../quantity.js';
import { formatQuantity } from '../quantity-format.js';

/** Amounts by resource name, as canonical quantity texts: {"requests.cpu": "500m", "pods": "1"}. */
export type ResourceList = Readonly<Record<string, string>>;

const ZERO = parseQuantity('0');

export const compareAmounts = (a: string, b: string): number =>
  a === b ? 0 : compareQuantities(parseQuantity(a), parseQuantity(b));

const sum = (a: string, b: string): string => formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
const isZero = (amount: string): boolean => compareQuantities(parseQuantity(amount), ZERO) === 0;

/** Whole units, rounded up: "1500m" is "2". */
export function roundUp(amount: string): string {
  const quantity = parseQuantity(amount);
  const whole = scaledValue(quantity);
  const rounded = { unscaled: whole, scale: 0, format: quantity.format };
  return compareQuantities(quantity, rounded) === 0 ? amount : formatQuantity(rounded);
}

/** a + b for each name. */
export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const before = out[name];
    out[name] = before === undefined ? amount : sum(before, amount);
  }
  return out;
}

/** The larger of both for each name. */
export function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const before = out[name];
    if (before === undefined || compareAmounts(amount, before) > 0) out[name] = amount;
  }
  return out;
}

/** a - b for each name of either, never below zero. */
export function subtractLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = {};
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const left = subtractQuantities(parseQuantity(a[name] ?? '0'), parseQuantity(b[name] ?? '0'));
    out[name] = compareQuantities(left, ZERO) > 0 ? formatQuantity(left) : '0';
  }
  return out;
}

const filterList = (list: ResourceList, keep: (name: string, amount: string) => boolean): ResourceList =>
  Object.fromEntries(Object.entries(list).filter(([name, amount]) => keep(name, amount)));

export function maskList(list: ResourceList, names: Iterable<string>): ResourceList {
  const wanted = new Set(names);
  return filterList(list, name => wanted.has(name));
}

export const withoutZeros = (list: ResourceList): ResourceList => filterList(list, (_name, amount) => !isZero(amount));

/** Names whose amount is below zero. */
export const negativeNames = (list: ResourceList): string[] =>
  Object.keys(list).filter(name => compareAmounts(list[name] ?? '0', '0') < 0);

/** Names of `list` that have more than `bounds` allow. */
export const exceededNames = (list: ResourceList, bounds: ResourceList): string[] =>
  Object.keys(bounds).filter(name => {
    const amount = list[name];
    return amount !== undefined && compareAmounts(amount, bounds[name] ?? '0') > 0;
  });

/** The same names with the same amounts, however written. */
export function equalLists(a: ResourceList, b: ResourceList): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(name => {
    const other = b[name];
    return other !== undefined && compareAmounts(a[name] ?? '0', other) === 0;
  });
}
