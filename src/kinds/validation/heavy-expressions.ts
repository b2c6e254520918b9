import type { Heavy } from '../../api/strategy.js';

/** Eight thousand characters of an expression may take 30 ms until it is known whether it is one, and what it costs. */
const NODES = 1000;
const CHARACTERS_OF_EXPRESSIONS = 8;

/**
 * Expressions are compiled to see whether they are any: long ones take longer than others can wait. `names`: of the members
 * that they stand in. `characters`: of any other text.
 */
export const heavyExpressions = (names: readonly string[], characters?: number): Heavy => ({
  nodes: NODES,
  ...(characters === undefined ? {} : { characters }),
  texts: new Map(names.map(name => [name, CHARACTERS_OF_EXPRESSIONS])),
});
