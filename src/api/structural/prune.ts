import { isDue, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import { memberSchema, type Structural } from './structural-schema.js';
import { isMap } from './walk.js';

/** Source: apiextensions-apiserver pkg/apiserver/schema/pruning/algorithm.go. */

const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

interface Pruning {
  readonly pace: Pace;
  /** The way here, as texts that are joined. */
  readonly path: string[];
  readonly unknown: string[];
}

/**
 * Removes what the schema does not know. Mutates.
 * @returns the paths of what was removed, in the order in which upstream lists them
 */
export function* prune(object: object, schema: Structural, pace: Pace): Steps<string[]> {
  const pruning: Pruning = { pace, path: [], unknown: [] };
  // The root is an object of the API, whether its schema says so or not.
  yield* visit(object, schema.embedded ? schema : { ...schema, embedded: true }, schema.preservesUnknown, pruning);
  return pruning.unknown.sort();
}

/** As prune, of a value that is no object of the API by itself. Mutates. */
export const pruneValue = (value: unknown, schema: Structural, pace: Pace): Steps<void> =>
  visit(value, schema, schema.preservesUnknown, { pace, path: [], unknown: [] });

/** `keeps`: members without a schema stay. */
function* visit(value: unknown, schema: Structural | undefined, keeps: boolean, pruning: Pruning): Steps<void> {
  if (Array.isArray(value)) {
    if (keeps && schema?.items === undefined) return;
    for (const [i, item] of value.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      if (isDue(pruning.pace)) yield;
      pruning.path.push(`[${i}]`);
      // Items of a list that keeps everything keep everything, too.
      yield* visit(item, schema?.items, keeps || schema?.items?.preservesUnknown === true, pruning);
      pruning.path.pop();
    }
  } else if (isMap(value)) yield* visitMap(value, schema, keeps, pruning);
}

function* visitMap(
  map: Record<string, unknown>,
  schema: Structural | undefined,
  keeps: boolean,
  pruning: Pruning,
): Steps<void> {
  for (const key of Object.keys(map)) {
    if (schema?.embedded === true && META_FIELDS.has(key)) continue;
    const member = schema === undefined ? undefined : memberSchema(schema, key);
    if (member === undefined) {
      if (keeps) continue;
      pruning.unknown.push(at(pruning, key));
      delete map[key];
      continue;
    }
    const value = map[key];
    if (typeof value !== 'object' || value === null) continue;
    if (isDue(pruning.pace)) yield;
    pruning.path.push(pruning.path.length === 0 ? key : `.${key}`);
    const inner = member === 'anything' ? undefined : member;
    yield* visit(value, inner, inner?.preservesUnknown === true, pruning);
    pruning.path.pop();
  }
}

const at = ({ path }: Pruning, key: string): string => `${path.join('')}${path.length === 0 ? '' : '.'}${key}`;
