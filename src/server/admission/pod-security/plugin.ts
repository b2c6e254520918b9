import { formatFieldError } from '../../../machinery/field-error.js';
import { invalidError } from '../../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import { resourceId } from '../../../api/resource-info.js';
import type { RequestContext } from '../../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from '../types.js';
import { aggregate } from '../../auth/quote.js';
import { forbid } from '../forbidden.js';
import { describeViolations, violationsOf } from './evaluate.js';
import { formatStandard, policyOf, sameStandard, strictness, type Policy, type Standard } from './policy.js';
import type { SecuredContainer, Subject, Violation } from './subject.js';

const ANNOTATION = 'pod-security.kubernetes.io/';
/** Pods of a namespace that are looked at when its policy becomes stricter. */
const MAX_PODS = 3000;

type ReadonlyObject = DeepReadonly<KubeObject>;

/** Subresources of Pods that cannot change what runs. */
const HARMLESS = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

/** Where the kinds that make Pods keep their template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  replicationcontrollers: ['spec', 'template'],
  podtemplates: ['template'],
  'replicasets.apps': ['spec', 'template'],
  'deployments.apps': ['spec', 'template'],
  'statefulsets.apps': ['spec', 'template'],
  'daemonsets.apps': ['spec', 'template'],
  'jobs.batch': ['spec', 'template'],
  'cronjobs.batch': ['spec', 'jobTemplate', 'spec', 'template'],
};

function subjectOf(pod: unknown): Subject {
  const { metadata = {}, spec = {} } = (pod ?? {}) as Partial<Subject>;
  return { metadata, spec };
}

function templateOf(object: ReadonlyObject, fields: readonly string[]): Subject | undefined {
  const template = fields.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object);
  return template === undefined ? undefined : subjectOf(template);
}

const imagesOf = (containers: readonly SecuredContainer[] | undefined): string =>
  JSON.stringify((containers ?? []).map(({ image }) => image));

/** Whether an update runs something new; all else about a Pod's security stays as it was admitted. */
function runsSomethingNew({ spec }: Subject, { spec: old }: Subject): boolean {
  if (imagesOf(spec.containers) !== imagesOf(old.containers)) return true;
  if (imagesOf(spec.initContainers) !== imagesOf(old.initContainers)) return true;
  const images = new Map((old.ephemeralContainers ?? []).map(({ name, image }) => [name, image]));
  return (spec.ephemeralContainers ?? []).some(({ name, image }) => images.get(name) !== image);
}

/** Each standard is held against a Pod once, however many modes name it. */
function evaluator(subject: Subject): (standard: Standard) => readonly Violation[] {
  const known = new Map<string, readonly Violation[]>();
  return standard => {
    const key = formatStandard(standard);
    const violations = known.get(key) ?? violationsOf(standard, subject);
    known.set(key, violations);
    return violations;
  };
}

const violates = (standard: Standard, violations: readonly Violation[]): string =>
  `PodSecurity "${formatStandard(standard)}": ${describeViolations(violations)}`;

function evaluate(
  ctx: RequestContext,
  request: AdmissionRequest,
  namespace: ReadonlyObject,
  subject: Subject,
  enforces: boolean,
): void {
  const { policy, errors } = policyOf(namespace.metadata.labels);
  const isPrivileged = (...modes: (keyof Policy)[]): boolean =>
    errors.length === 0 && modes.every(mode => policy[mode].level === 'privileged');
  if (isPrivileged('audit', 'warn') && (!enforces || isPrivileged('enforce'))) {
    if (enforces) ctx.annotate?.(`${ANNOTATION}enforce-policy`, 'privileged:latest');
    return;
  }
  const of = evaluator(subject);
  if (errors.length > 0) {
    const text = aggregate(errors.map(formatFieldError));
    ctx.annotate?.(`${ANNOTATION}error`, `Failed to parse policy: ${text}`);
  }
  const audited = of(policy.audit);
  if (audited.length > 0)
    ctx.annotate?.(`${ANNOTATION}audit-violations`, `would violate ${violates(policy.audit, audited)}`);
  if (enforces) {
    ctx.annotate?.(`${ANNOTATION}enforce-policy`, formatStandard(policy.enforce));
    const refused = of(policy.enforce);
    if (refused.length > 0) throw forbid(request, `violates ${violates(policy.enforce, refused)}`);
  }
  const warned = of(policy.warn);
  if (warned.length > 0) ctx.warn(`would violate ${violates(policy.warn, warned)}`);
}

