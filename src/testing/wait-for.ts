import type { ResourceClient } from '../client/types.js';
import { realClock } from '../machinery/clock.js';
import { JsonPathError, parseJsonPath } from '../machinery/json-path.js';
import { isStatusError } from '../machinery/status.js';
import { WaitError } from './errors.js';
import type { ApiObject, WaitCondition } from './types.js';

interface Wanted {
  readonly text: string;
  holds(object: ApiObject | undefined): boolean | Promise<boolean>;
}

const conditionsOf = (object: ApiObject | undefined): readonly { type?: string; status?: string }[] => {
  const { conditions } = (object?.['status'] ?? {}) as { conditions?: unknown };
  return Array.isArray(conditions) ? (conditions as { type?: string; status?: string }[]) : [];
};

/** As kubectl wait reads --for. @throws RangeError */
export function wantedOf(condition: WaitCondition): Wanted {
  if (typeof condition === 'function') return { text: condition.name || 'a function', holds: condition };
  if (condition === 'delete') return { text: 'its deletion', holds: object => object === undefined };
  if (condition === 'create') return { text: 'its creation', holds: object => object !== undefined };
  if (condition.startsWith('jsonpath=')) return jsonPathOf(condition);
  const [type = '', status = 'true'] = condition.replace(/^condition=/, '').split('=', 2);
  if (!/^[\w./-]+$/.test(type)) throw new RangeError(`${JSON.stringify(condition)} is no condition`);
  return {
    text: `condition ${type}${status === 'true' ? '' : ` to be ${status}`}`,
    holds: object =>
      // What an object's own controller has not seen yet says nothing of its newest state.
      isObserved(object) &&
      conditionsOf(object).some(
        found =>
          found.type?.toLowerCase() === type.toLowerCase() && found.status?.toLowerCase() === status.toLowerCase(),
      ),
  };
}

function isObserved(object: ApiObject | undefined): boolean {
  const { observedGeneration } = (object?.['status'] ?? {}) as { observedGeneration?: unknown };
  const generation = object?.metadata?.generation;
  return typeof observedGeneration !== 'number' || generation === undefined || observedGeneration >= generation;
}

/** "jsonpath={.status.phase}=Running", or without "=value". @throws RangeError */
function jsonPathOf(text: string): Wanted {
  const expression = text.slice('jsonpath='.length).replace(/^'(.*)'$/, '$1');
  const end = expression.startsWith('{') ? expression.indexOf('}') : -1;
  const [path, rest] =
    end < 0
      ? [expression.split('=', 1)[0] ?? '', expression.includes('=') ? expression.slice(expression.indexOf('=')) : '']
      : [expression.slice(1, end), expression.slice(end + 1)];
  if (rest !== '' && !rest.startsWith('=')) throw new RangeError(`${JSON.stringify(text)}: want =value after the path`);
  const value = rest === '' ? undefined : rest.slice(1).replace(/^(["'])(.*)\1$/, '$2');
  try {
    const find = parseJsonPath(path);
    return {
      text: `${path}${value === undefined ? '' : ` to be ${value}`}`,
      holds(object) {
        const [found] = (object === undefined ? undefined : find(object)) ?? [];
        if (found === undefined) return false;
        return value === undefined || (typeof found === 'string' ? found : JSON.stringify(found)) === value;
      },
    };
  } catch (error) {
    if (error instanceof JsonPathError) throw new RangeError(`${JSON.stringify(text)}: ${error.message}`);
    throw error;
  }
}

export interface Waiting {
  readonly resource: Pick<ResourceClient, 'get' | 'ref'>;
  readonly namespace: string;
  readonly name: string;
  readonly condition: WaitCondition;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 20;

/** Asks again and again, in real time: whoever waits has none but that. @throws WaitError, or the signal's reason */
export async function waitForObject(options: Waiting): Promise<ApiObject | undefined> {
  const { resource, namespace, name, timeoutMs, signal } = options;
  const wanted = wantedOf(options.condition);
  const until = realClock.monotonic() + timeoutMs;
  for (;;) {
    const object = await current(resource, namespace, name);
    if (await wanted.holds(object)) return object;
    if (signal?.aborted === true) throw signal.reason;
    if (realClock.monotonic() >= until) throw new WaitError(failure(options, wanted, object), object);
    await realClock.sleep(POLL_MS, signal);
  }
}

async function current(
  resource: Pick<ResourceClient, 'get'>,
  namespace: string,
  name: string,
): Promise<ApiObject | undefined> {
  try {
    return await resource.get({ namespace, name });
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** For people who look at a failed test: what the object says of itself, or all of it where it says nothing. */
function failure({ resource, namespace, name, timeoutMs }: Waiting, { text }: Wanted, last?: ApiObject): string {
  const what = `${resource.ref.resource}/${name}${resource.ref.namespaced ? ` in namespace ${namespace}` : ''}`;
  const first = `${what}: waited ${timeoutMs} ms for ${text}`;
  if (last === undefined) return `${first}; there is no such object`;
  const { status, metadata: { managedFields: _managedFields, ...metadata } = {} } = last as {
    status?: unknown;
    metadata?: Record<string, unknown>;
  };
  const shown = status === undefined ? { ...last, metadata } : { metadata, status };
  return `${first}; it was last\n${JSON.stringify(shown, undefined, 2)}`;
}
