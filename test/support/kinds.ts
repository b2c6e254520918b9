import { formatFieldError } from '../../src/machinery/field-error.js';
import { cloneJson } from '../../src/machinery/json-equal.js';
import type { DeepReadonly, KubeObject, ObjectKey } from '../../src/machinery/types.js';
import { createStrategies } from '../../src/kinds/index.js';
import type { Objects, RequestContext, Strategy, ValidationContext } from '../../src/api/strategy.js';

/** Counts down from what was asked, so that tests know what "random" is: always the first choice. */
const random = (): number => 0;

export const strategies = createStrategies({
  serviceCidrs: ['10.96.0.0/16'],
  nodePortRange: { first: 30000, last: 32767 },
  random,
  uuid: () => '00000000-0000-4000-8000-000000000000',
  authorize: ({ verb }) => ({ decision: verb === 'get' ? 'allow' : 'noOpinion', reason: '' }),
  rulesFor: () => ({ rules: [], incomplete: false }),
  authenticateToken: () => Promise.resolve({ error: 'unknown token' }),
  issueToken: () => Promise.resolve({ token: 'token', expiresMs: 0 }),
  apiAudiences: ['https://kubernetes.default.svc.cluster.local'],
});

export function strategyOf(resource: string): Strategy {
  const strategy = strategies[resource];
  if (strategy === undefined) throw new Error(`no strategy of ${resource}`);
  return strategy;
}

/** What validators get that ask for no Namespace. */
const UNNAMED: ValidationContext = { namespace: () => undefined };

export const NOW = Date.parse('2026-01-01T00:10:00Z');

/** A request context over objects by "resource/namespace/name". */
export function context(objects: Readonly<Record<string, KubeObject>> = {}, warnings: string[] = []): RequestContext {
  const idOf = (resource: string, { namespace, name }: ObjectKey): string => `${resource}/${namespace}/${name}`;
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const store: Objects = {
    get: (resource, key) => objects[idOf(resource, key)],
    list: resource =>
      Object.entries(objects)
        .filter(([id]) => id.startsWith(`${resource}/`))
        .map(([, object]) => object),
    create: unused,
    update: unused,
    delete: unused,
    info: () => undefined,
  };
  return {
    user: { name: 'someone', groups: [] },
    clock: { now: () => NOW, monotonic: () => NOW, after: unused, sleep: () => Promise.resolve() },
    options: { dryRun: false, fieldManager: 'test', fieldValidation: 'Strict' },
    objects: store,
    signal: new AbortController().signal,
    warn: text => void warnings.push(text),
  };
}

export function defaulted<T extends KubeObject>(resource: string, object: T): T {
  const copy: T = cloneJson<T>(object);
  strategyOf(resource).default?.(copy);
  return copy;
}

export function created(resource: string, object: KubeObject): KubeObject {
  const copy = defaulted(resource, object);
  strategyOf(resource).prepareForCreate?.(context(), copy);
  return copy;
}

/** What creating the object is refused with: "path: message". */
export function createErrors(resource: string, object: KubeObject): string[] {
  return (strategyOf(resource).validate?.(UNNAMED, created(resource, object)) ?? []).map(formatFieldError);
}

/** What changing `old`, which is created first, into `object` is refused with. */
export function updateErrors(resource: string, old: KubeObject, change: (object: KubeObject) => void): string[] {
  const strategy = strategyOf(resource);
  const before = created(resource, old);
  const after = cloneJson<KubeObject>(before);
  change(after);
  strategy.default?.(after);
  strategy.prepareForUpdate?.(context(), after, before);
  return (strategy.validateUpdate?.(UNNAMED, after, before) ?? []).map(formatFieldError);
}

/** What a write of a status (or another part) is refused with. */
export function partErrors(resource: string, name: string, object: KubeObject, old = object): string[] {
  const part = strategyOf(resource).subresources?.[name];
  if (part?.kind !== 'part') throw new Error(`${resource}/${name} is no part`);
  return (part.validateUpdate?.(UNNAMED, object, old) ?? []).map(formatFieldError);
}

export const cellsOf = (resource: string, object: DeepReadonly<KubeObject>): readonly unknown[] =>
  strategyOf(resource).cells?.(object, NOW).cells ?? [];
