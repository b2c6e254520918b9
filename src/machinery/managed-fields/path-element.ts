import { isDue, type Pace } from '../pace.js';
import { sortSteps } from '../sort-steps.js';
import type { Steps } from '../steps.js';
import { escapeHtmlInJson, formatGo, quote } from '../go-text.js';

/**
 * Path elements in their FieldsV1 form: "f:name" a field or map key, "k:{...}" a list item by its keys, "v:..." a set
 * item by its value, "i:0" an index. They are used as they are, as keys of field sets.
 * Source: structured-merge-diff fieldpath/element.go and serialize-pe.go.
 */

/** JSON of a scalar as Go's encoder writes it, with < > & escaped. */
function scalarJson(value: unknown): string {
  if (typeof value === 'string' && /^[\w .:/@-]*$/.test(value)) return `"${value}"`;
  return escapeHtmlInJson(JSON.stringify(value ?? null));
}

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${scalarJson(value)}`;

/** `keys` must be sorted by name. */
export function keyElement(keys: readonly (readonly [name: string, value: unknown])[]): string {
  const first = keys[0];
  if (keys.length === 1 && first !== undefined) return `k:{"${first[0]}":${scalarJson(first[1])}}`;
  return `k:{${keys.map(([name, value]) => `${JSON.stringify(name)}:${scalarJson(value)}`).join(',')}}`;
}

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;

const parseKeys = (element: string): [string, unknown][] =>
  Object.entries(JSON.parse(element.slice(2)) as Record<string, unknown>).sort(byName);

/**
 * The same element in canonical form; undefined when it is not a path element.
 * Needed for what clients send only: they may write keys in any order and with blanks.
 */
export function canonicalElement(element: string): string | undefined {
  try {
    switch (element.slice(0, 2)) {
      case 'f:':
        return element;
      case 'k:':
        return keyElement(parseKeys(element));
      case 'v:':
        return valueElement(JSON.parse(element.slice(2)));
      case 'i:':
        return /^i:[+-]?[0-9]+$/.test(element) ? `i:${Number(element.slice(2))}` : undefined;
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** value.ToString: strings quoted, the rest as %v. */
const formatScalar = (value: unknown): string =>
  typeof value === 'string' ? quote(value) : value === null ? 'null' : formatGo(value);

/** As in conflicts and schema errors: ".name", `[name="a",port=80]`, `[="x"]`, "[0]". */
export function formatElement(element: string): string {
  switch (element[0]) {
    case 'k':
      return `[${parseKeys(element)
        .map(([name, value]) => `${name}=${formatScalar(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${formatScalar(JSON.parse(element.slice(2)))}]`;
    case 'i':
      return `[${element.slice(2)}]`;
    default:
      return `.${element.slice(2)}`;
  }
}

const rankOfValue = (value: unknown): number =>
  ['number', 'string', 'boolean'].includes(typeof value)
    ? ['number', 'string', 'boolean'].indexOf(typeof value)
    : value === null
      ? 5
      : Array.isArray(value)
        ? 3
        : 4;

function compareScalars(a: unknown, b: unknown): number {
  const ranks = rankOfValue(a) - rankOfValue(b);
  if (ranks !== 0 || a === b) return ranks;
  return (a as string) < (b as string) ? -1 : 1;
}

type Keys = readonly (readonly [name: string, value: unknown])[];

function compareKeys(a: Keys, b: Keys): number {
  for (let i = 0; ; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) return a.length - b.length;
    const order = byName(left, right) || compareScalars(left[1], right[1]);
    if (order !== 0) return order;
  }
}

/** An element that is not a field, parsed once for all its comparisons. */
interface Item {
  readonly element: string;
  readonly rank: number;
  readonly keys: Keys;
}

const ORDER = 'kvi';

function parseItem(element: string): Item {
  const kind = element.charAt(0);
  const keys: Keys = kind === 'k' ? parseKeys(element) : [['', JSON.parse(element.slice(2))]];
  return { element, rank: ORDER.indexOf(kind), keys };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareItems = (a: Item, b: Item): number =>
  a.rank - b.rank || compareKeys(a.keys, b.keys) || compareText(a.element, b.element);

/** An item known by one key, whose text has the order of its value: it has nothing at or below a quotation mark. */
const PLAIN_KEY = /^k:\{"[A-Za-z]+":"[#-[\]-~]*"\}$/;

/** Whether elements are in order already, seen without parsing them; false for those that need it. */
export function areInOrder(elements: readonly string[]): boolean {
  const fields = elements[0]?.startsWith('f:') === true;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i] ?? '';
    if (fields ? !element.startsWith('f:') : !PLAIN_KEY.test(element)) return false;
    if (i > 0 && element < (elements[i - 1] ?? '')) return false;
  }
  return true;
}

/** Sorts in place, as upstream writes and lists elements: fields, keys, values, indexes; numbers as numbers. */
export function sortElements(elements: string[]): string[] {
  elements.sort();
  if (elements.every(element => element.startsWith('f:'))) return elements;
  const fields = elements.filter(element => element.startsWith('f:'));
  const items = elements.filter(element => !element.startsWith('f:'));
  if (fields.length === 0 && items.every(element => PLAIN_KEY.test(element))) return elements;
  const sorted = items.map(parseItem).sort(compareItems);
  [...fields, ...sorted.map(item => item.element)].forEach((element, i) => (elements[i] = element));
  return elements;
}

/** So many are sorted at once. */
const FEW = 1000;

/** The same with rests, where there are many. */
export function* sortElementsSteps(elements: string[], pace: Pace): Steps<string[]> {
  if (elements.length <= FEW) return sortElements(elements);
  const fields: string[] = [];
  const plain: string[] = [];
  const items: Item[] = [];
  for (const element of elements) {
    if (isDue(pace)) yield;
    if (element.startsWith('f:')) fields.push(element);
    else if (items.length === 0 && PLAIN_KEY.test(element)) plain.push(element);
    else items.push(parseItem(element));
  }
  const sorted = yield* sortSteps(fields, compareText, pace);
  if (items.length === 0) {
    for (const element of yield* sortSteps(plain, compareText, pace)) sorted.push(element);
    return sorted;
  }
  for (const element of plain) {
    if (isDue(pace)) yield;
    items.push(parseItem(element));
  }
  for (const { element } of yield* sortSteps(items, compareItems, pace)) sorted.push(element);
  return sorted;
}
