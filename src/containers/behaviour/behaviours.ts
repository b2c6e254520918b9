import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { quoted, readAnnotations, type Said } from './annotations.js';
import type { BehaviourFile } from './file.js';
import { matchesRule, type Rule } from './rules.js';
import { inAnnotation, unsupported, type Behaviour } from './settings.js';

/** What containers are told to do, by their Pods and by the cluster's file. */
export interface Behaviours {
  /** What one container is told, at this moment. */
  of(pod: DeepReadonly<Pod>, container: string): Behaviour;
  /** What a Pod is told and cannot follow, each in words for its user. */
  problems(pod: DeepReadonly<Pod>): readonly string[];
}

const PROBES = ['readiness', 'liveness', 'startup'] as const;

interface Known {
  readonly said: Said;
  readonly ofContainers: Map<string, Behaviour>;
}

/**
 * Annotations beat rules, and those of a container those of its Pod; of rules the first one that says something of a
 * setting counts. What a Pod says is read once.
 */
export function createBehaviours({ rules }: Pick<BehaviourFile, 'rules'>): Behaviours {
  const known = new WeakMap<DeepReadonly<Pod>, Known>();
  const knownOf = (pod: DeepReadonly<Pod>): Known => {
    const found = known.get(pod) ?? { said: readAnnotations(pod), ofContainers: new Map<string, Behaviour>() };
    known.set(pod, found);
    return found;
  };
  const of = (pod: DeepReadonly<Pod>, name: string): Behaviour => {
    const { said, ofContainers } = knownOf(pod);
    const found = ofContainers.get(name) ?? together(rules, said, pod, name);
    ofContainers.set(name, found);
    return found;
  };
  return {
    of,
    problems(pod) {
      const { said } = knownOf(pod);
      return [...said.problems, ...containersOf(pod).flatMap(spec => withoutEffect(spec, of(pod, spec.name)))];
    },
  };
}

function together(rules: readonly Rule[], said: Said, pod: DeepReadonly<Pod>, name: string): Behaviour {
  const spec = containersOf(pod).find(container => container.name === name);
  if (spec === undefined) return {};
  const isMain = pod.spec?.containers.includes(spec) === true;
  const matching = rules.filter(({ match }) => matchesRule(match, { pod, spec, isMain })).reverse();
  return {
    ...matching.reduce<Behaviour>((all, { behaviour }) => ({ ...all, ...behaviour }), {}),
    ...(isMain ? said.ofAll : {}),
    ...said.ofOne.get(name),
  };
}

function withoutEffect(spec: DeepReadonly<Container>, behaviour: Behaviour): string[] {
  const told = `container ${quoted(spec.name)} is told`;
  return [
    ...unsupported(behaviour).map(
      ({ name, needs }) =>
        `${told} ${inAnnotation(name)}, which means nothing without ${needs.map(inAnnotation).join(' or ')}`,
    ),
    ...PROBES.flatMap(kind =>
      behaviour[kind] === undefined || spec[`${kind}Probe`] !== undefined
        ? []
        : [`${told} ${kind}, and has no ${kind}Probe`],
    ),
  ];
}

const containersOf = ({ spec }: DeepReadonly<Pod>): readonly DeepReadonly<Container>[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];
