/** What /etc/resolv.conf says. */
export interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Milliseconds per try. */
  readonly timeoutMs: number;
  readonly attempts: number;
  /** use-vc: every question goes over TCP. */
  readonly useTcp?: boolean;
  /** edns0: room for longer datagrams. */
  readonly edns0?: boolean;
  /** rotate: each question begins with another name server. */
  readonly rotate?: boolean;
  /** no-aaaa: getaddrinfo asks for IPv4 addresses only. */
  readonly noAaaa?: boolean;
}

/** The names a lookup tries, in order, as glibc: dotted enough names as they are first, else the search path first. */
export function candidates(name: string, config: Pick<ResolverConfig, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = config.search.map(domain => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= config.ndots ? [name, ...searched] : [...searched, name];
}

/** The text of /etc/resolv.conf, as the kubelet writes it. */
export function formatResolvConf(config: ResolverConfig, options: readonly string[]): string {
  const lines = [];
  if (config.search.length > 0) lines.push(`search ${config.search.join(' ')}`);
  for (const server of config.nameservers) lines.push(`nameserver ${server}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}
