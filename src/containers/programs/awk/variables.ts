import { AwkError } from './syntax.js';
import { AwkArray, toNumber, type Value } from './values.js';
import { cutRecord, MAX_FIELDS } from './current-record.js';
import { then, type Maybe } from './maybe.js';
import { LARGE, newArray, type Awk } from './state.js';

/** Where a name is kept: with the parameters of the function it is in, or globally. */
export function scopeOf(awk: Awk, name: string): Map<string, Value | AwkArray> {
  const frame = awk.frames.at(-1);
  return frame?.has(name) === true ? frame : awk.globals;
}

export function getVariable(awk: Awk, name: string): Maybe<Value> {
  if (name === 'NF') return then(cutRecord(awk), () => awk.globals.get('NF') as Value);
  const value = scopeOf(awk, name).get(name);
  if (!(value instanceof AwkArray)) return value;
  if (value.used) throw new AwkError(`${name} is an array`);
  return undefined;
}

export function setVariable(awk: Awk, name: string, value: Value): void {
  const scope = scopeOf(awk, name);
  const old = scope.get(name);
  if (old instanceof AwkArray && old.used) throw new AwkError(`${name} is an array`);
  const bytes = (v: unknown): number => (typeof v === 'string' && v.length >= LARGE ? v.length : 0);
  const change = bytes(value) - bytes(old);
  if (change > 0) awk.process.memory.add(change);
  else if (change < 0) awk.process.memory.remove(-change);
  if (name === 'NF') {
    const count = Math.min(MAX_FIELDS, Math.max(0, Math.trunc(toNumber(value))));
    void cutRecord(awk);
    while (awk.fields.length < count) awk.fields.push('');
    awk.fields.length = count;
    awk.state = 'changed';
  }
  scope.set(name, value);
}

export function arrayOf(awk: Awk, name: string): AwkArray {
  const scope = scopeOf(awk, name);
  const value = scope.get(name);
  if (value instanceof AwkArray) {
    value.used = true;
    return value;
  }
  if (value !== undefined) throw new AwkError(`${name} is no array`);
  const made = newArray(awk);
  made.used = true;
  scope.set(name, made);
  return made;
}
