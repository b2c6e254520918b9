import { quote } from '../../auth/quote.js';
import {
  containerNames,
  containersOf,
  named,
  plural,
  quoted,
  setters,
  sortedSet,
  type SecuredContainer,
  type SecurityContext,
  type Subject,
  type Violation,
} from './subject.js';

/** undefined: the Pod passes. */
export type Check = (subject: Subject) => Violation | undefined;

const SAFE_APP_ARMOR = new Set(['RuntimeDefault', 'Localhost']);
const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const isSafeAppArmorAnnotation = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/');

export const appArmorProfile: Check = subject => {
  const bad = (context: SecurityContext | undefined): boolean =>
    context?.appArmorProfile !== undefined && !SAFE_APP_ARMOR.has(context.appArmorProfile.type);
  const containers = containersOf(subject).filter(c => bad(c.securityContext));
  const podDoes = bad(subject.spec.securityContext);
  const annotations = Object.entries(subject.metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APP_ARMOR_ANNOTATION) && !isSafeAppArmorAnnotation(value))
    .map(([key, value]) => `${key}=${quote(value)}`)
    .sort();
  if (!podDoes && containers.length === 0 && annotations.length === 0) return undefined;
  const contexts = [...(podDoes ? [subject.spec.securityContext] : []), ...containers.map(c => c.securityContext)];
  const values = [...sortedSet(contexts.map(context => context?.appArmorProfile?.type ?? '')), ...annotations];
  const who = [setters(podDoes, containers), annotations.length === 0 ? '' : plural(annotations.length, 'annotation')];
  return {
    reason: plural(values.length, 'forbidden AppArmor profile'),
    // Upstream puts the values between quotes without escaping those within.
    detail: `${who.filter(text => text !== '').join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** `containers "a" must not include "X" in securityContext.capabilities.add`; undefined: all are allowed. */
export function addedCapabilities(subject: Subject, allowed: ReadonlySet<string>): string | undefined {
  const extra = (container: SecuredContainer): string[] =>
    (container.securityContext?.capabilities?.add ?? []).filter(name => !allowed.has(name));
  const bad = containersOf(subject).filter(container => extra(container).length > 0);
  if (bad.length === 0) return undefined;
  return `${containerNames(bad)} must not include ${quoted(sortedSet(bad.flatMap(extra)))} in securityContext.capabilities.add`;
}

export const baselineCapabilities: Check = subject => {
  const detail = addedCapabilities(subject, DEFAULT_CAPABILITIES);
  return detail === undefined ? undefined : { reason: 'non-default capabilities', detail };
};

export const hostNamespaces: Check = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(name => spec[name] === true);
  return used.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: used.map(name => `${name}=true`).join(', ') };
};

export const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(volume => volume['hostPath'] !== undefined).map(({ name }) => name);
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', names) };
};

export const hostPorts: Check = subject => {
  const used = ({ ports }: SecuredContainer): string[] =>
    (ports ?? []).flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
  const bad = containersOf(subject).filter(container => used(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sortedSet(bad.flatMap(used));
  const verb = plural(bad.length, 'uses', 'use');
  return {
    reason: 'hostPort',
    detail: `${containerNames(bad)} ${verb} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`,
  };
};

export const hostProbes: Check = subject => {
  const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: SecuredContainer): string[] =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
      .flatMap(handler => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''])
      .filter(host => host !== '');
  const bad = containersOf(subject).filter(container => hosts(container).length > 0);
  if (bad.length === 0) return undefined;
  const names = sortedSet(bad.map(({ name }) => name));
  const used = sortedSet(bad.flatMap(hosts));
  const verb = plural(names.length, 'uses', 'use');
  return {
    reason: 'probe or lifecycle host',
    detail: `${named('container', names)} ${verb} ${named('probe or lifecycle host', used)}`,
  };
};

export const privilegedContainers: Check = subject => {
  const bad = containersOf(subject).filter(({ securityContext }) => securityContext?.privileged === true);
  return bad.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${containerNames(bad)} must not set securityContext.privileged=true` };
};

export const procMount: Check = subject => {
  const bad = containersOf(subject).filter(
    ({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default',
  );
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map(({ securityContext }) => securityContext?.procMount ?? ''));
  return {
    reason: 'procMount',
    detail: `${containerNames(bad)} must not set securityContext.procMount to ${quoted(types)}`,
  };
};

export const seLinuxOptions =
  (allowed: readonly string[]): Check =>
  subject => {
    const optionsOf = (context: SecurityContext | undefined) => context?.seLinuxOptions ?? {};
    const badType = (context: SecurityContext | undefined): boolean => {
      const { type = '' } = optionsOf(context);
      return type !== '' && !allowed.includes(type);
    };
    const bad = (context: SecurityContext | undefined): boolean => {
      const { user = '', role = '' } = optionsOf(context);
      return badType(context) || user !== '' || role !== '';
    };
    const podDoes = bad(subject.spec.securityContext);
    const containers = containersOf(subject).filter(c => bad(c.securityContext));
    if (!podDoes && containers.length === 0) return undefined;
    const all = [subject.spec.securityContext, ...containers.map(c => c.securityContext)].filter(bad);
    const types = sortedSet(all.filter(badType).map(context => optionsOf(context).type ?? ''));
    const what = [
      ...(types.length > 0 ? [named('type', types)] : []),
      ...(all.some(context => optionsOf(context).user) ? ['user may not be set'] : []),
      ...(all.some(context => optionsOf(context).role) ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${setters(podDoes, containers)} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`,
    };
  };

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const isSafeSeccompAnnotation = (value: string): boolean =>
  value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');

/** As of 1.0 to 1.18, when profiles were annotations. */
export const seccompAnnotations: Check = subject => {
  const annotations = subject.metadata.annotations ?? {};
  const keys = [SECCOMP_POD, ...containersOf(subject).map(({ name }) => SECCOMP_CONTAINER + name)];
  const bad = sortedSet(
    keys.flatMap(key => {
      const value = annotations[key];
      return value === undefined || isSafeSeccompAnnotation(value) ? [] : [`${key}=${quote(value)}`];
    }),
  );
  if (bad.length === 0) return undefined;
  return { reason: 'seccompProfile', detail: `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}` };
};

const SAFE_SECCOMP = new Set(['RuntimeDefault', 'Localhost']);

export const seccompProfile: Check = subject => {
  const bad = (context: SecurityContext | undefined): boolean =>
    context?.seccompProfile !== undefined && !SAFE_SECCOMP.has(context.seccompProfile.type);
  const podDoes = bad(subject.spec.securityContext);
  const containers = containersOf(subject).filter(c => bad(c.securityContext));
  if (!podDoes && containers.length === 0) return undefined;
  const all = [subject.spec.securityContext, ...containers.map(c => c.securityContext)].filter(bad);
  const types = sortedSet(all.map(context => context?.seccompProfile?.type ?? ''));
  return {
    reason: 'seccompProfile',
    detail: `${setters(podDoes, containers)} must not set securityContext.seccompProfile.type to ${quoted(types)}`,
  };
};

export const sysctls =
  (allowed: readonly string[]): Check =>
  ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter(name => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };

export const windowsHostProcess: Check = subject => {
  const bad = (context: SecurityContext | undefined): boolean => context?.windowsOptions?.hostProcess === true;
  const podDoes = bad(subject.spec.securityContext);
  const containers = containersOf(subject).filter(c => bad(c.securityContext));
  if (!podDoes && containers.length === 0) return undefined;
  const detail = `${setters(podDoes, containers)} must not set securityContext.windowsOptions.hostProcess=true`;
  return { reason: 'hostProcess', detail };
};
