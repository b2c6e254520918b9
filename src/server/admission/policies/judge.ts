import { trimSpace } from '../../../machinery/go-space.js';
import { printType } from '../../../machinery/cel/types.js';
import { runtimeType } from '../../../machinery/cel/runtime-types.js';
import type { Activation } from '../../../machinery/cel/compile.js';
import type { Steps } from '../../../machinery/steps.js';
import { BUDGET, CONDITIONS_BUDGET, evaluateAll, OutOfBudget, type Evaluated } from '../expressions/evaluate.js';
import { conditionOf } from '../expressions/match-conditions.js';
import { aggregate } from '../webhooks/conditions.js';
import type { CompiledAnnotation, CompiledPolicy, CompiledValidation } from './compile.js';

/** What could not be evaluated. */
export interface Failure {
  readonly message: string;
  readonly elapsedMs: number;
}

/** What one validation says; nothing when it holds. */
export interface Denial extends Failure {
  /** Which of the policy's validations. */
  readonly index: number;
  /** Absent where it could not be evaluated. */
  readonly reason?: string;
}

export interface Judgement {
  readonly denials: readonly Denial[];
  /** For the request's audit event. */
  readonly annotations: readonly (readonly [key: string, value: string])[];
  /** Annotations that could not be evaluated, which deny the request. */
  readonly failures: readonly Failure[];
  /** What could not be evaluated either, but denies nothing. */
  readonly ignored: readonly Failure[];
}

/** Values of variables, as validations, match conditions and messages see them. */
export interface Activations {
  readonly validation: Activation;
  readonly condition: Activation;
  /** Without an authorizer. */
  readonly message: Activation;
}

const NOTHING: Judgement = { denials: [], annotations: [], failures: [], ignored: [] };

/** Of what could not be evaluated as a whole. */
const failed = ({ ignoresFailures }: CompiledPolicy, message: string): Judgement =>
  ignoresFailures
    ? { ...NOTHING, ignored: [{ message, elapsedMs: 0 }] }
    : { ...NOTHING, denials: [{ index: 0, message, elapsedMs: 0 }] };

/** undefined: they hold. */
function* conditions(policy: CompiledPolicy, activation: Activation): Steps<Judgement | undefined> {
  if (policy.conditions.length === 0) return undefined;
  let results: readonly (boolean | Error)[];
  try {
    const evaluated = yield* evaluateAll(policy.conditions, activation, policy.variables, CONDITIONS_BUDGET);
    results = evaluated.results.map(conditionOf);
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    results = [error];
  }
  if (results.includes(false)) return NOTHING;
  const errors = results.filter((result): result is Error => result instanceof Error);
  return errors.length === 0 ? undefined : failed(policy, aggregate(errors));
}

const MAX_MESSAGE_BYTES = 5 * 1024;

/** Of a message that an expression made: one line, and not too long. */
function madeMessage(made: Evaluated | undefined): string {
  if (made === undefined || 'error' in made || typeof made.value !== 'string') return '';
  const text = trimSpace(made.value);
  return text.includes('\n') || Buffer.byteLength(text) > MAX_MESSAGE_BYTES ? '' : text;
}

const messageOf = ({ message, source }: CompiledValidation, made: Evaluated | undefined): string =>
  madeMessage(made) || trimSpace(message) || `failed expression: ${trimSpace(source)}`;

type Found = Pick<Judgement, 'denials' | 'ignored'>;

function* validations(policy: CompiledPolicy, activations: Activations, now: () => number): Steps<Found> {
  const { validations: all, variables, ignoresFailures } = policy;
  const expressions = all.map(({ expression }) => expression);
  const evaluated = yield* evaluateAll(expressions, activations.validation, variables, BUDGET, now);
  const { results, budget } = evaluated;
  let messages: readonly (Evaluated | undefined)[] = [];
  let broken: string | undefined;
  try {
    const made = all.map(({ messageExpression }) => messageExpression);
    ({ results: messages } = yield* evaluateAll(made, activations.message, variables, budget));
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    broken = `failed messageExpression: ${error.message}`;
  }
  const denials: Denial[] = [];
  const ignored: Failure[] = [];
  all.forEach((validation, index) => {
    const result = results[index];
    if (result === undefined) return;
    const elapsedMs = evaluated.elapsedMs[index] ?? 0;
    const error = 'error' in result ? result.error : broken;
    if (error !== undefined) {
      if (ignoresFailures) ignored.push({ message: error, elapsedMs });
      else denials.push({ index, message: error, elapsedMs });
    } else if (!('value' in result) || result.value !== true) {
      const message = messageOf(validation, messages[index]);
      denials.push({ index, message, reason: validation.reason ?? 'Invalid', elapsedMs });
    }
  });
  return { denials, ignored };
}

type Noted = { readonly value?: string; readonly failure?: string };

function annotationOf({ source }: CompiledAnnotation, result: Evaluated | undefined, ignoresFailures: boolean): Noted {
  if (result === undefined) return {};
  if ('error' in result) return ignoresFailures ? {} : { failure: result.error };
  const { value } = result;
  if (typeof value === 'string') return trimSpace(value) === '' ? {} : { value: trimSpace(value) };
  if (value === null) return {};
  const got = printType(runtimeType(value));
  const failure = `valueExpression '${source}' resulted in unsupported return type: ${got}. Return type must be either string or null.`;
  return { failure };
}

/**
 * What a policy says to a request with one parameter. Source: apiserver plugin/policy/validating/validator.go.
 * @param now milliseconds of a clock: what was not fulfilled is told with how long it took
 */
export function* judge(policy: CompiledPolicy, activations: Activations, now: () => number): Steps<Judgement> {
  const unmet = yield* conditions(policy, activations.condition);
  if (unmet !== undefined) return unmet;
  try {
    const found = yield* validations(policy, activations, now);
    const expressions = policy.annotations.map(({ expression }) => expression);
    const evaluated = yield* evaluateAll(expressions, activations.message, policy.variables, BUDGET, now);
    const noted = policy.annotations.map((annotation, i) => ({
      key: annotation.key,
      elapsedMs: evaluated.elapsedMs[i] ?? 0,
      ...annotationOf(annotation, evaluated.results[i], policy.ignoresFailures),
    }));
    return {
      ...found,
      annotations: noted.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as const])),
      failures: noted.flatMap(({ failure, elapsedMs }) =>
        failure === undefined ? [] : [{ message: failure, elapsedMs }],
      ),
    };
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(policy, error.message);
    throw error;
  }
}
