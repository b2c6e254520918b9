import type { Regex } from '../../../machinery/regex/regex.js';
import type { Expression, LValue } from './syntax.js';
import { toNumber, type Value } from './values.js';
import { getField, setField } from './current-record.js';
import { then, type Maybe } from './maybe.js';
import { regexOf, textOf, type Awk } from './state.js';
import { arrayOf, getVariable, setVariable } from './variables.js';

/** The subscripts of an element, joined. */
export function keyOf(awk: Awk, parts: readonly Expression[]): Maybe<string> {
  const [first, ...rest] = parts;
  if (first === undefined) return '';
  const one = then(awk.evaluate(first), value => textOf(awk, value));
  if (rest.length === 0) return one;
  return then(one, head =>
    then(keyOf(awk, rest), tail => head + textOf(awk, awk.globals.get('SUBSEP') as Value) + tail),
  );
}

export function readTarget(awk: Awk, target: LValue): Maybe<Value> {
  switch (target.kind) {
    case 'variable':
      return getVariable(awk, target.name);
    case 'element':
      return then(keyOf(awk, target.key), key => arrayOf(awk, target.array).get(key));
    case 'field':
      return then(awk.evaluate(target.index), index => getField(awk, toNumber(index)));
  }
}

export function writeTarget(awk: Awk, target: LValue, value: Value): Maybe<Value> {
  switch (target.kind) {
    case 'variable':
      setVariable(awk, target.name, value);
      return value;
    case 'element':
      return then(keyOf(awk, target.key), key => {
        arrayOf(awk, target.array).set(key, value);
        return value;
      });
    case 'field':
      return then(awk.evaluate(target.index), index => then(setField(awk, toNumber(index), value), () => value));
  }
}

/** A pattern that is given as an expression: /this/, or any text. */
export function patternOf(awk: Awk, given: Expression): Maybe<Regex> {
  if (given.kind === 'regex') return regexOf(awk, given.source);
  return then(awk.evaluate(given), value => regexOf(awk, textOf(awk, value)));
}
