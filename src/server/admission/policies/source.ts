import { compareText } from '../../../machinery/compare-text.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { Objects } from '../../../api/strategy.js';
import {
  compileBinding,
  compilePolicy,
  type Binding,
  type CompiledBinding,
  type CompiledPolicy,
  type Policy,
} from './compile.js';

/** A policy with what binds it to requests; one that nothing binds judges nothing. */
export interface BoundPolicy {
  readonly policy: CompiledPolicy;
  readonly bindings: readonly CompiledBinding[];
}

export type PolicySource = (objects: Objects) => readonly BoundPolicy[];

/** What is made of an object, once. */
function remembered<T>(make: (object: DeepReadonly<KubeObject>) => T): (object: DeepReadonly<KubeObject>) => T {
  const known = new WeakMap<object, T>();
  return object => {
    const found = known.get(object);
    if (found !== undefined) return found;
    const made = make(object);
    known.set(object, made);
    return made;
  };
}

const byName = (objects: Iterable<DeepReadonly<KubeObject>>): DeepReadonly<KubeObject>[] =>
  [...objects].sort((a, b) => compareText(a.metadata.name ?? '', b.metadata.name ?? ''));

const POLICIES = 'validatingadmissionpolicies.admissionregistration.k8s.io';
const BINDINGS = 'validatingadmissionpolicybindings.admissionregistration.k8s.io';

/** From the watch cache; put together again when either of them has changed. By name, where upstream has no order. */
export function createPolicySource(): PolicySource {
  const compiledPolicy = remembered(policy => compilePolicy(policy as DeepReadonly<Policy>));
  const compiledBinding = remembered(binding => compileBinding(binding as DeepReadonly<Binding>));
  let generations: readonly (number | undefined)[] = [];
  let bound: readonly BoundPolicy[] = [];
  return objects => {
    const now = [objects.generation?.(POLICIES), objects.generation?.(BINDINGS)];
    if (now.includes(undefined) || now.some((generation, i) => generation !== generations[i])) {
      const bindings = new Map<string, CompiledBinding[]>();
      for (const binding of byName(objects.list(BINDINGS)).map(compiledBinding)) {
        const others = bindings.get(binding.policy);
        if (others === undefined) bindings.set(binding.policy, [binding]);
        else others.push(binding);
      }
      bound = byName(objects.list(POLICIES)).flatMap(policy => {
        const own = bindings.get(policy.metadata.name ?? '');
        return own === undefined ? [] : [{ policy: compiledPolicy(policy), bindings: own }];
      });
      generations = now;
    }
    return bound;
  };
}
