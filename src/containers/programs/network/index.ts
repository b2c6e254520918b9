import type { Program } from '../../process.js';

type Load = () => Promise<Program>;

/** What debugging images have beside or in place of BusyBox's: name to program, loaded when it is first called. */
const TOOLS: Readonly<Record<string, Load>> = {
  arp: async () => (await import('../ifconfig.js')).netToolsArp,
  conntrack: async () => (await import('./conntrack.js')).conntrack,
  dig: async () => (await import('./dig.js')).dig,
  host: async () => (await import('./host.js')).host,
  ip: async () => (await import('./ip.js')).iproute2Ip,
  ip6tables: async () => (await import('./iptables.js')).iptables,
  'ip6tables-save': async () => (await import('./iptables.js')).iptablesSave,
  ipset: async () => (await import('./ipset.js')).ipset,
  iptables: async () => (await import('./iptables.js')).iptables,
  'iptables-save': async () => (await import('./iptables.js')).iptablesSave,
  ipvsadm: async () => (await import('./ipvsadm.js')).ipvsadm,
  netstat: async () => (await import('../netstat.js')).netToolsNetstat,
  nft: async () => (await import('./nft.js')).nft,
  ping: async () => (await import('../ping.js')).iputilsPing,
  ping6: async () => (await import('../ping.js')).iputilsPing,
  ss: async () => (await import('./ss.js')).ss,
  tcpdump: async () => (await import('./tcpdump.js')).tcpdump,
  telnet: async () => (await import('./telnet.js')).inetutilsTelnet,
  traceroute: async () => (await import('./traceroute.js')).fullTraceroute,
  traceroute6: async () => (await import('./traceroute.js')).fullTraceroute,
};

/** A program of the debugging images; undefined when there is none of that name. */
export async function networkTool(name: string): Promise<Program | undefined> {
  return Object.hasOwn(TOOLS, name) ? TOOLS[name]?.() : undefined;
}

export const networkToolNames = (): string[] => Object.keys(TOOLS);
