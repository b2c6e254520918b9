import { isNodeReady } from '../machinery/node-ready.js';
import type { Container, ContainerStatus, CoreEvent, DeepReadonly, Pod } from '../machinery/types.js';
import { claimProblem } from './claim-problem.js';
import { probeProblem } from './probe-problem.js';
import { type Facts, ofObject, type PodProblem, type Reason } from './types.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Told = Partial<Pick<Facts, 'nodes' | 'events' | 'claims'>>;

/** Undefined: it is ready. */
export function podProblem(pod: ReadonlyPod, facts: Told = {}): PodProblem | undefined {
  const { status, metadata } = pod;
  const { namespace = 'default', name = '' } = metadata;
  const condition = (type: string) => (status?.conditions ?? []).find(c => c.type === type);
  const events = (facts.events ?? []).filter(
    ({ involvedObject: { kind, uid, name: its } }) =>
      kind === 'Pod' && its === name && (uid === undefined || metadata.uid === undefined || uid === metadata.uid),
  );
  const describe = `kubectl describe pod/${name} -n ${namespace}`;
  const problem = (text: string, fix: string, show = describe): PodProblem => ({ text, fix, show });

  if (metadata.deletionTimestamp !== undefined)
    return problem(
      `being deleted since ${metadata.deletionTimestamp}`,
      (metadata.finalizers ?? []).length > 0
        ? `its finalizers (${metadata.finalizers?.join(', ') ?? ''}) hold it: see to who put them there`
        : 'wait, or see why its containers do not end',
    );
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed')
    return problem(
      `it has ended (${[status.phase, ...(status.reason === undefined ? [] : [status.reason])].join(', ')})${status.message === undefined ? '' : `: ${status.message}`}`,
      'a Pod that has ended does not start again: make a new one',
      `kubectl logs ${name} -n ${namespace}`,
    );
  const scheduled = condition('PodScheduled');
  if (pod.spec?.nodeName === undefined && scheduled?.status === 'False') {
    const claim = claimProblem(pod, facts);
    if (claim !== undefined) return claim;
    return problem(
      `no node takes it: ${scheduled.message ?? scheduled.reason ?? 'the scheduler does not say why'}`,
      'change what the Pod asks for (requests, nodeSelector, affinity, tolerations), or add a node that has it',
    );
  }
  if (
    pod.spec?.nodeName === undefined &&
    (status?.phase ?? 'Pending') === 'Pending' &&
    scheduled === undefined &&
    status?.containerStatuses === undefined
  )
    return problem('no scheduler has looked at it', `see that ${pod.spec?.schedulerName ?? 'a scheduler'} runs`);
  const node = facts.nodes?.find(known => known.metadata.name === pod.spec?.nodeName);
  if (node !== undefined && !isNodeReady(node)) {
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    return problem(
      `node ${pod.spec?.nodeName ?? ''} is not Ready${ready?.message === undefined ? '' : `: ${ready.message}`}`,
      `start node ${pod.spec?.nodeName ?? ''} again, or let the Pod be made on another one`,
      `kubectl describe node/${pod.spec?.nodeName ?? ''}`,
    );
  }
  if (condition('Ready')?.status === 'True') return undefined;
  const ofContainers =
    containersProblem(pod, events, 'init') ?? mountProblem(pod, events) ?? containersProblem(pod, events, 'regular');
  if (ofContainers !== undefined) return { show: describe, ...ofContainers };
  const gate = (pod.spec?.readinessGates ?? []).find(
    ({ conditionType }) => condition(conditionType)?.status !== 'True',
  );
  if (gate !== undefined)
    return problem(
      `its readiness gate ${gate.conditionType} is not True`,
      `see to the controller that sets the condition ${gate.conditionType}`,
    );
  if (status?.podIP === undefined) return problem('it has no address yet', 'wait until its node has started it');
  return problem('it is not Ready', 'wait, or see its Events');
}

/** As the cause of a Pod alone. */
export function podReason(pod: ReadonlyPod, facts: Told): Reason | undefined {
  const found = podProblem(pod, facts);
  if (found === undefined) return undefined;
  const { namespace = '', name = '' } = pod.metadata;
  const object = { kind: 'Pod', namespace, name };
  const text = `not Ready: ${found.text}`;
  return {
    code: 'PodNotReady',
    message: ofObject(object, text),
    details: [],
    objects: [object],
    fix: found.fix,
    show: found.show,
  };
}

type Found = Omit<PodProblem, 'show'> & { readonly show?: string };

/** The kubelet waits for volumes before any container is started. */
function mountProblem({ status }: ReadonlyPod, events: readonly DeepReadonly<CoreEvent>[]): Found | undefined {
  const waits = (status?.containerStatuses ?? []).every(
    ({ state }) => state?.waiting?.reason === 'ContainerCreating' || state?.waiting?.reason === 'PodInitializing',
  );
  const event = events.findLast(({ reason }) => reason === 'FailedMount' || reason === 'FailedCreatePodSandBox');
  if (!waits || event === undefined) return undefined;
  return {
    text: `its containers wait: ${event.message ?? ''}`,
    fix: 'make what the volume needs, or take it out of the Pod',
  };
}

