import type { Comparison, Expression } from './syntax.js';

/** What jq cannot do with a value. */
class JqError extends Error {
  override readonly name = 'JqError';
}

/** So many values are looked at, whatever an expression says. */
const MAX_STEPS = 50_000;

/** All values that an expression gives for one; undefined: jq would fail, or not come to an end soon. */
export function runJq(expression: Expression, value: unknown): unknown[] | undefined {
  try {
    return new Run().results(expression, value ?? null);
  } catch (error) {
    if (error instanceof JqError) return undefined;
    throw error;
  }
}

const isTrue = (value: unknown): boolean => value !== false && value !== null;
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const describe = (value: unknown): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

class Run {
  private steps = 0;

  results(expression: Expression, value: unknown): unknown[] {
    this.step();
    switch (expression.kind) {
      case 'identity':
        return [value];
      case 'literal':
        return [expression.value];
      case 'field':
        return this.results(expression.of, value).map(of => fieldOf(of, expression.name));
      case 'each':
        return this.results(expression.of, value).flatMap(of => this.itemsOf(of));
      case 'try':
        return this.attempt(expression.of, value);
      case 'call':
        return this.call(expression, value);
      case 'binary':
        return this.binary(expression, value);
    }
  }

  private step(count = 1): void {
    this.steps += count;
    if (this.steps > MAX_STEPS) throw new JqError('too many steps');
  }

  private attempt(of: Expression, value: unknown): unknown[] {
    try {
      return this.results(of, value);
    } catch (error) {
      if (error instanceof JqError && this.steps <= MAX_STEPS) return [];
      throw error;
    }
  }

  private itemsOf(value: unknown): unknown[] {
    const items = Array.isArray(value) ? (value as unknown[]) : isMap(value) ? Object.values(value) : undefined;
    if (items === undefined) throw new JqError(`cannot iterate over ${describe(value)}`);
    this.step(items.length);
    return items;
  }

  private binary({ operator, left, right }: Expression & { kind: 'binary' }, value: unknown): unknown[] {
    switch (operator) {
      case '|':
        return this.results(left, value).flatMap(each => this.results(right, each));
      case ',':
        return [...this.results(left, value), ...this.results(right, value)];
      case '//': {
        const found = this.attempt(left, value).filter(isTrue);
        return found.length > 0 ? found : this.results(right, value);
      }
      case 'and':
        return this.results(left, value).flatMap(each =>
          isTrue(each) ? this.results(right, value).map(isTrue) : [false],
        );
      case 'or':
        return this.results(left, value).flatMap(each =>
          isTrue(each) ? [true] : this.results(right, value).map(isTrue),
        );
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.results(right, value).flatMap(b =>
          this.results(left, value).map(a => this.compare(operator, a, b)),
        );
    }
  }

  private call({ name, args: [argument] }: Expression & { kind: 'call' }, value: unknown): unknown[] {
    const each = (of: unknown): unknown[] => (argument === undefined ? [] : this.results(argument, of));
    switch (name) {
      case 'select':
        return each(value)
          .filter(isTrue)
          .map(() => value);
      case 'map':
        return [this.itemsOf(value).flatMap(each)];
      case 'any':
        return [this.itemsOf(value).some(item => each(item).some(isTrue))];
      case 'all':
        return [this.itemsOf(value).every(item => each(item).every(isTrue))];
      case 'has':
        return each(value).map(key => hasKey(value, key));
      case 'startswith':
        return each(value).map(start => textOf(value).startsWith(textOf(start)));
      case 'endswith':
        return each(value).map(end => textOf(value).endsWith(textOf(end)));
      case 'not':
        return [!isTrue(value)];
      case 'length':
        return [lengthOf(value)];
      case 'keys':
        if (Array.isArray(value)) return [value.map((_, i) => i)];
        if (!isMap(value)) throw new JqError(`${describe(value)} has no keys`);
        return [Object.keys(value).sort()];
      case 'empty':
        return [];
      case 'tostring':
        return [typeof value === 'string' ? value : JSON.stringify(value)];
      case 'tonumber':
        return [numberOf(value)];
    }
  }

  /** Values of the same type by their order; of different ones, only whether they are the same. */
  private compare(operator: Comparison, a: unknown, b: unknown): boolean {
    if (operator === '==' || operator === '!=') return this.areEqual(a, b) === (operator === '==');
    if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string'))
      throw new JqError(`cannot compare ${describe(a)} with ${describe(b)}`);
    const [x, y] = [a, b as string | number];
    switch (operator) {
      case '<':
        return x < y;
      case '<=':
        return x <= y;
      case '>':
        return x > y;
      case '>=':
        return x >= y;
    }
  }

  private areEqual(a: unknown, b: unknown): boolean {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
    const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
    this.step(x.length + y.length);
    return x === y;
  }
}

function fieldOf(value: unknown, name: string | number): unknown {
  if (value === null || value === undefined) return null;
  if (typeof name === 'string' && isMap(value)) return Object.hasOwn(value, name) ? (value[name] ?? null) : null;
  if (typeof name === 'number' && Array.isArray(value)) return (value as unknown[])[Math.floor(name)] ?? null;
  throw new JqError(`cannot index ${describe(value)} with ${JSON.stringify(name)}`);
}

function hasKey(value: unknown, key: unknown): boolean {
  if (isMap(value) && typeof key === 'string') return Object.hasOwn(value, key);
  if (Array.isArray(value) && typeof key === 'number') return key >= 0 && key < value.length;
  throw new JqError(`cannot look for a key in ${describe(value)}`);
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new JqError(`${describe(value)} is no text`);
  return value;
}

function numberOf(value: unknown): number {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  if (Number.isNaN(number)) throw new JqError(`${describe(value)} is no number`);
  return number;
}

function lengthOf(value: unknown): number {
  if (value === null) return 0;
  if (typeof value === 'string') return [...value].length;
  if (typeof value === 'number') return Math.abs(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new JqError(`${describe(value)} has no length`);
}
