import { jsonTypeName } from '../../machinery/go-json.js';
import * as fieldError from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import { badRequestError, invalidError } from '../../machinery/status.js';
import type { DeleteOptions, Preconditions } from '../../api/strategy.js';
import { queryBoolean } from '../pipeline/request-info.js';
import { parseInt64 } from '../registry/strconv.js';
import { validateDryRun } from './write-options.js';

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;
type Policy = (typeof POLICIES)[number];

interface Unchecked {
  gracePeriodSeconds?: number;
  orphanDependents?: boolean;
  propagationPolicy?: string;
  preconditions?: Preconditions;
  dryRun: string[];
}

function int64(text: string): number {
  try {
    return parseInt64(text);
  } catch (error) {
    throw badRequestError(error instanceof Error ? error.message : String(error));
  }
}

function fromQuery(query: URLSearchParams): Unchecked {
  const grace = query.get('gracePeriodSeconds');
  const orphan = query.get('orphanDependents');
  const policy = query.get('propagationPolicy');
  const uid = query.get('uid') ?? '';
  const resourceVersion = query.get('resourceVersion') ?? '';
  return {
    ...(uid === '' && resourceVersion === ''
      ? {}
      : { preconditions: { ...(uid === '' ? {} : { uid }), ...(resourceVersion === '' ? {} : { resourceVersion }) } }),
    dryRun: query.getAll('dryRun'),
    ...(grace === null ? {} : { gracePeriodSeconds: int64(grace) }),
    ...(orphan === null ? {} : { orphanDependents: queryBoolean(orphan) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
  };
}

function expectType<T>(value: unknown, field: string, goType: string, ok: (v: unknown) => v is T): T {
  if (ok(value)) return value;
  const what = typeof value === 'number' && goType === 'int64' ? `number ${value}` : jsonTypeName(value);
  throw badRequestError(`json: cannot unmarshal ${what} into Go struct field ${field} of type ${goType}`);
}

const isInteger = (v: unknown): v is number => Number.isInteger(v);
const isString = (v: unknown): v is string => typeof v === 'string';
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

/** `body` is the decoded DeleteOptions; unknown fields are ignored, as upstream does. */
function fromBody(body: Record<string, unknown>): Unchecked {
  const options: Unchecked = { dryRun: [] };
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, preconditions, dryRun } = body;
  const at = (name: string): string => `DeleteOptions.${name}`;
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null)
    options.gracePeriodSeconds = expectType(gracePeriodSeconds, at('gracePeriodSeconds'), 'int64', isInteger);
  if (orphanDependents !== undefined && orphanDependents !== null)
    options.orphanDependents = expectType(
      orphanDependents,
      at('orphanDependents'),
      'bool',
      v => typeof v === 'boolean',
    );
  if (propagationPolicy !== undefined && propagationPolicy !== null)
    options.propagationPolicy = expectType(
      propagationPolicy,
      at('propagationPolicy'),
      'v1.DeletionPropagation',
      isString,
    );
  if (preconditions !== undefined && preconditions !== null) {
    const { uid, resourceVersion } = expectType(preconditions, at('preconditions'), 'v1.Preconditions', isObject);
    options.preconditions = {
      ...(uid === undefined || uid === null
        ? {}
        : { uid: expectType(uid, 'Preconditions.preconditions.uid', 'types.UID', isString) }),
      ...(resourceVersion === undefined || resourceVersion === null
        ? {}
        : {
            resourceVersion: expectType(
              resourceVersion,
              'Preconditions.preconditions.resourceVersion',
              'string',
              isString,
            ),
          }),
    };
  }
  const unsafe = body['ignoreStoreReadErrorWithClusterBreakingPotential'];
  // Behind a feature that is off: checked, then forgotten.
  if (unsafe !== undefined && unsafe !== null)
    expectType(unsafe, at('ignoreStoreReadErrorWithClusterBreakingPotential'), 'bool', v => typeof v === 'boolean');
  if (dryRun !== undefined && dryRun !== null) {
    const values = expectType(dryRun, at('dryRun'), '[]string', v => Array.isArray(v));
    options.dryRun = values.map(v => expectType(v, at('dryRun'), 'string', isString));
  }
  return options;
}

/**
 * DeleteOptions from the body when there is one, else from the query, never from both (apiserver handlers.DeleteResource).
 * @throws StatusError 400, 422
 */
export function deleteOptions(query: URLSearchParams, body: Record<string, unknown> | undefined): DeleteOptions {
  const options = body === undefined ? fromQuery(query) : fromBody(body);
  const errors: FieldError[] = [];
  const policy = options.propagationPolicy;
  if (options.orphanDependents !== undefined && policy !== undefined)
    errors.push(
      fieldError.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    );
  if (policy !== undefined && !POLICIES.includes(policy as Policy))
    errors.push(fieldError.notSupported('propagationPolicy', policy, [...POLICIES, 'nil']));
  for (const one of validateDryRun(options.dryRun)) errors.push(one);
  if (errors.length > 0) throw invalidError({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const { dryRun, propagationPolicy, ...rest } = options;
  return {
    ...rest,
    dryRun: dryRun.length > 0,
    ...(propagationPolicy === undefined ? {} : { propagationPolicy: propagationPolicy as Policy }),
  };
}