function containersProblem(
  { spec, status, metadata }: ReadonlyPod,
  events: readonly DeepReadonly<CoreEvent>[],
  which: 'init' | 'regular',
): Found | undefined {
  const containers = (which === 'init' ? spec?.initContainers : spec?.containers) ?? [];
  const statuses = (which === 'init' ? status?.initContainerStatuses : status?.containerStatuses) ?? [];
  const where = { namespace: metadata.namespace ?? 'default', pod: metadata.name ?? '' };
  for (const container of containers) {
    const its = statuses.find(({ name }) => name === container.name);
    const found = its === undefined ? undefined : containerProblem(container, its, { ...where, events, which });
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly events: readonly DeepReadonly<CoreEvent>[];
  readonly which: 'init' | 'regular';
}

const NO_IMAGE = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']);

function containerProblem(
  container: DeepReadonly<Container>,
  its: DeepReadonly<ContainerStatus>,
  { namespace, pod, events, which }: Place,
): Found | undefined {
  const { name, state, lastState, ready, started, restartCount } = its;
  const who = `${which === 'init' ? 'init container' : 'container'} ${name}`;
  const logs = `kubectl logs ${pod} -n ${namespace} -c ${name}`;
  const waiting = state?.waiting;
  if (waiting?.reason !== undefined && NO_IMAGE.has(waiting.reason))
    return {
      text: `image ${container.image ?? ''} cannot be pulled (${waiting.reason}${pullText(waiting.message)})`,
      fix: `name an image that there is in ${who}, or give it an imagePullSecret`,
    };
  if (waiting?.reason === 'CrashLoopBackOff')
    return {
      text: `${who}: CrashLoopBackOff, ${exitText(lastState?.terminated, container)} (restarted ${timesText(restartCount)})${livenessText(container, events)}`,
      fix: 'its logs say what it missed: give it that, or another command',
      show: `${logs} --previous`,
    };
  if (waiting?.reason !== undefined && !STARTING.has(waiting.reason))
    return {
      text: `${who}: ${waiting.reason}${waiting.message === undefined ? '' : `, ${waiting.message}`}`,
      fix: 'make what it names, or take it out of the Pod',
    };
  if (state?.terminated !== undefined && state.terminated.exitCode !== 0)
    return {
      text: `${who} has ended, ${exitText(state.terminated, container)} (restarted ${timesText(restartCount)})${livenessText(container, events)}`,
      fix: 'its logs say what it missed: give it that, or another command',
      show: logs,
    };
  if (state?.terminated !== undefined && which === 'regular')
    return { text: `${who} has ended with exit code 0`, fix: 'a server does not end: see its command', show: logs };
  if (state?.running === undefined || ready) return undefined;
  if (which === 'init' && container.restartPolicy !== 'Always')
    return { text: `${who} still runs: the others wait for its end`, fix: 'see what it waits for', show: logs };
  const probe = probeProblem(started === false ? 'startup' : 'readiness', container, events);
  return probe === undefined
    ? undefined
    : {
        text: probe.text,
        fix: probe.answered
          ? 'let the probe ask for what the container answers, or mend the container'
          : 'wait for the probe, or see its initialDelaySeconds and periodSeconds',
      };
}

/** What every container waits for in its first moments. */
const STARTING = new Set(['PodInitializing', 'ContainerCreating']);

const timesText = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** "exit code 137, OOMKilled at its limit of 64Mi" */
function exitText(
  ended: NonNullable<DeepReadonly<ContainerStatus>['state']>['terminated'],
  { resources }: DeepReadonly<Container>,
): string {
  if (ended === undefined) return 'how it ended is not known';
  const limit = resources?.limits?.['memory'];
  const killed =
    ended.reason === 'OOMKilled' ? `, OOMKilled${limit === undefined ? '' : ` at its limit of ${limit}`}` : '';
  const said =
    ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun' ? `, ${ended.message ?? ended.reason}` : '';
  return `exit code ${ended.exitCode}${killed}${said}`;
}

/** Who is killed for a probe's sake ends with an exit code that says nothing. */
function livenessText(container: DeepReadonly<Container>, events: readonly DeepReadonly<CoreEvent>[]): string {
  const probe = probeProblem('liveness', container, events);
  return probe?.answered === true ? `; ${probe.text}` : '';
}

/** The end of what the runtime says, which is what the registry said. */
function pullText(message: string | undefined): string {
  if (message === undefined) return '';
  if (message.includes('no such host')) return `: ${/lookup (\S+)/.exec(message)?.[1] ?? 'its registry'} is no host`;
  if (message.includes('pull access denied')) return ': there is none, or it wants a password';
  if (/not found/.test(message)) return ': the registry has none of that tag';
  return message.includes('invalid reference format') ? ': that is no name of an image' : '';
}
