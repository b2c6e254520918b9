import type { Account } from '../../machine/memory.js';
import { formatText } from '../format.js';

/** Text from outside that looks like a number: it compares as one. */
export class NumericText {
  constructor(
    readonly text: string,
    readonly number: number,
  ) {}
}

/** Undefined: never assigned, which is "" and 0. */
export type Value = number | string | NumericText | undefined;

const LOOKS_NUMERIC = /^[ \t\n]*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[ \t\n]*$/;
const LEADING_NUMBER = /^[ \t\n]*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)/;
/** Longer digits are no number that anybody computes with. */
const MAX_NUMERIC = 256;

/** A field, a line or an argument. */
export const fromOutside = (text: string): Value =>
  text.length > 0 && text.length < MAX_NUMERIC && LOOKS_NUMERIC.test(text) ? new NumericText(text, Number(text)) : text;

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (value === undefined) return 0;
  if (value instanceof NumericText) return value.number;
  const digits = LEADING_NUMBER.exec(value.length > MAX_NUMERIC ? value.slice(0, MAX_NUMERIC) : value)?.[1];
  return digits === undefined ? 0 : Number(digits);
}

export function numberText(value: number, format: string): string {
  if (Number.isInteger(value)) return Math.abs(value) < 1e16 ? String(value) : BigInt(value).toString();
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (format === '%.6g') {
    const short = Number(value.toPrecision(6));
    const magnitude = Math.abs(short);
    if (magnitude >= 1e-4 && magnitude < 1e6) return String(short);
  }
  return formatText(format, { string: () => '', number: () => value, integer: () => BigInt(Math.trunc(value)) }, false)
    .text;
}

export function toText(value: Value, format: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  return typeof value === 'number' ? numberText(value, format) : value.text;
}

export function isTrue(value: Value): boolean {
  if (value === undefined) return false;
  if (typeof value === 'number') return value !== 0;
  return typeof value === 'string' ? value !== '' : value.number !== 0;
}

/** Negative, zero or positive: as numbers where both are, else as text. */
export function compareValues(a: Value, b: Value, format: string): number {
  if (typeof a !== 'string' && typeof b !== 'string') return toNumber(a) - toNumber(b);
  const [left, right] = [toText(a, format), toText(b, format)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const ENTRY_BYTES = 64;

/** An array, which counts as the process's memory. */
export class AwkArray {
  private readonly entries = new Map<string, Value>();
  /** Whether it has been used as an array at all. */
  used = false;

  constructor(private readonly account: Account) {}

  private weigh(key: string, value: Value): number {
    return (
      ENTRY_BYTES +
      key.length +
      (typeof value === 'string' ? value.length : value instanceof NumericText ? value.text.length : 0)
    );
  }
  get size(): number {
    return this.entries.size;
  }
  has(key: string): boolean {
    this.used = true;
    return this.entries.has(key);
  }
  get(key: string): Value {
    this.used = true;
    const value = this.entries.get(key);
    // To look at an element makes it.
    if (value === undefined && !this.entries.has(key)) this.set(key, undefined);
    return value;
  }
  set(key: string, value: Value): void {
    this.used = true;
    const old = this.entries.has(key) ? this.weigh(key, this.entries.get(key)) : 0;
    this.account.add(this.weigh(key, value) - old);
    this.entries.set(key, value);
  }
  delete(key: string): void {
    if (!this.entries.has(key)) return;
    this.account.remove(this.weigh(key, this.entries.get(key)));
    this.entries.delete(key);
  }
  clear(): void {
    for (const key of [...this.entries.keys()]) this.delete(key);
  }
  keys(): string[] {
    this.used = true;
    return [...this.entries.keys()];
  }
}
