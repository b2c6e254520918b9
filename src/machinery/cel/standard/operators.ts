import type { Declaration } from '../declarations.js';
import { BOOL, param } from '../types.js';
import { ARITHMETIC } from './arithmetic.js';
import { INDEXING } from './indexing.js';
import { BY_EVALUATOR, example, overload } from './overload.js';
import { EQUALITY, ORDER } from './relations.js';

const A = param('A');

const LOGIC: readonly Declaration[] = [
  {
    name: '_?_:_',
    doc: 'One of two, by a condition.',
    examples: [example('1 < 2 ? 3 : 4', '3'), example('true ? 1 : 1 / 0', '1')],
    overloads: [overload('conditional', [BOOL, A, A], A, BY_EVALUATOR)],
  },
  {
    name: '_&&_',
    doc: 'Whether both hold. A failure of one does not matter when the other is false.',
    examples: [example('1 / 0 > 1 && false', 'false')],
    overloads: [overload('logical_and', [BOOL, BOOL], BOOL, BY_EVALUATOR)],
  },
  {
    name: '_||_',
    doc: 'Whether either holds. A failure of one does not matter when the other is true.',
    examples: [example('1 / 0 > 1 || true', 'true')],
    overloads: [overload('logical_or', [BOOL, BOOL], BOOL, BY_EVALUATOR)],
  },
  {
    name: '!_',
    doc: 'Not.',
    examples: [example('!true', 'false')],
    overloads: [overload('logical_not', [BOOL], BOOL, (a: boolean) => !a)],
  },
  {
    name: '@not_strictly_false',
    doc: 'Whether a loop goes on: true, or a failure.',
    examples: [],
    overloads: [overload('not_strictly_false', [BOOL], BOOL, BY_EVALUATOR)],
  },
];

export const OPERATORS: readonly Declaration[] = [...LOGIC, ...EQUALITY, ...ARITHMETIC, ...ORDER, ...INDEXING];
