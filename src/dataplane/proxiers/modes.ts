/** The modes by name, apart from what they do: flags are read by processes that program nothing. */
export const PROXY_MODES = ['iptables', 'nftables', 'ipvs', 'userspace'] as const;

export type ProxyMode = (typeof PROXY_MODES)[number];
export const isProxyMode = (text: string): text is ProxyMode => (PROXY_MODES as readonly string[]).includes(text);
/** kube-proxy's default on Linux. */
export const DEFAULT_PROXY_MODE: ProxyMode = 'iptables';

/** The mode of the i-th node: modes are dealt in turn. */
export const dealt = (modes: readonly ProxyMode[], i: number): ProxyMode =>
  modes[i % modes.length] ?? DEFAULT_PROXY_MODE;
