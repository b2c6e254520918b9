import type { ResolverConfig } from '../../containers/network/resolv-conf.js';
import type { ReadonlyPod } from './types.js';

export interface ClusterDns {
  /** ClusterIP of kube-dns. */
  readonly address: string;
  readonly domain: string;
  /** What the node itself uses: for dnsPolicy Default. */
  readonly hostNameservers: readonly string[];
}

const MAX_HOSTNAME = 63;
/** Linux __NEW_UTS_LEN. */
const MAX_NODENAME = 64;

/** What a Pod is called: its host name, the domain it is in ('' for none), and what `uname -n` says of it. */
export interface PodNames {
  readonly hostname: string;
  readonly domain: string;
  readonly nodename: string;
}

/** kubelet GeneratePodHostNameAndDomain and util.GetNodenameForKernel. @throws Error when the FQDN is too long */
export function podNames(pod: ReadonlyPod, nodeName: string, clusterDomain: string): PodNames {
  const { spec, metadata } = pod;
  if (spec?.hostNetwork === true) return { hostname: nodeName, domain: '', nodename: nodeName };
  if (spec?.hostnameOverride !== undefined) {
    const hostname = shortened(spec.hostnameOverride);
    return { hostname, domain: '', nodename: hostname };
  }
  const own = spec?.hostname ?? '';
  const hostname = shortened(own === '' ? (metadata.name ?? '') : own);
  const subdomain = spec?.subdomain ?? '';
  const domain = subdomain === '' ? '' : `${subdomain}.${metadata.namespace ?? ''}.svc.${clusterDomain}`;
  if (spec?.setHostnameAsFQDN !== true || domain === '') return { hostname, domain, nodename: hostname };
  const nodename = `${hostname}.${domain}`;
  if (nodename.length > MAX_NODENAME)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${nodename} is too long (${MAX_NODENAME} characters is the max, ${nodename.length} characters requested)`,
    );
  return { hostname, domain, nodename };
}

/** A host name of at most 63 bytes that ends with neither "-" nor ".". */
function shortened(name: string): string {
  if (name.length <= MAX_HOSTNAME) return name;
  let end = MAX_HOSTNAME;
  while (end > 0 && (name[end - 1] === '-' || name[end - 1] === '.')) end--;
  return name.slice(0, end);
}

/** /etc/hosts as the kubelet manages it. */
export function hostsFile(pod: ReadonlyPod, { hostname, domain }: PodNames, podIPs: readonly string[]): string {
  const aliasLines = hostAliases(pod);
  // With the node's network it is the node's file.
  if (pod.spec?.hostNetwork === true)
    return [
      '# Kubernetes-managed hosts file (host network).',
      '127.0.0.1\tlocalhost',
      ...podIPs.map(ip => `${ip}\t${hostname}`),
      ...aliasLines,
      '',
    ].join('\n');
  const qualified = domain === '' ? '' : `${hostname}.${domain}\t`;
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIPs.map(ip => `${ip}\t${qualified}${hostname}`),
  ];
  return `${[...lines, ...aliasLines].join('\n')}\n`;
}

function hostAliases(pod: ReadonlyPod): string[] {
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return [];
  return ['', '# Entries added by HostAliases.', ...aliases.map(a => `${a.ip}\t${(a.hostnames ?? []).join('\t')}`)];
}

/** What glibc reads of resolv.conf (core validation.MaxDNS...). */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_LINE = 2048;
const MAX_DOMAIN = 253;
/** RES_MAXNDOTS, RES_MAXRETRANS and RES_MAXRETRY. */
const MAX_NDOTS = 15;
const MAX_TIMEOUT_S = 30;
const MAX_ATTEMPTS = 5;

function searchThatFits(searches: readonly string[]): string[] {
  const fit: string[] = [];
  let length = -1;
  for (const search of searches.slice(0, MAX_SEARCHES)) {
    if (search.length > MAX_DOMAIN) continue;
    length += search.length + 1;
    if (length > MAX_SEARCH_LINE) break;
    fit.push(search);
  }
  return fit;
}

export interface PodResolver {
  readonly config: ResolverConfig;
  /** As printed. */
  readonly options: string[];
  /** What did not fit, for Events. */
  readonly problems: readonly string[];
}

/** What resolv.conf holds for the Pod's dnsPolicy and dnsConfig; `options` as printed (kubelet network/dns). */
export function resolverConfig(pod: ReadonlyPod, dns: ClusterDns): PodResolver {
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
  const allServers = [...new Set([...base.nameservers, ...(own?.nameservers ?? [])])];
  const allSearches = [...new Set([...base.search, ...(own?.searches ?? [])])];
  const nameservers = allServers.slice(0, MAX_NAMESERVERS);
  const search = searchThatFits(allSearches);
  const problems = [
    ...(nameservers.length < allServers.length
      ? [
          `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(' ')}`,
        ]
      : []),
    ...(search.length < allSearches.length
      ? [
          `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${search.join(' ')}`,
        ]
      : []),
  ];
  for (const { name = '', value } of own?.options ?? []) base.options.set(name, value);
  /** glibc takes what is no number for 0, and no more than its own limits. */
  const number = (name: string, fallback: number, most: number): number => {
    const value = base.options.get(name);
    if (value === undefined) return fallback;
    return Math.min(Math.max(Number.parseInt(value, 10) || 0, 0), most);
  };
  return {
    config: {
      nameservers,
      search,
      ndots: number('ndots', 1, MAX_NDOTS),
      timeoutMs: Math.max(number('timeout', 5, MAX_TIMEOUT_S), 1) * 1000,
      attempts: Math.max(number('attempts', 2, MAX_ATTEMPTS), 1),
      useTcp: base.options.has('use-vc'),
      edns0: base.options.has('edns0'),
      rotate: base.options.has('rotate'),
      noAaaa: base.options.has('no-aaaa'),
    },
    problems,
    options: [...base.options].map(([name, value]) =>
      value === undefined || value === '' ? name : `${name}:${value}`,
    ),
  };
}
