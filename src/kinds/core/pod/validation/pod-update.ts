import { duplicate, forbidden, invalid, notSupported, required } from '../../../../machinery/field-error.js';
import { path, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import { semanticEqual } from '../../../../machinery/json-equal.js';
import type { DeepReadonly, Pod, PodSpec } from '../../../../machinery/types.js';
import { isSidecar, type ReadonlyContainer } from './containers.js';
import {
  checkDnsSubdomain,
  checkGroupId,
  checkIp,
  checkQualifiedName,
  checkUserId,
  isIpv4,
  sortedEntries,
} from '../../../validation/formats.js';
import { goForm, goPodSpec } from '../../../validation/go-form.js';
import { jsonDiff } from '../../../validation/spec-diff.js';
import { checkPodAnnotations, checkPodOnly, checkPodSpec } from './pod-spec.js';
import { podQos } from './pod-qos.js';
import { checkTolerations } from './scheduling.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Spec = DeepReadonly<PodSpec>;

const MAX_INT32 = 2 ** 31 - 1;
const SPEC = path('spec');
const METADATA = path('metadata');
const STATUS = path('status');
const MIRROR = 'kubernetes.io/config.mirror';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const NO_SPEC = {} as Spec;

/** Everything that is wrong with the Pod as it stands. */
export function checkPod(out: FieldError[], pod: ReadonlyPod): void {
  const spec = pod.spec ?? NO_SPEC;
  checkPodAnnotations(out, METADATA.child('annotations'), pod.metadata.annotations, spec);
  checkPodSpec(out, SPEC, spec, { isPod: true, podName: pod.metadata.name });
  checkPodOnly(out, SPEC, spec);
}

export function checkPodCreate(out: FieldError[], pod: ReadonlyPod): void {
  checkPod(out, pod);
  const spec = pod.spec ?? NO_SPEC;
  if ((spec.ephemeralContainers ?? []).length > 0)
    out.push(forbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0)
    out.push(forbidden(SPEC.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'));
}

function checkAnnotationUpdates(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  const at = METADATA.child('annotations');
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  for (const [key, value] of sortedEntries(before)) {
    if (now[key] === value) continue;
    if (key.startsWith(APP_ARMOR)) out.push(forbidden(at.key(key), 'may not remove or update AppArmor annotations'));
    if (key === MIRROR) out.push(forbidden(at.key(key), 'may not remove or update mirror pod annotation'));
  }
  for (const [key] of sortedEntries(now)) {
    if (before[key] !== undefined) continue;
    if (key.startsWith(APP_ARMOR)) out.push(forbidden(at.key(key), 'may not add AppArmor annotations'));
    if (key === MIRROR) out.push(forbidden(at.key(key), 'may not add mirror pod annotation'));
  }
  checkPodAnnotations(out, at, pod.metadata.annotations, pod.spec ?? NO_SPEC);
}

/** False: the lists differ in length, nothing more can be said. */
function checkImages(
  out: FieldError[],
  at: FieldPath,
  now: readonly ReadonlyContainer[],
  before: readonly ReadonlyContainer[],
): boolean {
  if (now.length !== before.length) {
    out.push(forbidden(at, 'pod updates may not add or remove containers'));
    return false;
  }
  now.forEach(({ image = '' }, i) => {
    const field = at.index(i).child('image');
    if (image === '') out.push(required(field));
    if (image.trim() !== image) out.push(invalid(field, image, 'must not have leading or trailing whitespace'));
  });
  return true;
}

/** False: nothing more can be said. */
function checkDeadline(out: FieldError[], now: number | undefined, before: number | undefined): boolean {
  const at = SPEC.child('activeDeadlineSeconds');
  if (now === undefined) {
    if (before !== undefined) out.push(invalid(at, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (now < 0 || now > MAX_INT32) {
    out.push(invalid(at, now, `must be between 0 and ${MAX_INT32}, inclusive`));
    return false;
  }
  if (before !== undefined && before < now) {
    out.push(invalid(at, now, 'must be less than or equal to previous value'));
    return false;
  }
  return true;
}

function checkAddedTolerations(out: FieldError[], now: Spec['tolerations'], before: Spec['tolerations']): void {
  const at = SPEC.child('tolerations');
  type Tolerations = NonNullable<Spec['tolerations']>;
  const keyOf = ({ key, operator, value, effect }: Tolerations[number]): string =>
    JSON.stringify([key, operator, value, effect].map(text => text ?? ''));
  const present = new Set((now ?? []).map(keyOf));
  for (const old of before ?? []) {
    if (!present.has(keyOf(old)))
      return void out.push(forbidden(at, 'existing toleration can not be modified except its tolerationSeconds'));
  }
  checkTolerations(out, at, now);
}

function checkDeletedGates(out: FieldError[], now: Spec['schedulingGates'], before: Spec['schedulingGates']): void {
  const known = new Set((before ?? []).map(gate => gate.name));
  (now ?? []).forEach((gate, i) => {
    if (known.has(gate.name)) return;
    const text = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    out.push(forbidden(SPEC.child('schedulingGates').index(i).child('name'), text));
  });
}

type NodeAffinity = NonNullable<NonNullable<Spec['affinity']>['nodeAffinity']>;
type Term = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];

function onlyAdds(now: Term, before: Term): boolean {
  const [expressions, fields] = [before.matchExpressions ?? [], before.matchFields ?? []];
  const [newExpressions, newFields] = [now.matchExpressions ?? [], now.matchFields ?? []];
  if (expressions.length === 0 && fields.length === 0) return newExpressions.length === 0 && newFields.length === 0;
  return (
    semanticEqual(newExpressions.slice(0, expressions.length), expressions) &&
    semanticEqual(newFields.slice(0, fields.length), fields)
  );
}

function checkNodeAffinityMutation(
  out: FieldError[],
  now: NodeAffinity | undefined,
  before: NodeAffinity | undefined,
): void {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms = before?.[required]?.nodeSelectorTerms;
  if (terms === undefined) return;
  const newTerms = now?.[required]?.nodeSelectorTerms ?? [];
  const at = SPEC.child('affinity', 'nodeAffinity', required, 'nodeSelectorTerms');
  if (terms.length > 0 && terms.length !== newTerms.length) {
    out.push(invalid(at, newTerms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
    return;
  }
  terms.forEach((term, i) => {
    const newTerm = newTerms[i];
    if (newTerm !== undefined && !onlyAdds(newTerm, term))
      out.push(invalid(at.index(i), newTerm, 'only additions are allowed (no mutations or deletions)'));
  });
}

/** A Pod that is still gated may be steered more narrowly. Gives the spec with what was allowed undone. */
function mungeGated(out: FieldError[], spec: Spec, old: Spec): Spec {
  let munged = spec;
  if (!semanticEqual(spec.nodeSelector, old.nodeSelector)) {
    const lost = Object.entries(old.nodeSelector ?? {}).some(([key, value]) => spec.nodeSelector?.[key] !== value);
    if (lost) {
      const text = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      out.push(invalid(SPEC.child('nodeSelector'), spec.nodeSelector ?? null, text));
    }
    munged = { ...munged, nodeSelector: old.nodeSelector } as Spec;
  }
  const [now, before] = [spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity];
  if (semanticEqual(now, before)) return munged;
  checkNodeAffinityMutation(out, now, before);
  const rest = { ...spec.affinity, nodeAffinity: before };
  const empty = before === undefined && rest.podAffinity === undefined && rest.podAntiAffinity === undefined;
  return { ...munged, affinity: empty && old.affinity === undefined ? undefined : rest } as Spec;
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

const withImages = (
  now: readonly ReadonlyContainer[] | undefined,
  before: readonly ReadonlyContainer[] | undefined,
): readonly ReadonlyContainer[] | undefined =>
  now?.map((container, i) => ({ ...container, image: before?.[i]?.image }) as ReadonlyContainer);

/** An update of the main resource. */
export function checkPodUpdate(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  checkPod(out, pod);
  checkAnnotationUpdates(out, pod, old);
  const [spec, before] = [pod.spec ?? NO_SPEC, old.spec ?? NO_SPEC];
  if (!checkImages(out, SPEC.child('containers'), spec.containers ?? [], before.containers ?? [])) return;
  if (!checkImages(out, SPEC.child('initContainers'), spec.initContainers ?? [], before.initContainers ?? [])) return;
  if (!checkDeadline(out, spec.activeDeadlineSeconds, before.activeDeadlineSeconds)) return;
  checkAddedTolerations(out, spec.tolerations, before.tolerations);
  checkDeletedGates(out, spec.schedulingGates, before.schedulingGates);
  if (semanticEqual(spec, before)) return;
  const grace = spec.terminationGracePeriodSeconds;
  const graceMended = (before.terminationGracePeriodSeconds ?? 0) < 0 && grace === 1;
  let munged = {
    ...spec,
    containers: withImages(spec.containers, before.containers),
    initContainers: withImages(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    schedulingGates: before.schedulingGates,
    tolerations: before.tolerations,
    terminationGracePeriodSeconds: graceMended ? before.terminationGracePeriodSeconds : grace,
  } as Spec;
  if ((before.schedulingGates ?? []).length > 0) munged = mungeGated(out, munged, before);
  if (!semanticEqual(munged, before))
    out.push(
      forbidden(
        SPEC,
        `pod updates may not change fields other than ${UPDATABLE}\n${jsonDiff(goPodSpec(before), goPodSpec(munged))}`,
      ),
    );
}

type Status = NonNullable<ReadonlyPod['status']>;
type Statuses = Status['containerStatuses'];

function checkTransitions(
  out: FieldError[],
  at: FieldPath,
  now: Statuses,
  before: Statuses,
  mayRestart: (name: string, exitCode: number) => boolean,
): void {
  const going = new Map<string, number>();
  for (const { name, state } of now ?? [])
    if (state?.terminated === undefined) going.set(name, (going.get(name) ?? 0) + 1);
  (before ?? []).forEach((old, i) => {
    const ended = old.state?.terminated;
    if (ended === undefined || mayRestart(old.name, ended.exitCode)) return;
    for (let left = going.get(old.name) ?? 0; left > 0; left--)
      out.push(forbidden(at.index(i).child('state'), 'may not be transitioned to non-terminated state'));
  });
}

function checkPodIps(out: FieldError[], status: Status): void {
  const check = (list: 'podIPs' | 'hostIPs'): void => {
    const ips = (status[list] ?? []).map(item => item.ip ?? '');
    const at = STATUS.child(list);
    if (list === 'hostIPs' && ips.length > 0 && status.hostIP !== ips[0])
      out.push(invalid(at.index(0).child('ip'), ips[0] ?? '', 'must be equal to `hostIP`'));
    ips.forEach((ip, i) => checkIp(out, at.index(i), ip));
    if (ips.length < 2) return;
    const families = new Set(ips.map(isIpv4));
    if (families.size < 2 || ips.length > 2) {
      const shown = ips.map(ip => goForm('PodIP', { ip }));
      out.push(invalid(at, shown, 'may specify no more than one IP for each IP family'));
    }
  };
  check('podIPs');
  check('hostIPs');
}

const HEALTH = ['Healthy', 'Unhealthy', 'Unknown'];

function checkAllocated(
  out: FieldError[],
  at: FieldPath,
  statuses: Statuses,
  containers: readonly ReadonlyContainer[],
): void {
  const byName = new Map(containers.map(container => [container.name, container]));
  const claimsOf = new Map(
    [...byName].map(([name, { resources }]) => [
      name,
      new Set((resources?.claims ?? []).map(c => `claim:${c.name}${c.request ? `/${c.request}` : ''}`)),
    ]),
  );
  (statuses ?? []).forEach((status, i) => {
    const container = byName.get(status.name);
    (status.allocatedResourcesStatus ?? []).forEach((resource, j) => {
      const item = at.index(i).child('allocatedResourcesStatus').index(j);
      if (container !== undefined) {
        const isClaim = resource.name.startsWith('claim:');
        const found = isClaim
          ? claimsOf.get(status.name)?.has(resource.name) === true
          : container.resources?.requests?.[resource.name] !== undefined;
        if (!found) {
          const text = isClaim
            ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
            : "must match one of the container's resource requests";
          out.push(invalid(item.child('name'), resource.name, text));
        }
      }
      const ids = new Set<string>();
      (resource.resources ?? []).forEach(({ health = '', resourceID }, k) => {
        const field = item.child('resources').index(k);
        if (!HEALTH.includes(health)) out.push(notSupported(field.child('health'), health, HEALTH));
        if (ids.has(resourceID)) out.push(duplicate(field.child('resourceID'), resourceID));
        ids.add(resourceID);
      });
    });
  });
}

function checkUsers(out: FieldError[], at: FieldPath, statuses: Statuses, osName: string): void {
  (statuses ?? []).forEach(({ user }, i) => {
    const linux = user?.linux;
    if (linux === undefined) return;
    const item = at.index(i).child('user', 'linux');
    if (osName === 'windows') return void out.push(forbidden(item, 'cannot be set for a windows pod'));
    checkUserId(out, item.child('uid'), linux.uid);
    checkGroupId(out, item.child('gid'), linux.gid);
    (linux.supplementalGroups ?? []).forEach((group, j) =>
      checkGroupId(out, item.child('supplementalGroups').index(j), group),
    );
  });
}

function checkGeneration(out: FieldError[], at: FieldPath, generation: number | undefined): void {
  if (generation !== undefined && generation < 0)
    out.push(invalid(at.child('observedGeneration'), generation, 'must be a non-negative integer'));
}

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];

/** An update of /status. Bindings and the kubelet's reports come this way. */
export function checkPodStatusUpdate(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  checkAnnotationUpdates(out, pod, old);
  const status = pod.status ?? {};
  const before = old.status ?? {};
  const spec = old.spec ?? NO_SPEC;
  (status.conditions ?? []).forEach((condition, i) => {
    const item = STATUS.child('conditions').index(i);
    checkGeneration(out, item, condition.observedGeneration);
    if (!SYSTEM_CONDITIONS.includes(condition.type)) checkQualifiedName(out, item.child('Type'), condition.type);
  });
  if (pod.spec?.nodeName !== old.spec?.nodeName)
    out.push(forbidden(STATUS.child('nodeName'), 'may not be changed directly'));
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== before.nominatedNodeName)
    checkDnsSubdomain(out, STATUS.child('nominatedNodeName'), nominated);
  if (nominated && nominated !== before.nominatedNodeName && spec.nodeName) {
    const text = 'may not be set on pods that are already bound to a node';
    out.push(forbidden(STATUS.child('nominatedNodeName'), text));
  }
  checkGeneration(out, STATUS, status.observedGeneration);
  if (status.qosClass !== before.qosClass)
    out.push(invalid(STATUS.child('qosClass'), status.qosClass ?? '', 'field is immutable'));
  const always = spec.restartPolicy === 'Always';
  const onFailure = spec.restartPolicy === 'OnFailure';
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(c => c.name));
  const ruled = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
      .filter(c => c.restartPolicy !== undefined && c.restartPolicy !== 'Never')
      .map(c => c.name),
  );
  const mayRestart = (name: string, exitCode: number): boolean =>
    always || ruled.has(name) || (onFailure && exitCode !== 0);
  checkTransitions(
    out,
    STATUS.child('containerStatuses'),
    status.containerStatuses,
    before.containerStatuses,
    mayRestart,
  );
  checkTransitions(
    out,
    STATUS.child('initContainerStatuses'),
    status.initContainerStatuses,
    before.initContainerStatuses,
    (name, exitCode) => mayRestart(name, exitCode) || sidecars.has(name),
  );
  const ephemeral = STATUS.child('ephemeralContainerStatuses');
  checkTransitions(out, ephemeral, status.ephemeralContainerStatuses, before.ephemeralContainerStatuses, () => false);
  const claims = new Set((spec.resourceClaims ?? []).map(claim => claim.name));
  const told = new Set<string>();
  (status.resourceClaimStatuses ?? []).forEach(({ name, resourceClaimName }, i) => {
    const field = STATUS.child('resourceClaimStatuses').index(i).child('name');
    if (!claims.has(name)) out.push(invalid(field, name, 'must match the name of an entry in `spec.resourceClaims`'));
    if (told.has(name)) out.push(duplicate(field, name));
    told.add(name);
    if (resourceClaimName !== undefined) checkDnsSubdomain(out, field, resourceClaimName);
  });
  checkPodIps(out, status);
  const osName = pod.spec?.os?.name ?? 'linux';
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const)
    checkUsers(out, STATUS.child(list), status[list], osName);
  checkAllocated(out, STATUS.child('containerStatuses'), status.containerStatuses, spec.containers ?? []);
  checkAllocated(out, STATUS.child('initContainerStatuses'), status.initContainerStatuses, spec.initContainers ?? []);
}

/** An update of /ephemeralcontainers: they are added, never changed or removed. */
export function checkEphemeralUpdate(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  if (old.metadata.annotations?.[MIRROR] !== undefined)
    return void out.push(forbidden('[]', 'static pods do not support ephemeral containers'));
  checkPod(out, pod);
  checkAnnotationUpdates(out, pod, old);
  const at = SPEC.child('ephemeralContainers');
  const present = new Map((pod.spec?.ephemeralContainers ?? []).map(container => [container.name, container]));
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const now = present.get(before.name);
    const name = JSON.stringify(before.name);
    if (now === undefined) out.push(forbidden(at, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!semanticEqual(before, now))
      out.push(
        forbidden(
          at,
          `existing ephemeral containers ${name} may not be changed\n${jsonDiff(goForm('EphemeralContainer', before), goForm('EphemeralContainer', now))}`,
        ),
      );
  }
}

type Resources = ReadonlyContainer['resources'];
type Quantities = Readonly<Record<string, string>>;

const removed = (now: Quantities | undefined, before: Quantities | undefined): boolean =>
  Object.keys(before ?? {}).some(name => now?.[name] === undefined);

function checkContainerResize(
  out: FieldError[],
  at: FieldPath,
  now: ReadonlyContainer,
  before: ReadonlyContainer,
): void {
  if (removed(now.resources?.requests, before.resources?.requests))
    out.push(forbidden(at.child('requests'), 'resource requests cannot be removed'));
  if (removed(now.resources?.limits, before.resources?.limits))
    out.push(forbidden(at.child('limits'), 'resource limits cannot be removed'));
}

/** With cpu and memory as they were: what remains may not differ. */
function withoutCompute(now: Resources, before: Resources): Resources {
  const restore = (list: 'limits' | 'requests'): Quantities | undefined => {
    const old = before?.[list];
    if (old === undefined) return undefined;
    const { cpu: _cpu, memory: _memory, ...rest } = now?.[list] ?? {};
    return {
      ...rest,
      ...(old['cpu'] === undefined ? {} : { cpu: old['cpu'] }),
      ...(old['memory'] === undefined ? {} : { memory: old['memory'] }),
    };
  };
  const [limits, requests] = [restore('limits'), restore('requests')];
  return { ...(limits && { limits }), ...(requests && { requests }) };
}

/** An update of /resize: cpu and memory of containers and sidecars. */
export function checkPodResize(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  const [spec, before] = [pod.spec ?? NO_SPEC, old.spec ?? NO_SPEC];
  checkPod(out, pod);
  const refuse = (text: string): void => {
    out.length = 0;
    out.push(forbidden('[]', text));
  };
  const podLevel = (s: Spec): boolean =>
    Object.keys(s.resources?.limits ?? {}).length + Object.keys(s.resources?.requests ?? {}).length > 0;
  if (podLevel(spec) || podLevel(before)) return refuse('pods with pod-level resources cannot be resized');
  if (old.metadata.annotations?.[MIRROR] !== undefined) return refuse('static pods cannot be resized');
  if (before.os?.name === 'windows') return refuse('windows pods cannot be resized');
  if (
    spec.containers?.length !== before.containers?.length ||
    (spec.initContainers ?? []).length !== (before.initContainers ?? []).length
  ) {
    out.push(forbidden(SPEC, 'containers may not be added or removed'));
    return;
  }
  const qos = old.status?.qosClass ?? podQos(before);
  if (qos !== podQos(spec))
    out.push(invalid(SPEC, pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
  const running = old.status?.containerStatuses?.find(status => status.state?.running !== undefined);
  if (running !== undefined && running.resources === undefined)
    out.push(forbidden(SPEC, 'Pod running on node without support for resize'));
  const each = (
    list: 'initContainers' | 'containers',
    visit: (now: ReadonlyContainer, before: ReadonlyContainer, i: number) => void,
  ): void =>
    (spec[list] ?? []).forEach((container, i) => {
      const was = before[list]?.[i];
      if (was !== undefined) visit(container, was, i);
    });
  each('initContainers', (now, was, i) => {
    if (isSidecar(was)) checkContainerResize(out, SPEC.child('initContainers').index(i).child('resources'), now, was);
  });
  each('containers', (now, was, i) => {
    checkContainerResize(out, SPEC.child('containers').index(i).child('resources'), now, was);
  });
  const same = (now: ReadonlyContainer, was: ReadonlyContainer): boolean =>
    semanticEqual(
      { ...now, resources: withoutCompute(now.resources, was.resources) },
      { ...was, resources: was.resources ?? {} },
    );
  let others = true;
  each('containers', (now, was) => {
    if (same(now, was)) return;
    others = false;
    out.push(forbidden(SPEC, 'only cpu and memory resources are mutable'));
  });
  each('initContainers', (now, was) => {
    if (isSidecar(now) ? same(now, was) : semanticEqual(now, was)) return;
    others = false;
    const what = isSidecar(now)
      ? 'only cpu and memory resources for sidecar containers are mutable'
      : 'resources for non-sidecar init containers are immutable';
    out.push(forbidden(SPEC, what));
  });
  if (out.length > 0 || !others) return;
  const rest = { ...spec, containers: before.containers, initContainers: before.initContainers };
  if (!semanticEqual(rest, { ...before, initContainers: before.initContainers }))
    out.push(forbidden(SPEC, 'only cpu and memory resources are mutable'));
}
