import type { Credentials } from '../../containers/credentials.js';
import type { ContainerSecurity } from '../../containers/process.js';
import type { Image } from '../../containers/images/types.js';
import { DEFAULT_CAPABILITIES } from '../../containers/capabilities.js';
import { ContainerConfigError } from './environment.js';
import { formatPod, type ReadonlyContainer, type ReadonlyPod } from './types.js';

/** What a Pod's own namespaces say when it sets nothing (Linux 6.1), of the sysctls that the kubelet holds safe. */
const DEFAULT_SYSCTLS: Readonly<Record<string, string>> = {
  'kernel.shm_rmid_forced': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.tcp_syncookies': '1',
  'net.ipv4.ping_group_range': '0\t2147483647',
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ip_local_reserved_ports': '',
  'net.ipv4.tcp_keepalive_time': '7200',
  'net.ipv4.tcp_fin_timeout': '60',
  'net.ipv4.tcp_keepalive_intvl': '75',
  'net.ipv4.tcp_keepalive_probes': '9',
  'net.ipv4.tcp_rmem': '4096\t131072\t6291456',
  'net.ipv4.tcp_wmem': '4096\t16384\t4194304',
};

/** Those that some simulated program asks for. */
const NETWORK_CAPABILITIES: readonly string[] = [...DEFAULT_CAPABILITIES, 'NET_ADMIN', 'SYS_ADMIN'];

/** "kernel/shm_rmid_forced" is the same as "kernel.shm_rmid_forced" (kubelet sysctl.NormalizeName). */
const dotted = (name: string): string => {
  const separator = /[./]/.exec(name)?.[0];
  return separator === '/' ? name.replace(/[./]/g, c => (c === '/' ? '.' : '/')) : name;
};

/** The first sysctl of a Pod that no node allows unless told to; undefined when all are safe. */
export function forbiddenSysctl(pod: ReadonlyPod): string | undefined {
  return pod.spec?.securityContext?.sysctls?.map(s => dotted(s.name)).find(name => DEFAULT_SYSCTLS[name] === undefined);
}

/** Who a container runs as and what it may do. @throws ContainerConfigError */
export function securityOf(pod: ReadonlyPod, spec: ReadonlyContainer, image: Image): ContainerSecurity {
  const own = spec.securityContext;
  const shared = pod.spec?.securityContext;
  const sysctls: Record<string, string> = { ...DEFAULT_SYSCTLS };
  for (const { name, value } of shared?.sysctls ?? []) sysctls[dotted(name)] = value;
  return {
    credentials: credentialsOf(pod, spec, image),
    privileged: own?.privileged === true,
    capabilities: capabilitiesOf(own?.capabilities),
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    sysctls,
  };
}

/** The runtime's own, and what the container adds and drops; "ALL" stands for every one. */
function capabilitiesOf({
  add = [],
  drop = [],
}: { readonly add?: readonly string[]; readonly drop?: readonly string[] } = {}): ReadonlySet<string> {
  const bare = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
  const dropped = new Set(drop.map(bare));
  const kept = dropped.has('ALL') ? [] : [...DEFAULT_CAPABILITIES].filter(name => !dropped.has(name));
  const added = add.map(bare).flatMap(name => (name === 'ALL' ? NETWORK_CAPABILITIES : [name]));
  return new Set([...kept, ...added]);
}

function credentialsOf(pod: ReadonlyPod, spec: ReadonlyContainer, image: Image): Credentials {
  const own = spec.securityContext;
  const shared = pod.spec?.securityContext;
  const chosen = own?.runAsUser ?? shared?.runAsUser;
  const uid = chosen ?? image.user ?? 0;
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) === true && uid === 0) {
    const problem =
      chosen === undefined
        ? 'container has runAsNonRoot and image will run as root'
        : "container's runAsUser breaks non-root policy";
    throw new ContainerConfigError(`${problem} (pod: "${formatPod(pod)}", container: ${spec.name})`);
  }
  const account = image.accounts?.[uid];
  const gid = own?.runAsGroup ?? shared?.runAsGroup ?? account?.gid ?? 0;
  const listed = shared?.supplementalGroupsPolicy === 'Strict' ? [] : (account?.groups ?? []);
  const fsGroup = shared?.fsGroup;
  const groups = [gid, ...listed, ...(shared?.supplementalGroups ?? []), ...(fsGroup === undefined ? [] : [fsGroup])];
  return { uid, gid, groups: [...new Set(groups)] };
}
