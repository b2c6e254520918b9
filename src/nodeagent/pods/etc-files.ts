import type { ResolverConfig } from '../network/resolver.js';
import type { ReadonlyPod } from './types.js';

export interface ClusterDns {
  /** ClusterIP of kube-dns. */
  readonly address: string;
  readonly domain: string;
  /** What the node itself uses: for dnsPolicy Default. */
  readonly hostNameservers: readonly string[];
}

const MAX_HOSTNAME = 63;

/** What `hostname` says in the Pod. */
export const podHostname = (pod: ReadonlyPod, nodeName: string): string => {
  if (pod.spec?.hostNetwork === true) return nodeName;
  const name = pod.spec?.hostname ?? pod.metadata.name ?? '';
  return name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
};

/** /etc/hosts as the kubelet manages it. */
export function hostsFile(pod: ReadonlyPod, hostname: string, podIP: string, domain: string): string {
  const subdomain = pod.spec?.subdomain;
  const aliasLines = hostAliases(pod);
  // With the node's network it is the node's file.
  if (pod.spec?.hostNetwork === true)
    return [
      '# Kubernetes-managed hosts file (host network).',
      '127.0.0.1\tlocalhost',
      `${podIP}\t${hostname}`,
      ...aliasLines,
      '',
    ].join('\n');
  const qualified =
    subdomain === undefined || subdomain === ''
      ? ''
      : `${hostname}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.${domain}\t`;
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${podIP}\t${qualified}${hostname}`,
  ];
  return `${[...lines, ...aliasLines].join('\n')}\n`;
}

function hostAliases(pod: ReadonlyPod): string[] {
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return [];
  return ['', '# Entries added by HostAliases.', ...aliases.map(a => `${a.ip}\t${(a.hostnames ?? []).join('\t')}`)];
}

/** What resolv.conf holds for the Pod's dnsPolicy and dnsConfig; `options` as printed (kubelet network/dns). */
export function resolverConfig(pod: ReadonlyPod, dns: ClusterDns): { config: ResolverConfig; options: string[] } {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec?.hostNetwork !== true);
  const own = pod.spec?.dnsConfig;
  const namespace = pod.metadata.namespace ?? '';
  const base = cluster
    ? {
        nameservers: [dns.address],
        search: [`${namespace}.svc.${dns.domain}`, `svc.${dns.domain}`, dns.domain],
        options: new Map<string, string | undefined>([['ndots', '5']]),
      }
    : {
        nameservers: policy === 'None' ? [] : [...dns.hostNameservers],
        search: [],
        options: new Map<string, string | undefined>(),
      };
  const nameservers = [...new Set([...base.nameservers, ...(own?.nameservers ?? [])])];
  const search = [...new Set([...base.search, ...(own?.searches ?? [])])];
  for (const { name = '', value } of own?.options ?? []) base.options.set(name, value);
  const number = (name: string, fallback: number): number => Number(base.options.get(name) ?? fallback);
  return {
    config: {
      nameservers,
      search,
      ndots: number('ndots', 1),
      timeoutMs: number('timeout', 5) * 1000,
      attempts: number('attempts', 2),
    },
    options: [...base.options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`)),
  };
}
