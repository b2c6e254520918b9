import { jsonEqual, ownMember } from '../../machinery/json-equal.js';
import type { Structural } from './structural-schema.js';
import { isMap } from './walk.js';

/**
 * A value and the one it replaces, as far as the schema says which belongs to which: an unchanged part of an object may
 * stay as invalid as it is. Source: apiserver pkg/cel/common/equality.go.
 */
export class Correlation {
  private readonly children = new Map<string | number, Correlation | undefined>();
  private byKeys: Map<string, unknown> | undefined;
  private equal: boolean | undefined;

  constructor(
    readonly value: unknown,
    readonly old: unknown,
    private readonly schema: Structural | undefined,
    readonly isRoot = false,
  ) {}

  /** undefined: there is no old value for it. */
  key(name: string): Correlation | undefined {
    if (this.children.has(name)) return this.children.get(name);
    const { value, old } = this;
    let child: Correlation | undefined;
    if (isMap(value) && isMap(old) && Object.hasOwn(value, name) && Object.hasOwn(old, name)) {
      const schema = this.schema?.properties.get(name) ?? this.schema?.additional;
      if (schema !== undefined && schema !== 'anything') child = new Correlation(value[name], old[name], schema);
    }
    this.children.set(name, child);
    return child;
  }

  /** Only items of lists with keys are known again. */
  index(i: number): Correlation | undefined {
    if (this.children.has(i)) return this.children.get(i);
    const { value, old, schema } = this;
    let child: Correlation | undefined;
    if (Array.isArray(value) && Array.isArray(old) && schema?.listType === 'map' && schema.items !== undefined) {
      const before: unknown = this.oldItems(old, schema).get(keysOf(value[i], schema));
      if (before !== undefined && before !== null) child = new Correlation(value[i], before, schema.items);
    }
    this.children.set(i, child);
    return child;
  }

  private oldItems(old: readonly unknown[], schema: Structural): Map<string, unknown> {
    if (this.byKeys !== undefined) return this.byKeys;
    this.byKeys = new Map();
    for (const item of old) {
      const keys = keysOf(item, schema);
      if (!this.byKeys.has(keys)) this.byKeys.set(keys, item);
    }
    return this.byKeys;
  }

  /** Whether nothing has changed that can be compared; what the schema does not know makes a difference. */
  isEqual(): boolean {
    return (this.equal ??= this.compare());
  }

  private compare(): boolean {
    const { value, old } = this;
    if (Array.isArray(value) && Array.isArray(old)) {
      if (value.length !== old.length) return false;
      if (this.schema?.listType !== 'map') return jsonEqual(value, old);
      return value.every((_, i) => this.index(i)?.isEqual() === true);
    }
    if (isMap(value) && isMap(old)) {
      const names = Object.keys(value);
      return names.length === Object.keys(old).length && names.every(name => this.key(name)?.isEqual() === true);
    }
    return value === old;
  }
}

const keysOf = (item: unknown, schema: Structural): string =>
  JSON.stringify(isMap(item) ? schema.listMapKeys.map(key => ownMember(item, key)) : item);
