import { labelSelectorAsSelector } from '../machinery/labels.js';
import type { DeepReadonly, Deployment, Pod } from '../machinery/types.js';
import { podProblem } from './pod-problem.js';
import { type Facts, type ObjectName, ofObject, type Reason } from './types.js';

type ReadonlyPod = DeepReadonly<Pod>;

export const podsOf = ({ metadata, spec }: DeepReadonly<Deployment>, pods: Facts['pods']): ReadonlyPod[] => {
  const selector = labelSelectorAsSelector(spec?.selector);
  return pods.filter(
    ({ metadata: its }) =>
      its.namespace === metadata.namespace && its.deletionTimestamp === undefined && selector.matches(its.labels),
  );
};

/** Why a Deployment has not the Pods that it should; undefined: it has them, and all are Ready. */
export function deploymentReason(deployment: DeepReadonly<Deployment>, facts: Facts): Reason | undefined {
  const { metadata, spec, status } = deployment;
  const { namespace = '', name = '' } = metadata;
  const object: ObjectName = { kind: 'Deployment', namespace, name };
  const wanted = spec?.replicas ?? 1;
  const reason = (code: Reason['code'], text: string, fix: string, more: Partial<Reason> = {}): Reason => ({
    code,
    message: ofObject(object, text),
    details: [],
    objects: [object],
    fix,
    show: `kubectl describe deploy/${name} -n ${namespace}`,
    ...more,
  });
  if (wanted === 0)
    return reason('NotEnoughPods', 'its replicas are 0', `kubectl scale deploy/${name} -n ${namespace} --replicas 1`);
  const failure = status?.conditions?.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  if (failure !== undefined)
    return reason(
      'NotEnoughPods',
      `${status?.replicas ?? 0} of ${wanted} Pods made: ${failure.message ?? failure.reason ?? ''}`,
      'change the Pod template, or what refuses it (a quota, a limit, an admission webhook, a missing ServiceAccount)',
    );
  const pods = podsOf(deployment, facts.pods);
  const unready = pods.flatMap(pod => {
    const problem = podProblem(pod, facts);
    return problem === undefined ? [] : [{ pod, problem }];
  });
  const ready = pods.length - unready.length;
  const [first] = unready;
  if (first !== undefined)
    return reason(
      'PodsNotReady',
      `${ready} of ${wanted} Pods Ready: ${first.pod.metadata.name ?? ''}: ${first.problem.text}`,
      first.problem.fix,
      {
        details: others(unready.slice(1), first.problem.text),
        objects: [...unready.slice(0, SHOWN).map(({ pod }) => podName(pod)), object],
        show: first.problem.show,
      },
    );
  if (spec?.paused === true && ready < wanted)
    return reason(
      'NotEnoughPods',
      `paused, with ${ready} of ${wanted} Pods`,
      `kubectl rollout resume deploy/${name} -n ${namespace}`,
    );
  return ready < wanted
    ? reason('NotEnoughPods', `${ready} of ${wanted} Pods are there`, 'wait for the Deployment controller')
    : undefined;
}

const SHOWN = 3;

const podName = ({ metadata: { namespace = '', name = '' } }: ReadonlyPod): ObjectName => ({
  kind: 'Pod',
  namespace,
  name,
});

/** Those that have another problem, in words; those that have the same, counted. */
function others(
  unready: readonly { readonly pod: ReadonlyPod; readonly problem: { readonly text: string } }[],
  told: string,
): string[] {
  const same = unready.filter(({ problem }) => problem.text === told).length;
  const different = unready.filter(({ problem }) => problem.text !== told);
  return [
    ...(same === 0 ? [] : [`the same of ${same === 1 ? '1 other' : `${same} others`}`]),
    ...different.slice(0, SHOWN).map(({ pod, problem }) => `Pod ${pod.metadata.name ?? ''}: ${problem.text}`),
  ];
}
