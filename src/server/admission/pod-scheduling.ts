import { reasonlessError } from '../../machinery/status.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { requestNameProblem } from '../../machinery/validation/request-name.js';
import type { DeepReadonly, KubeObject, Node, Pod, PodSpec, Toleration } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { forbid, isPodCreate, isResource } from './forbidden.js';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const TOLERATION_SECONDS = 300;

/** A new Node takes no Pods until the controller has seen it Ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(_ctx, request) {
    if (request.operation !== 'CREATE' || request.subresource !== '' || !isResource(request, '', 'nodes')) return;
    const node = request.object as Node;
    const taints = ((node.spec ??= {}).taints ??= []);
    if (!taints.some(taint => taint.key === NOT_READY && taint.effect === 'NoSchedule'))
      taints.push({ key: NOT_READY, effect: 'NoSchedule' });
  },
};

interface PriorityClass extends KubeObject {
  value?: number;
  globalDefault?: boolean;
  preemptionPolicy?: string;
}

/** Known even when nobody has made the objects yet. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};
const PREEMPT = 'PreemptLowerPriority';
const CLASSES = 'priorityclasses.scheduling.k8s.io';

interface Priority {
  readonly name: string;
  readonly value: number;
  readonly policy: string;
}

function defaultPriority(ctx: RequestContext): Priority {
  let lowest: DeepReadonly<PriorityClass> | undefined;
  for (const object of ctx.objects.list(CLASSES)) {
    const candidate = object as DeepReadonly<PriorityClass>;
    if (candidate.globalDefault === true && (lowest === undefined || (candidate.value ?? 0) < (lowest.value ?? 0)))
      lowest = candidate;
  }
  if (lowest === undefined) return { name: '', value: 0, policy: PREEMPT };
  return { name: lowest.metadata.name ?? '', value: lowest.value ?? 0, policy: lowest.preemptionPolicy ?? PREEMPT };
}

function namedPriority(ctx: RequestContext, request: AdmissionRequest, name: string): Priority {
  const found: DeepReadonly<PriorityClass> | undefined = ctx.objects.get(CLASSES, { namespace: '', name });
  const value = found?.value ?? SYSTEM_PRIORITIES[name];
  if (found === undefined && value === undefined) throw forbid(request, `no PriorityClass with name ${name} was found`);
  return { name, value: value ?? 0, policy: found?.preemptionPolicy ?? PREEMPT };
}

function setPriority(ctx: RequestContext, request: AdmissionRequest, spec: PodSpec): void {
  const { name, value, policy } = spec.priorityClassName
    ? namedPriority(ctx, request, spec.priorityClassName)
    : defaultPriority(ctx);
  if (name !== '') spec.priorityClassName = name;
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  const from = 'from the given PriorityClass name';
  if (spec.priority !== undefined && spec.priority !== value)
    throw forbid(request, `the integer value of priority (${spec.priority}) ${computed} ${value} ${from}`);
  spec.priority = value;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw forbid(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${policy} ${from}`,
    );
  spec.preemptionPolicy = policy;
}

export const priority: AdmissionPlugin = {
  name: 'Priority',
  admit(ctx, request) {
    if (request.subresource !== '' || !isResource(request, '', 'pods')) return;
    const spec = (request.object as Pod | undefined)?.spec;
    if (spec === undefined) return;
    if (request.operation === 'CREATE') return setPriority(ctx, request, spec);
    if (request.operation !== 'UPDATE') return;
    // What this plugin once set need not be sent back.
    const old = (request.old as DeepReadonly<Pod> | undefined)?.spec;
    if (old?.priority !== undefined) spec.priority ??= old.priority;
    if (old?.preemptionPolicy !== undefined) spec.preemptionPolicy ??= old.preemptionPolicy;
  },
  validate(ctx, request) {
    if (!isResource(request, 'scheduling.k8s.io', 'priorityclasses') || request.operation === 'DELETE') return;
    const asked = request.object as DeepReadonly<PriorityClass>;
    if (asked.globalDefault !== true) return;
    for (const object of ctx.objects.list(CLASSES)) {
      const other = object as DeepReadonly<PriorityClass>;
      if (other.globalDefault === true && other.metadata.name !== asked.metadata.name)
        throw forbid(
          request,
          `PriorityClass ${other.metadata.name ?? ''} is already marked as default. Only one default can exist`,
        );
    }
  },
};

/** Pods leave a node that is lost after five minutes, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(_ctx, request) {
    const writes = request.operation === 'CREATE' || request.operation === 'UPDATE';
    if (!writes || request.subresource !== '' || !isResource(request, '', 'pods')) return;
    const spec = (request.object as Pod).spec;
    if (spec === undefined) return;
    const present = spec.tolerations ?? [];
    const missing = [NOT_READY, UNREACHABLE].filter(key => !present.some(toleration => tolerates(toleration, key)));
    if (missing.length === 0) return;
    spec.tolerations = [
      ...present,
      ...missing.map(key => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: TOLERATION_SECONDS,
      })),
    ] as Toleration[];
  },
};

const tolerates = ({ key, effect }: Toleration, taint: string): boolean =>
  (key === taint || !key) && (effect === 'NoExecute' || !effect);

const TOPOLOGY_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

function copyTopology(ctx: RequestContext, object: KubeObject, nodeName: string | undefined): void {
  if (!nodeName) return;
  const labels = ctx.objects.get('nodes', { namespace: '', name: nodeName })?.metadata.labels ?? {};
  for (const key of TOPOLOGY_LABELS) {
    const value = labels[key];
    if (value !== undefined) object.metadata.labels = { ...object.metadata.labels, [key]: value };
  }
}

/** A Pod learns the zone and region of its node when it is bound to it (1.35). */
export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  admit(ctx, request) {
    const { object } = request;
    if (request.operation !== 'CREATE' || object === undefined) return;
    const isBinding =
      isResource(request, '', 'bindings') || (isResource(request, '', 'pods') && request.subresource === 'binding');
    if (isBinding) copyTopology(ctx, object, (object['target'] as { name?: string } | undefined)?.name);
    else if (isPodCreate(request)) copyTopology(ctx, object, (object as Pod).spec?.nodeName);
  },
};