function checkPod(ctx: RequestContext, request: AdmissionRequest, namespace: ReadonlyObject): void {
  if (HARMLESS.has(request.subresource)) return;
  const subject = subjectOf(request.object);
  if (request.old !== undefined && !runsSomethingNew(subject, subjectOf(request.old))) return;
  evaluate(ctx, request, namespace, subject, true);
}

/** Those without a controller and one of each controller first. */
function samplePods(pods: Iterable<ReadonlyObject>): ReadonlyObject[] {
  const seen = new Set<string>();
  const first: ReadonlyObject[] = [];
  const others: ReadonlyObject[] = [];
  for (const pod of pods) {
    const controller = pod.metadata.ownerReferences?.find(owner => owner.controller === true)?.uid;
    if (controller !== undefined && seen.has(controller)) others.push(pod);
    else first.push(pod);
    if (controller !== undefined) seen.add(controller);
  }
  return [...first, ...others];
}

const others = (count: number): string => (count === 0 ? '' : ` (and ${count} other ${count === 1 ? 'pod' : 'pods'})`);

/** What Pods that are there already do against a new standard. */
function warnings(ctx: RequestContext, namespace: string, standard: Standard): string[] {
  const pods = samplePods(ctx.objects.list('pods', namespace));
  const checked = pods.slice(0, MAX_PODS);
  const byReason = new Map<string, string[]>();
  for (const pod of checked) {
    const violations = violationsOf(standard, subjectOf(pod));
    if (violations.length === 0) continue;
    const reason = violations.map(violation => violation.reason).join(', ');
    const names = byReason.get(reason);
    if (names === undefined) byReason.set(reason, [pod.metadata.name ?? '']);
    else names.push(pod.metadata.name ?? '');
  }
  const out: string[] = [];
  if (checked.length < pods.length)
    out.push(
      `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`,
    );
  if (byReason.size > 0)
    out.push(
      `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${formatStandard(standard)}"`,
    );
  const lines = [...byReason].map(
    ([reason, names]) => `${names.sort()[0] ?? ''}${others(names.length - 1)}: ${reason}`,
  );
  return [...out, ...lines.sort()];
}

function checkNamespace(ctx: RequestContext, request: AdmissionRequest): void {
  const { object, old, subresource } = request;
  if (subresource !== '' || object === undefined) return;
  const now = policyOf(object.metadata.labels);
  const before = old === undefined ? undefined : policyOf(old.metadata.labels);
  const known = before !== undefined && JSON.stringify(now.errors) === JSON.stringify(before.errors);
  const { name = '' } = object.metadata;
  if (now.errors.length > 0 && !known)
    throw invalidError({ group: request.resource.group, kind: request.resource.kind }, name, now.errors);
  if (before === undefined) return;
  const [next, last] = [now.policy.enforce, before.policy.enforce];
  if (sameStandard(next, last) || next.level === 'privileged') return;
  if (next.minor === last.minor && strictness(next.level) <= strictness(last.level)) return;
  for (const text of warnings(ctx, name, next)) ctx.warn(text);
}

/**
 * Holds Pods to the Pod Security Standard that the labels of their namespace name, and warns of templates whose Pods
 * would be refused.
 */
export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  validate(ctx, request) {
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
    const id = resourceId(request.resource);
    if (id === 'namespaces') return checkNamespace(ctx, request);
    const fields = TEMPLATES[id];
    if (id !== 'pods' && (fields === undefined || request.subresource !== '')) return;
    const namespace = ctx.objects.get('namespaces', { namespace: '', name: request.key.namespace });
    // Without labels there is nothing to hold a Pod to: the common case costs two lookups.
    if (namespace === undefined) return;
    if (fields === undefined) return checkPod(ctx, request, namespace);
    const template = request.object === undefined ? undefined : templateOf(request.object, fields);
    if (template !== undefined) evaluate(ctx, request, namespace, template, false);
  },
};
