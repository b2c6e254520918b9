import { nearest } from '../machinery/nearest.js';
import type { DeepReadonly, Deployment, Pod, Service } from '../machinery/types.js';
import { type Facts, ofObject, type Reason, serviceName } from './types.js';

type Labels = Readonly<Record<string, string>>;
type ReadonlyPod = DeepReadonly<Pod>;

/** As a label selector is written. */
export const selectorText = (selector: Labels): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

export const hasLabels = (labels: Labels | undefined, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => labels?.[key] === value);

/** What a selector would have to be to match some of the Pods, and how many it would match. */
export interface NearLabels {
  readonly labels: Labels;
  readonly count: number;
}

/** The labels that are nearest to the selector; undefined: no Pod has any that may have been meant. */
export function nearestLabels(selector: Labels, pods: readonly ReadonlyPod[]): NearLabels | undefined {
  let best: { readonly labels: Labels; readonly score: number } | undefined;
  for (const { metadata } of pods) {
    const candidate = candidateOf(selector, metadata.labels ?? {});
    if (candidate !== undefined && candidate.score > (best?.score ?? 0)) best = candidate;
  }
  if (best === undefined) return undefined;
  const { labels } = best;
  return { labels, count: pods.filter(({ metadata }) => hasLabels(metadata.labels, labels)).length };
}

/** What remains the same weighs most, then the value under another key, then a value that is nearly written so. */
const WEIGHT = { same: 4, otherKey: 3, near: 2 } as const;

function candidateOf(selector: Labels, has: Labels): { labels: Labels; score: number } | undefined {
  const labels: Record<string, string> = {};
  let score = 0;
  for (const [key, value] of Object.entries(selector)) {
    const its = has[key];
    const other = Object.keys(has).find(known => has[known] === value);
    if (its === value) {
      labels[key] = value;
      score += WEIGHT.same;
    } else if (other !== undefined) {
      labels[other] = value;
      score += WEIGHT.otherKey;
    } else if (its !== undefined) {
      labels[key] = its;
      score += nearest(value, [its]) === undefined ? 0 : WEIGHT.near;
    }
  }
  return score === 0 ? undefined : { labels, score };
}

/** Why the selector of a Service matches no Pod. */
export function selectorReason(service: DeepReadonly<Service>, facts: Facts): Reason {
  const { namespace = '', name = '' } = service.metadata;
  const selector = service.spec?.selector ?? {};
  const maker = facts.deployments?.find(
    ({ metadata, spec }) => metadata.namespace === namespace && hasLabels(spec?.template.metadata?.labels, selector),
  );
  const about = (hint: string): string =>
    ofObject(serviceName(service), `selector ${selectorText(selector)} matches no Pod${hint}`);
  const objects = [serviceName(service)];
  if (maker !== undefined) {
    const its = maker.metadata.name ?? '';
    const isZero = (maker.spec?.replicas ?? 1) === 0;
    return {
      code: 'NoMatchingPods',
      message: about(
        isZero
          ? ` (Deployment ${its} would make them, its replicas are 0)`
          : ` (Deployment ${its} should make them: ${madeNone(maker)})`,
      ),
      details: [],
      objects: [...objects, { kind: 'Deployment', namespace, name: its }],
      fix: isZero ? `kubectl scale deploy/${its} -n ${namespace} --replicas 1` : `see to Deployment ${its}`,
      show: `kubectl describe deploy/${its} -n ${namespace}`,
    };
  }
  const pods = facts.pods.filter(
    ({ metadata, status }) => metadata.namespace === namespace && !hasEnded(status?.phase),
  );
  const near = nearestLabels(selector, pods);
  return {
    code: 'NoMatchingPods',
    message: about(near === undefined ? whereElse(namespace, pods, facts.elsewhere ?? []) : nearText(near)),
    details: near === undefined ? labelsThere(Object.keys(selector), pods) : [],
    objects,
    fix:
      near === undefined
        ? `change the Service's selector, or label the Pods ${selectorText(selector)}`
        : `kubectl set selector svc/${name} -n ${namespace} ${selectorText(near.labels)}`,
    show: `kubectl get pods -n ${namespace} --show-labels`,
  };
}

const nearText = ({ labels, count }: NearLabels): string => ` (${selectorText(labels)} would match ${count})`;

function whereElse(namespace: string, pods: readonly ReadonlyPod[], elsewhere: readonly ReadonlyPod[]): string {
  const [first] = elsewhere;
  if (first !== undefined)
    return ` of namespace ${namespace} (it would match ${elsewhere.length} of ${first.metadata.namespace ?? ''})`;
  return pods.length === 0 ? ` (namespace ${namespace} has none)` : '';
}

const hasEnded = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** What the Deployment's controller says of Pods that it could not make. */
const madeNone = ({ status }: DeepReadonly<Deployment>): string =>
  status?.conditions?.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True')?.message ??
  'it has not yet';

/** As many are told of; more tell nobody more. */
const SHOWN = 3;

/** The labels that the Pods have under the selector's keys. */
function labelsThere(keys: readonly string[], pods: readonly ReadonlyPod[]): string[] {
  const counts = new Map<string, number>();
  for (const { metadata } of pods) {
    const text = selectorText(
      Object.fromEntries(
        keys.flatMap(key => (metadata.labels?.[key] === undefined ? [] : [[key, metadata.labels[key]]])),
      ),
    );
    if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  const all = [...counts].map(([text, count]) => `${text} (${count})`);
  return [
    `Pods have ${all.slice(0, SHOWN).join(', ')}${all.length > SHOWN ? ` and ${all.length - SHOWN} others` : ''}`,
  ];
}
