import { JqSyntaxError, parseJq, type Expression } from '../../../machinery/jq/syntax.js';
import { fieldsAt, isFields, textAt, type BehaviourDocument, type FieldPath, type Fields } from '../documents.js';
import type { From, Requirement, Stage } from './types.js';
import { readNext, readSteps } from './read-steps.js';

export const STAGE_API_VERSION = 'kwok.x-k8s.io/v1alpha1';
export const STAGE_KIND = 'Stage';

/** The next Stage is looked for at once in any case, whatever "immediateNextStage" says. */
const SPEC = ['resourceRef', 'selector', 'weight', 'weightFrom', 'delay', 'next', 'steps', 'immediateNextStage'];
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
const DELAY = ['durationMilliseconds', 'durationFrom', 'jitterDurationMilliseconds', 'jitterDurationFrom'];

/**
 * Reads a Stage as kwok has it. One without a selector is about nothing: undefined.
 * @throws BehaviourFileError naming what is not supported
 */
export function readStage(document: BehaviourDocument): Stage | undefined {
  const object = fieldsAt(document, document.value, [], ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const metadata = isFields(object['metadata']) ? object['metadata'] : {};
  const name = textAt(document, metadata['name'], ['metadata', 'name']);
  const at = ['spec'];
  const spec = fieldsAt(document, object['spec'], at, SPEC);
  const kind = kindOf(document, spec);
  if (spec['selector'] === undefined) return undefined;
  const selector = fieldsAt(
    document,
    spec['selector'],
    [...at, 'selector'],
    ['matchLabels', 'matchAnnotations', 'matchExpressions'],
  );
  const delay = fieldsAt(document, spec['delay'] ?? {}, [...at, 'delay'], DELAY);
  const hasSteps = spec['steps'] !== undefined;
  if (hasSteps && spec['next'] !== undefined)
    document.refuse([...at, 'next'], 'next and steps say the same: want one of them');
  return {
    name,
    kind,
    labels: textsAt(document, selector['matchLabels'], [...at, 'selector', 'matchLabels']),
    annotations: textsAt(document, selector['matchAnnotations'], [...at, 'selector', 'matchAnnotations']),
    requirements: requirementsAt(document, selector['matchExpressions'], [...at, 'selector', 'matchExpressions']),
    weight: from(document, spec, ['weight', 'weightFrom'], at),
    ...delayOf(document, delay, [...at, 'delay']),
    steps: hasSteps
      ? readSteps(document, spec['steps'], [...at, 'steps'])
      : readNext(document, spec['next'], [...at, 'next']),
  };
}

function delayOf(document: BehaviourDocument, delay: Fields, at: FieldPath): Pick<Stage, 'delay' | 'jitter'> {
  const both = (value: string, source: string): From<number> | undefined =>
    delay[value] === undefined && delay[source] === undefined ? undefined : from(document, delay, [value, source], at);
  return {
    delay: both('durationMilliseconds', 'durationFrom'),
    jitter: both('jitterDurationMilliseconds', 'jitterDurationFrom'),
  };
}

function kindOf(document: BehaviourDocument, spec: Fields): Stage['kind'] {
  const at = ['spec', 'resourceRef'];
  const { apiGroup = 'v1', kind } = fieldsAt(document, spec['resourceRef'], at, ['apiGroup', 'kind']);
  if ((kind !== 'Pod' && kind !== 'Node') || (apiGroup !== 'v1' && apiGroup !== ''))
    return document.refuse(
      [...at, 'kind'],
      `Stages of Pods and Nodes (v1) are supported, not of ${JSON.stringify(kind)}`,
    );
  return kind;
}

function textsAt(document: BehaviourDocument, given: unknown, at: FieldPath): Record<string, string> {
  if (given === undefined) return {};
  if (!isFields(given)) return document.refuse(at, 'want a map of texts');
  const pairs = Object.entries(given).map(([key, value]) => [key, textAt(document, value, [...at, key])]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function requirementsAt(document: BehaviourDocument, given: unknown, at: FieldPath): Requirement[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return document.refuse(at, 'want a list');
  return given.map((item: unknown, i) => {
    // Newer versions have the same under "jq".
    const nested = isFields(item) && isFields(item['jq']) ? ['jq'] : [];
    const place = [...at, i, ...nested];
    if (nested.length > 0) fieldsAt(document, item, [...at, i], ['jq']);
    const value = nested.length > 0 && isFields(item) ? item['jq'] : item;
    const { key, operator, values = [] } = fieldsAt(document, value, place, ['key', 'operator', 'values']);
    const known = OPERATORS.find(each => each === operator);
    if (known === undefined) return document.refuse([...place, 'operator'], `want one of ${OPERATORS.join(', ')}`);
    if (!Array.isArray(values)) return document.refuse([...place, 'values'], 'want a list of texts');
    const texts = values.map((text: unknown, n) => textAt(document, text, [...place, 'values', n]));
    if (texts.length > 0 !== (known === 'In' || known === 'NotIn'))
      document.refuse([...place, 'values'], `${known} wants ${texts.length > 0 ? 'no values' : 'values'}`);
    return { key: expressionAt(document, key, [...place, 'key']), operator: known, values: texts };
  });
}

/** A number, or an expression that gives one. */
function from(
  document: BehaviourDocument,
  given: Fields,
  [name, source]: [string, string],
  at: FieldPath,
): From<number> {
  const value = given[name];
  if (value !== undefined && (typeof value !== 'number' || !Number.isInteger(value) || value < 0))
    return document.refuse([...at, name], `want a whole number, not ${JSON.stringify(value)}`);
  if (given[source] === undefined) return { value, expression: undefined };
  const place = [...at, source];
  const { expressionFrom, jq } = fieldsAt(document, given[source], place, ['expressionFrom', 'jq']);
  if (expressionFrom !== undefined)
    return { value, expression: expressionAt(document, expressionFrom, [...place, 'expressionFrom']) };
  const { expression } = fieldsAt(document, jq, [...place, 'jq'], ['expression']);
  return { value, expression: expressionAt(document, expression, [...place, 'jq', 'expression']) };
}

/** @throws BehaviourFileError saying what of jq's language is not supported */
function expressionAt(document: BehaviourDocument, given: unknown, at: FieldPath): Expression {
  try {
    return parseJq(textAt(document, given, at));
  } catch (error) {
    if (error instanceof JqSyntaxError) return document.refuse(at, error.message);
    throw error;
  }
}
