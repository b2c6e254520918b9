import { forbidden, invalid, notSupported, required, tooLong } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { Container, DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkDnsSubdomain, checkGroupId, checkUserId, duplicateText } from '../../../validation/formats.js';
import { goForm } from '../../../validation/go-form.js';
import { checkLocalDescendingPath } from './paths.js';

type PodSecurityContext = DeepReadonly<NonNullable<PodSpec['securityContext']>>;
type SecurityContext = DeepReadonly<NonNullable<Container['securityContext']>>;
type Seccomp = NonNullable<SecurityContext['seccompProfile']>;
type AppArmor = NonNullable<SecurityContext['appArmorProfile']>;
type WindowsOptions = NonNullable<SecurityContext['windowsOptions']>;

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function checkSeccomp(out: FieldError[], at: FieldPath, profile: Seccomp | undefined): void {
  if (profile === undefined) return;
  if (!profile.type) out.push(required(at.child('type'), 'type is required when seccompProfile is set'));
  else if (!PROFILE_TYPES.includes(profile.type)) out.push(notSupported(at.child('type'), profile.type, PROFILE_TYPES));
  const local = at.child('localhostProfile');
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) out.push(required(local, 'must be set when seccomp type is Localhost'));
    else checkLocalDescendingPath(out, local, profile.localhostProfile);
  } else if (profile.localhostProfile !== undefined)
    out.push(invalid(local, goForm('Profile', profile), 'can only be set when seccomp type is Localhost'));
}

/** PATH_MAX - 1. */
const MAX_PROFILE = 4095;

export function checkAppArmor(out: FieldError[], at: FieldPath, profile: AppArmor | undefined): void {
  if (profile === undefined) return;
  const local = at.child('localhostProfile');
  const name = profile.localhostProfile;
  switch (profile.type) {
    case 'Localhost':
      if (name === undefined) out.push(required(local, 'must be set when AppArmor type is Localhost'));
      else {
        if (name.trim() !== name) out.push(invalid(local, name, 'must not be padded with whitespace'));
        else if (name === '') out.push(required(local, 'must be set when AppArmor type is Localhost'));
        if (Buffer.byteLength(name) > MAX_PROFILE) out.push(tooLong(local, MAX_PROFILE));
      }
      return;
    case 'RuntimeDefault':
    case 'Unconfined':
      if (name !== undefined) out.push(invalid(local, name, 'can only be set when AppArmor type is Localhost'));
      return;
    case '':
    case undefined:
      out.push(required(at.child('type'), 'type is required when appArmorProfile is set'));
      return;
    default:
      out.push(notSupported(at.child('type'), profile.type, PROFILE_TYPES));
  }
}

const MAX_GMSA_KIB = 64;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const WINDOWS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

