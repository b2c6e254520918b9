import type { ProxyMode } from '../dataplane/proxiers/modes.js';
import { nearest } from '../machinery/nearest.js';
import { parseQuantity } from '../machinery/quantity.js';
import { isDns1123Subdomain, isLabelValue, isQualifiedName } from '../machinery/validation/names.js';

/** What somebody wants a node to be like. What is not said is as with every node. */
export interface NodeDescription {
  /** A DNS name. Default: "node-" and its number. */
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly taints?: readonly NodeTaint[] | undefined;
  /** As label topology.kubernetes.io/zone. */
  readonly zone?: string | undefined;
  /** As label topology.kubernetes.io/region. */
  readonly region?: string | undefined;
  /** Quantities: cpu, memory, pods, ephemeral-storage, and what else there is: { cpu: '8', 'example.com/gpu': '2' }. */
  readonly capacity?: Readonly<Record<string, string>> | undefined;
  /** How it programs Services. Default: dealt to the nodes in turn. */
  readonly proxyMode?: ProxyMode | undefined;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: TaintEffect;
}

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof TAINT_EFFECTS)[number];
export const isTaintEffect = (text: string): text is TaintEffect => (TAINT_EFFECTS as readonly string[]).includes(text);

/** What every node has; others have a name with a domain. */
const NATIVE = ['cpu', 'memory', 'pods', 'ephemeral-storage', 'hugepages-1Gi', 'hugepages-2Mi'];
/** Of these there are whole pieces only. */
const isWhole = (resource: string): boolean => resource === 'pods' || resource.includes('/');

const MAX_PODS = 1_000;
export const DEFAULT_PODS = 110;

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';

/** What is wrong with it: a line each, with where it is and what is allowed. */
export function nodeProblems(node: NodeDescription, path: string): string[] {
  const { name, labels = {}, taints = [], zone, region, capacity = {} } = node;
  const told = (where: string, value: string, problems: readonly string[]): string[] =>
    problems.slice(0, 1).map(problem => `${path}${where}: ${JSON.stringify(value)}: ${problem}`);
  return [
    ...(name === undefined ? [] : told('.name', name, isDns1123Subdomain(name))),
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...told('.labels', key, isQualifiedName(key)),
      ...told(`.labels[${JSON.stringify(key)}]`, value, isLabelValue(value)),
    ]),
    ...taints.flatMap(({ key, value = '', effect }, i) => [
      ...told(`.taints[${i}].key`, key, isQualifiedName(key)),
      ...told(`.taints[${i}].value`, value, isLabelValue(value)),
      ...(isTaintEffect(effect) ? [] : told(`.taints[${i}].effect`, effect, [`want ${TAINT_EFFECTS.join(', ')}`])),
    ]),
    ...(zone === undefined ? [] : told('.zone', zone, isLabelValue(zone))),
    ...(region === undefined ? [] : told('.region', region, isLabelValue(region))),
    ...Object.entries(capacity).flatMap(([resource, amount]) => [
      ...told('.capacity', resource, resourceProblems(resource)),
      ...told(`.capacity[${JSON.stringify(resource)}]`, amount, amountProblems(resource, amount)),
    ]),
  ];
}

function resourceProblems(resource: string): string[] {
  if (NATIVE.includes(resource)) return [];
  if (resource.includes('/')) return isQualifiedName(resource);
  const near = nearest(resource, NATIVE);
  const meant = near === undefined ? '' : ` (Did you mean ${near}?)`;
  return [`no resource of a node${meant}; there is ${NATIVE.join(', ')}, and names with a domain: example.com/gpu`];
}

function amountProblems(resource: string, amount: string): string[] {
  try {
    if (parseQuantity(amount).unscaled < 0n) return ['must not be negative'];
    if (isWhole(resource) && !/^\d+(?:[kMGTPE]|[KMGTPE]i)?$/.test(amount)) return ['must be a whole number'];
    if (resource === 'pods' && !(Number(amount) >= 1 && Number(amount) <= MAX_PODS))
      return [`want a whole number from 1 to ${MAX_PODS}`];
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** The labels that it is to have, its zone and region among them. */
export const describedLabels = ({ labels = {}, zone, region }: NodeDescription): Record<string, string> => ({
  ...labels,
  ...(zone === undefined ? {} : { [ZONE]: zone }),
  ...(region === undefined ? {} : { [REGION]: region }),
});

/** How many Pods it takes. */
export const podsOf = ({ capacity = {} }: NodeDescription): number => Number(capacity['pods'] ?? DEFAULT_PODS);

/** Names of the nodes, the first being number 1. @throws RangeError when two have the same, or something else is wrong */
export function namesOfNodes(nodes: readonly NodeDescription[]): string[] {
  const [problem] = nodes.flatMap((node, i) => nodeProblems(node, `nodes[${i}]`));
  if (problem !== undefined) throw new RangeError(problem);
  const names = nodes.map(({ name }, i) => name ?? `node-${i + 1}`);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) throw new RangeError(`nodes[${twice}].name: there are two nodes ${JSON.stringify(names[twice])}`);
  return names;
}
