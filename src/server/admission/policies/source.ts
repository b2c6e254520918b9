import { compareText } from '../../../machinery/compare-text.js';
import { inTurns } from '../../../machinery/steps.js';
import type { Turns } from '../../../machinery/turns.js';
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

export type PolicySource = (objects: Objects) => readonly BoundPolicy[] | Promise<readonly BoundPolicy[]>;

/** What is made of an object, once, and while it is being made for whoever else asks. */
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
export function createPolicySource(turns: Turns): PolicySource {
  const compiledPolicy = remembered(policy => inTurns(compilePolicy(policy as DeepReadonly<Policy>), turns));
  const compiledBinding = remembered(binding => compileBinding(binding as DeepReadonly<Binding>));
  let generations: readonly (number | undefined)[] = [];
  let bound: readonly BoundPolicy[] = [];

  const compiled = async (policies: readonly DeepReadonly<KubeObject>[], now: typeof generations, own: Bindings) => {
    const made: BoundPolicy[] = [];
    for (const policy of policies) {
      const bindings = own.get(policy.metadata.name ?? '');
      if (bindings !== undefined) made.push({ policy: await compiledPolicy(policy), bindings });
    }
    // Whoever asked earlier may be done later: then the next one finds that these are old, and looks again.
    [generations, bound] = [now, made];
    return made;
  };
  return objects => {
    const now = [objects.generation?.(POLICIES), objects.generation?.(BINDINGS)];
    if (!now.includes(undefined) && now.every((generation, i) => generation === generations[i])) return bound;
    const bindings = new Map<string, CompiledBinding[]>();
    for (const binding of byName(objects.list(BINDINGS)).map(compiledBinding)) {
      const others = bindings.get(binding.policy);
      if (others === undefined) bindings.set(binding.policy, [binding]);
      else others.push(binding);
    }
    return compiled(byName(objects.list(POLICIES)), now, bindings);
  };
}

type Bindings = ReadonlyMap<string, readonly CompiledBinding[]>;
