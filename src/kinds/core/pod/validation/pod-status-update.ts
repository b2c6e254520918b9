import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  path,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.js';
import { isSidecar, type ReadonlyContainer } from './container-context.js';
import {
  checkDnsSubdomain,
  checkGroupId,
  checkIp,
  checkQualifiedName,
  checkUserId,
} from '../../../validation/formats.js';
import { legacyIpFamily } from '../../../../machinery/legacy-ip.js';
import { goForm } from '../../../validation/go-form.js';
import { checkAnnotationUpdates, NO_SPEC, type ReadonlyPod } from './pod.js';

const STATUS = path('status');
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
    const families = new Set(ips.map(legacyIpFamily));
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
