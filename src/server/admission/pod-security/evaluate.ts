import * as baseline from './baseline-checks.js';
import type { Check } from './baseline-checks.js';
import type { Level, Standard } from './policy.js';
import * as restricted from './restricted-checks.js';
import type { Subject, Violation } from './subject.js';

/** A rule of the standards as it was and is: what holds from which minor version of Kubernetes 1 on. */
interface Rule {
  readonly id: string;
  readonly versions: readonly { readonly since: number; readonly check: Check }[];
  /** The baseline rule that this one says more strictly. */
  readonly replaces?: string;
}

/** A Pod is judged by the newest rules when its namespace asks for later ones. */
const LATEST = 35;

const SELINUX_TYPES = ['container_t', 'container_init_t', 'container_kvm_t'];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

const always = (check: Check): Rule['versions'] => [{ since: 0, check }];

/** Sorted by id, which is the order of the texts (k8s.io/pod-security-admission policy). */
const BASELINE: readonly Rule[] = [
  { id: 'appArmorProfile', versions: always(baseline.appArmorProfile) },
  { id: 'capabilities_baseline', versions: always(baseline.baselineCapabilities) },
  { id: 'hostNamespaces', versions: always(baseline.hostNamespaces) },
  { id: 'hostPathVolumes', versions: always(baseline.hostPathVolumes) },
  { id: 'hostPorts', versions: always(baseline.hostPorts) },
  { id: 'hostProbesAndHostLifecycle', versions: [{ since: 34, check: baseline.hostProbes }] },
  { id: 'privileged', versions: always(baseline.privilegedContainers) },
  {
    id: 'procMount',
    versions: [
      { since: 0, check: baseline.procMount },
      { since: 35, check: restricted.exceptInUserNamespace(baseline.procMount) },
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      { since: 0, check: baseline.seLinuxOptions(SELINUX_TYPES) },
      { since: 31, check: baseline.seLinuxOptions([...SELINUX_TYPES, 'container_engine_t']) },
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      { since: 0, check: baseline.seccompAnnotations },
      { since: 19, check: baseline.seccompProfile },
    ],
  },
  {
    id: 'sysctls',
    versions: [
      { since: 0, check: baseline.sysctls(SYSCTLS) },
      { since: 27, check: baseline.sysctls(SYSCTLS_27) },
      { since: 29, check: baseline.sysctls(SYSCTLS_29) },
      { since: 32, check: baseline.sysctls(SYSCTLS_32) },
    ],
  },
  { id: 'windowsHostProcess', versions: always(baseline.windowsHostProcess) },
];

const linuxOnlySince25 = (since: number, check: Check): Rule['versions'] => [
  { since, check },
  { since: 25, check: restricted.exceptOnWindows(check) },
];
const hostUsersOnlySince35 = (since: number, check: Check): Rule['versions'] => [
  { since, check },
  { since: 35, check: restricted.exceptInUserNamespace(check) },
];

/** Comes after what is left of the baseline. */
const RESTRICTED: readonly Rule[] = [
  { id: 'allowPrivilegeEscalation', versions: linuxOnlySince25(8, restricted.allowPrivilegeEscalation) },
  {
    id: 'capabilities_restricted',
    versions: linuxOnlySince25(22, restricted.restrictedCapabilities),
    replaces: 'capabilities_baseline',
  },
  { id: 'procMount_restricted', versions: [{ since: 35, check: baseline.procMount }], replaces: 'procMount' },
  { id: 'restrictedVolumes', versions: always(restricted.restrictedVolumes), replaces: 'hostPathVolumes' },
  { id: 'runAsNonRoot', versions: hostUsersOnlySince35(0, restricted.runAsNonRoot) },
  { id: 'runAsUser', versions: hostUsersOnlySince35(23, restricted.runAsUser) },
  {
    id: 'seccompProfile_restricted',
    versions: linuxOnlySince25(19, restricted.requiredSeccompProfile),
    replaces: 'seccompProfile_baseline',
  },
];

const checkAt = ({ versions }: Rule, minor: number): Check | undefined =>
  versions.filter(({ since }) => since <= minor).at(-1)?.check;

function rulesOf(level: Level, minor: number): readonly Rule[] {
  if (level === 'privileged') return [];
  if (level === 'baseline') return BASELINE;
  const replaced = RESTRICTED.filter(rule => checkAt(rule, minor) !== undefined).map(rule => rule.replaces);
  return [...BASELINE.filter(({ id }) => !replaced.includes(id)), ...RESTRICTED];
}

/** What a Pod does against a standard; none: it may run. */
export function violationsOf(standard: Standard, subject: Subject): Violation[] {
  const minor = Math.min(standard.minor ?? LATEST, LATEST);
  return rulesOf(standard.level, minor).flatMap(rule => checkAt(rule, minor)?.(subject) ?? []);
}

/** `host namespaces (hostPID=true), privileged (container "a" must not …)`. */
export const describeViolations = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');
