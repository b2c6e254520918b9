/**
 * Chains that see the first packet of a connection only, by table: what ours and the kernel count there is alike whatever
 * follows. Those of balancing differ in nothing but who was chosen, which ours repeats.
 */
const COUNTED: Readonly<Record<string, (chain: string) => boolean>> = {
  nat: chain => chain.startsWith('KUBE-'),
  filter: chain => ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL'].includes(chain),
};

/** The rules that packets of connections have met, with how many and of how many bytes, from `iptables-save -c`. */
export function countedRules(saved: string): string[] {
  const counted: string[] = [];
  let table = '';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const [, chain = ''] = /^\[[1-9]\d*:\d+\] -A (\S+)/.exec(line) ?? [];
    if (chain !== '' && COUNTED[table]?.(chain) === true) counted.push(`${table} ${line}`);
  }
  return counted;
}