function checkRunAsUserName(out: FieldError[], at: FieldPath, name: string): void {
  const bad = (text: string): void => void out.push(invalid(at, name, text));

  const control = /[\u0000-\u001f\u007f]/;
  const parts = name.split('\\');
  if (name === '') return bad('runAsUserName cannot be an empty string');
  if (control.test(name)) return bad('runAsUserName cannot contain control characters');
  if (parts.length > 2) return bad('runAsUserName cannot contain more than one backslash');
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const user = parts[parts.length - 1] ?? '';
  if (domain !== undefined && domain.length >= 256) bad("runAsUserName's Domain length must be under 256 characters");
  if (domain !== undefined && !NETBIOS.test(domain) && !WINDOWS_DOMAIN.test(domain))
    bad("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  if (user === '') bad("runAsUserName's User cannot be empty");
  else if (user.length > 104) bad("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) bad("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    bad(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
}

function checkWindowsOptions(out: FieldError[], at: FieldPath, options: WindowsOptions | undefined): void {
  if (options === undefined) return;
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined)
    checkDnsSubdomain(out, at.child('gmsaCredentialSpecName'), gmsaCredentialSpecName);
  if (gmsaCredentialSpec !== undefined) {
    const spec = at.child('gmsaCredentialSpec');
    if (gmsaCredentialSpec === '')
      out.push(invalid(spec, gmsaCredentialSpec, 'gmsaCredentialSpec cannot be an empty string'));
    else if (Buffer.byteLength(gmsaCredentialSpec) > MAX_GMSA_KIB * 1024)
      out.push(invalid(spec, gmsaCredentialSpec, `gmsaCredentialSpec size must be under ${MAX_GMSA_KIB} KiB`));
  }
  if (runAsUserName !== undefined) checkRunAsUserName(out, at.child('runAsUserName'), runAsUserName);
}

/** `hostUsers`: the Pod shares the user namespace of its node. */
export function checkSecurityContext(
  out: FieldError[],
  at: FieldPath,
  context: SecurityContext | undefined,
  hostUsers: boolean,
): void {
  if (context === undefined) return;
  // --allow-privileged is false unless said, but every distribution sets it; so do we.
  if (context.runAsUser !== undefined) checkUserId(out, at.child('runAsUser'), context.runAsUser);
  if (context.runAsGroup !== undefined) checkGroupId(out, at.child('runAsGroup'), context.runAsGroup);
  if (context.procMount !== undefined) {
    const procMount = at.child('procMount');
    if (context.procMount !== 'Default' && context.procMount !== 'Unmasked')
      out.push(notSupported(procMount, context.procMount, ['Default', 'Unmasked']));
    if (hostUsers && context.procMount === 'Unmasked')
      out.push(invalid(procMount, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  checkSeccomp(out, at.child('seccompProfile'), context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) {
    const clash = 'cannot set `allowPrivilegeEscalation` to false and ';
    if (context.privileged === true)
      out.push(invalid(at, goForm('SecurityContext', context), `${clash}\`privileged\` to true`));
    const added = context.capabilities?.add ?? [];
    const shown = added.length > 0 ? goForm('SecurityContext', context) : undefined;
    for (const capability of added)
      if (capability === 'CAP_SYS_ADMIN') out.push(invalid(at, shown, `${clash}\`capabilities.Add\` CAP_SYS_ADMIN`));
  }
  checkWindowsOptions(out, at.child('windowsOptions'), context.windowsOptions);
  checkAppArmor(out, at.child('appArmorProfile'), context.appArmorProfile);
}

const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_FORMAT = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const SYSCTL = new RegExp(SYSCTL_FORMAT);
const MAX_SYSCTL = 253;

/** Which namespace a sysctl lives in, by prefix: component-helpers/node/util/sysctl. */
function sysctlNamespace(name: string): 'ipc' | 'net' | undefined {
  const dotted = name.replace(/\//g, '.');
  if (dotted === 'kernel.sem' || dotted.startsWith('kernel.shm') || dotted.startsWith('kernel.msg')) return 'ipc';
  if (dotted.startsWith('fs.mqueue.')) return 'ipc';
  return dotted.startsWith('net.') ? 'net' : undefined;
}

type HostNamespaces = Pick<DeepReadonly<PodSpec>, 'hostNetwork' | 'hostIPC' | 'hostPID' | 'shareProcessNamespace'>;

function checkSysctls(
  out: FieldError[],
  at: FieldPath,
  sysctls: NonNullable<PodSecurityContext['sysctls']>,
  host: HostNamespaces,
): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name }, i) => {
    const item = at.index(i).child('name');
    if (!name) out.push(required(item));
    else if (name.length > MAX_SYSCTL || !SYSCTL.test(name))
      out.push(invalid(item, name, `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL_FORMAT}`));
    else if (seen.has(name)) out.push(duplicateText(item, name));
    const namespace = sysctlNamespace(name);
    if (host.hostNetwork === true && namespace === 'net')
      out.push(invalid(item, name, "may not be specified when 'hostNetwork' is true"));
    else if (host.hostIPC === true && namespace === 'ipc')
      out.push(invalid(item, name, "may not be specified when 'hostIPC' is true"));
    seen.add(name);
  });
}

const oneOf = (out: FieldError[], at: FieldPath, value: string | undefined, allowed: readonly string[]): void => {
  if (value !== undefined && !allowed.includes(value)) out.push(notSupported(at, value, allowed));
};

export function checkPodSecurityContext(
  out: FieldError[],
  at: FieldPath,
  context: PodSecurityContext | undefined,
  host: HostNamespaces,
): void {
  if (context === undefined) return;
  if (context.fsGroup !== undefined) checkGroupId(out, at.child('fsGroup'), context.fsGroup);
  if (context.runAsUser !== undefined) checkUserId(out, at.child('runAsUser'), context.runAsUser);
  if (context.runAsGroup !== undefined) checkGroupId(out, at.child('runAsGroup'), context.runAsGroup);
  (context.supplementalGroups ?? []).forEach((group, i) =>
    checkGroupId(out, at.child('supplementalGroups').index(i), group),
  );
  if (host.shareProcessNamespace === true && host.hostPID === true)
    out.push(
      invalid(at.child('shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  checkSysctls(out, at.child('sysctls'), context.sysctls ?? [], host);
  oneOf(out, at.child('fsGroupChangePolicy'), context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  checkSeccomp(out, at.child('seccompProfile'), context.seccompProfile);
  checkWindowsOptions(out, at.child('windowsOptions'), context.windowsOptions);
  checkAppArmor(out, at.child('appArmorProfile'), context.appArmorProfile);
  oneOf(out, at.child('supplementalGroupsPolicy'), context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  // MountOption comes with a feature gate that is off.
  oneOf(out, at.child('seLinuxChangePolicy'), context.seLinuxChangePolicy, ['Recursive']);
}

const LINUX_ONLY_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const LINUX_ONLY_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** Fields that make no sense on the operating system the Pod names. */
export function checkOperatingSystem(out: FieldError[], at: FieldPath, spec: DeepReadonly<PodSpec>): void {
  if (spec.os === undefined) return;
  const { name } = spec.os;
  if (!name) return void out.push(required(at.child('os', 'name')));
  if (name !== 'linux' && name !== 'windows')
    return void out.push(notSupported(at.child('os'), name, ['linux', 'windows']));
  const context = at.child('securityContext');
  const windows = 'cannot be set for a windows pod';
  const linux = 'windows options cannot be set for a linux pod';
  if (name === 'linux') {
    if (spec.securityContext?.windowsOptions !== undefined) out.push(forbidden(context.child('windowsOptions'), linux));
  } else {
    for (const field of LINUX_ONLY_POD)
      if (spec.securityContext?.[field] !== undefined) out.push(forbidden(context.child(field), windows));
    if (spec.hostUsers !== undefined) out.push(forbidden(at.child('hostUsers'), windows));
    if (spec.hostPID === true) out.push(forbidden(at.child('hostPID'), windows));
    if (spec.hostIPC === true) out.push(forbidden(at.child('hostIPC'), windows));
    if (spec.shareProcessNamespace !== undefined) out.push(forbidden(at.child('shareProcessNamespace'), windows));
  }
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    (spec[list] ?? []).forEach((container, i) => {
      const own = at.child(list).index(i).child('securityContext');
      const security = container.securityContext;
      if (security === undefined) return;
      if (name === 'linux') {
        if (security.windowsOptions !== undefined) out.push(forbidden(own.child('windowsOptions'), linux));
        return;
      }
      for (const field of LINUX_ONLY_CONTAINER)
        if (security[field] !== undefined) out.push(forbidden(own.child(field), windows));
    });
  }
}
