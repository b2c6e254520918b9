import type * as k8s from '@kubernetes/client-node';
import { compareText } from '../../../machinery/compare-text.js';
import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import type { DeepReadonly, KubeObject, Wire } from '../../../machinery/types.js';
import type { Objects } from '../../../api/strategy.js';
import type { Criteria } from '../matching/match.js';
import type { CompileConditions, Conditions } from './conditions.js';

type HookSpec = DeepReadonly<Wire<k8s.V1MutatingWebhook>>;

/** A webhook of a configuration, ready to be asked. */
export interface Hook {
  readonly name: string;
  readonly configuration: string;
  /** Of all webhooks of its kind, also where names repeat. */
  readonly uid: string;
  readonly spec: HookSpec;
  readonly criteria: Criteria;
  readonly conditions: Conditions | undefined;
  readonly ignoresFailures: boolean;
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly HookSpec[];
}

function compileConfiguration(configuration: DeepReadonly<Configuration>, compile: CompileConditions): Hook[] {
  const { name: own = '' } = configuration.metadata;
  const seen = new Map<string, number>();
  return (configuration.webhooks ?? []).map(spec => {
    const { name, matchConditions = [] } = spec;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return {
      name,
      configuration: own,
      uid: `${own}/${name}/${count}`,
      spec,
      criteria: {
        rules: spec.rules ?? [],
        matchPolicy: spec.matchPolicy === 'Exact' ? 'Exact' : 'Equivalent',
        namespaceSelector: labelSelectorAsSelector(spec.namespaceSelector),
        objectSelector: labelSelectorAsSelector(spec.objectSelector),
      },
      conditions: matchConditions.length === 0 ? undefined : compile(matchConditions),
      ignoresFailures: spec.failurePolicy === 'Ignore',
    };
  });
}

/** All webhooks of a resource of configurations: by the configuration's name, then as they stand in it. */
export type HookSource = (objects: Objects) => readonly Hook[];

/** Compiled once per change of a configuration; asked for by each request. */
export function createHookSource(resource: string, compile: CompileConditions): HookSource {
  let generation: number | undefined;
  let hooks: readonly Hook[] = [];
  const known = new WeakMap<object, readonly Hook[]>();
  const compiled = (configuration: DeepReadonly<KubeObject>): readonly Hook[] => {
    let own = known.get(configuration);
    if (own === undefined) known.set(configuration, (own = compileConfiguration(configuration, compile)));
    return own;
  };
  return objects => {
    const now = objects.generation?.(resource);
    if (now === undefined || now !== generation) {
      const all = [...objects.list(resource)];
      all.sort((a, b) => compareText(a.metadata.name ?? '', b.metadata.name ?? ''));
      hooks = all.flatMap(compiled);
      generation = now;
    }
    return hooks;
  };
}
