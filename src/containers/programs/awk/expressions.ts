import { AwkError, type Expression } from './syntax.js';
import { compareValues, isTrue, toNumber, type Value } from './values.js';
import { callBuiltin } from './builtins.js';
import { callFunction } from './calls.js';
import { getRecord } from './current-record.js';
import { getline } from './getline.js';
import { then, type Maybe } from './maybe.js';
import { convertOf, pay, regexOf, textOf, type Awk } from './state.js';
import { keyOf, patternOf, readTarget, writeTarget } from './targets.js';
import { arrayOf } from './variables.js';

export function evaluate(awk: Awk, node: Expression): Maybe<Value> {
  switch (node.kind) {
    case 'number':
    case 'string':
      return node.value;
    case 'regex':
      return then(regexOf(awk, node.source).test(getRecord(awk)), found => (found ? 1 : 0));
    case 'variable':
    case 'element':
    case 'field':
      return readTarget(awk, node);
    case 'group': {
      const [only] = node.items;
      if (node.items.length === 1 && only !== undefined) return evaluate(awk, only);
      return keyOf(awk, node.items);
    }
    case 'assign':
      return assign(awk, node);
    case 'conditional':
      return then(evaluate(awk, node.test), test => evaluate(awk, isTrue(test) ? node.yes : node.no));
    case 'and':
      return then(evaluate(awk, node.left), left =>
        isTrue(left) ? then(evaluate(awk, node.right), right => (isTrue(right) ? 1 : 0)) : 0,
      );
    case 'or':
      return then(evaluate(awk, node.left), left =>
        isTrue(left) ? 1 : then(evaluate(awk, node.right), right => (isTrue(right) ? 1 : 0)),
      );
    case 'in':
      return then(keyOf(awk, node.key), key => (arrayOf(awk, node.array).has(key) ? 1 : 0));
    case 'match':
      return then(evaluate(awk, node.text), text =>
        then(patternOf(awk, node.pattern), regex =>
          then(regex.test(textOf(awk, text)), found => (found !== node.negated ? 1 : 0)),
        ),
      );
    case 'binary':
      return then(evaluate(awk, node.left), left =>
        then(evaluate(awk, node.right), right => binary(awk, node.op, left, right)),
      );
    case 'unary':
      return then(evaluate(awk, node.value), value =>
        node.op === '!' ? (isTrue(value) ? 0 : 1) : node.op === '-' ? -toNumber(value) : toNumber(value),
      );
    case 'step':
      return then(readTarget(awk, node.target), value => {
        const old = toNumber(value);
        return then(writeTarget(awk, node.target, old + node.by), () => (node.before ? old + node.by : old));
      });
    case 'call':
      return node.own ? callFunction(awk, node.name, node.args) : callBuiltin(awk, node.name, node.args);
    case 'getline':
      return getline(awk, node);
  }
}

function assign(awk: Awk, { op, target, value }: Extract<Expression, { kind: 'assign' }>): Maybe<Value> {
  return then(evaluate(awk, value), given => {
    if (op === '=') return writeTarget(awk, target, given);
    return then(readTarget(awk, target), old => writeTarget(awk, target, binary(awk, op.slice(0, -1), old, given)));
  });
}

function binary(awk: Awk, op: string, left: Value, right: Value): Value {
  switch (op) {
    case ' ': {
      const [a, b] = [textOf(awk, left), textOf(awk, right)];
      pay(awk, a.length + b.length);
      return a + b;
    }
    case '+':
      return toNumber(left) + toNumber(right);
    case '-':
      return toNumber(left) - toNumber(right);
    case '*':
      return toNumber(left) * toNumber(right);
    case '/':
    case '%': {
      const divisor = toNumber(right);
      if (divisor === 0) throw new AwkError('division by zero');
      return op === '/' ? toNumber(left) / divisor : toNumber(left) % divisor;
    }
    case '^':
      return toNumber(left) ** toNumber(right);
    case '<':
      return compareValues(left, right, convertOf(awk)) < 0 ? 1 : 0;
    case '<=':
      return compareValues(left, right, convertOf(awk)) <= 0 ? 1 : 0;
    case '>':
      return compareValues(left, right, convertOf(awk)) > 0 ? 1 : 0;
    case '>=':
      return compareValues(left, right, convertOf(awk)) >= 0 ? 1 : 0;
    case '==':
      return compareValues(left, right, convertOf(awk)) === 0 ? 1 : 0;
    default:
      return compareValues(left, right, convertOf(awk)) !== 0 ? 1 : 0;
  }
}