interface RuntimeClass extends KubeObject {
  overhead?: { podFixed?: Record<string, string> };
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] };
}

/** Overhead and constraints of the runtime that a Pod asks for. */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  admit(ctx, request) {
    if (!isPodCreate(request)) return;
    const spec = (request.object as Pod).spec;
    const name = spec?.runtimeClassName;
    if (spec === undefined || name === undefined) return;
    const found: DeepReadonly<RuntimeClass> | undefined = ctx.objects.get('runtimeclasses.node.k8s.io', {
      namespace: '',
      name,
    });
    if (found === undefined) {
      const problem = requestNameProblem(name);
      if (problem !== undefined) throw reasonlessError(problem);
      throw forbid(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    }
    const fixed = found.overhead?.podFixed;
    if (fixed !== undefined) {
      if (Object.keys(spec.overhead ?? {}).length > 0 && !semanticEqual(fixed, spec.overhead))
        throw forbid(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      spec.overhead = { ...fixed };
    }
    const { nodeSelector, tolerations } = found.scheduling ?? {};
    for (const [key, value] of Object.entries(nodeSelector ?? {})) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value) {
        const text = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
        throw forbid(request, text);
      }
    }
    if (nodeSelector !== undefined) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
    if (tolerations !== undefined)
      spec.tolerations = [...(spec.tolerations ?? []), ...tolerations.map(toleration => ({ ...toleration }))];
  },
  validate(ctx, request) {
    if (!isPodCreate(request)) return;
    const spec = (request.object as Pod).spec;
    if (spec?.overhead === undefined) return;
    const name = spec.runtimeClassName ?? '';
    const found: DeepReadonly<RuntimeClass> | undefined = ctx.objects.get('runtimeclasses.node.k8s.io', {
      namespace: '',
      name,
    });
    if (found?.overhead === undefined)
      throw forbid(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
};
