import { Command } from 'commander';
import type { DetectLocal } from '../dataplane/proxiers/detect-local.js';
import { isProxyMode, PROXY_MODES, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { type SchedulerName, SCHEDULERS } from '../dataplane/kernel/ipvs/types.js';
import { parseCidr } from '../machinery/cidr.js';
import type { ProxySettings } from '../nodeagent/proxy/proxy-settings.js';
import type { PortRange } from '../dataplane/proxiers/types.js';
import { durationFlag, FlagError, integerFlag, invalidArgument } from './process.js';

/** kube-proxy's flags under kube-proxy's names, but for its mode. */
export const addProxyFlags = (command: Command): Command =>
  command
    .option(
      '--detect-local-mode <mode>',
      `what traffic of local Pods is told by: ${DETECT_MODES.join(', ')}`,
      'ClusterCIDR',
    )
    .option('--pod-bridge-interface <name>', 'the bridge of the Pods, for --detect-local-mode BridgeInterface')
    .option(
      '--pod-interface-name-prefix <prefix>',
      'what the names of their interfaces begin with, for InterfaceNamePrefix',
    )
    .option('--masquerade-all', 'replace the source of all traffic to ClusterIPs')
    .option('--iptables-masquerade-bit <n>', 'bit of the mark of packets to masquerade', '14')
    .option('--nodeport-addresses <cidrs>', 'addresses at which node ports answer: CIDRs, or primary')
    .option('--iptables-localhost-nodeports <bool>', 'whether they answer on loopback, in iptables mode', 'true')
    .option('--ipvs-scheduler <name>', `in ipvs mode, how servers are chosen: ${SCHEDULERS.join(', ')}`, 'rr')
    .option('--ipvs-strict-arp', 'in ipvs mode, as kube-proxy: arp_ignore 1 and arp_announce 2')
    .option(
      '--proxy-port-range <range>',
      'in userspace mode, ports of the node to relay from: first-last; 0-0: any',
      '0-0',
    )
    .option('--udp-timeout <duration>', 'in userspace mode, how long an idle UDP client keeps its endpoint', '250ms')
    .option('--conntrack-tcp-be-liberal', 'let TCP packets through that conntrack finds invalid');

const DETECT_MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const;

export type Flags = Readonly<Record<string, string | string[] | boolean>>;

/** Those flags as they were given, for another process. */
export const proxyArguments = (flags: Flags): string[] =>
  addProxyFlags(new Command()).options.flatMap(option => {
    const value = flags[option.attributeName()];
    const name = option.long ?? '';
    if (value === true) return [name];
    return typeof value === 'string' ? [name, value] : [];
  });

/** @throws FlagError for a mode that there is not */
export function proxyModeFlag(text: string): ProxyMode {
  if (isProxyMode(text)) return text;
  throw invalidArgument('proxy-mode', text, `there are ${PROXY_MODES.join(', ')}`);
}

const isScheduler = (text: string): text is SchedulerName => (SCHEDULERS as readonly string[]).includes(text);

/** @throws FlagError for a scheduler that IPVS does not have */
function ipvsSchedulerFlag(text: string): SchedulerName {
  const name = text === '' ? 'rr' : text;
  if (isScheduler(name)) return name;
  throw invalidArgument('ipvs-scheduler', text, `there are ${SCHEDULERS.join(', ')}`);
}

/** "first-last", "first+count" or one port, as Go's PortRange; empty or from 0: undefined. @throws FlagError */
function portRangeFlag(name: string, text: string): PortRange | undefined {
  const [, from = '', sign = '-', to = from] = /^(\d{1,5})(?:([-+])(\d{1,5}))?$/.exec(text.trim() || '0') ?? [];
  const first = Number(from);
  const last = sign === '+' ? first + Number(to) : Number(to);
  if (from === '' || last < first || last > 65_535) throw invalidArgument(name, text, 'want ports such as 40000-49999');
  return first === 0 ? undefined : { first, last };
}

/** @throws FlagError */
export function proxySettingsFrom(flags: Flags): ProxySettings {
  const text = (name: string): string => {
    const value = flags[name];
    return typeof value === 'string' ? value : '';
  };
  const detectLocal = detectLocalFrom(text);
  const nodePortAddresses = text('nodeportAddresses') === '' ? undefined : text('nodeportAddresses').split(',');
  for (const address of nodePortAddresses ?? [])
    if (address !== 'primary' && parseCidr(address) === undefined)
      throw invalidArgument('nodeport-addresses', address, 'want CIDRs, or primary');
  const localhost = text('iptablesLocalhostNodeports');
  if (localhost !== 'true' && localhost !== 'false')
    throw invalidArgument('iptables-localhost-nodeports', localhost, 'want true or false');
  const proxyPortRange = portRangeFlag('proxy-port-range', text('proxyPortRange'));
  const udpTimeoutMs = durationFlag('udp-timeout', text('udpTimeout') || '250ms');
  if (udpTimeoutMs <= 0) throw invalidArgument('udp-timeout', text('udpTimeout'), 'must be greater than 0');
  return {
    mode: proxyModeFlag(text('proxyMode')),
    ...(detectLocal === undefined ? {} : { detectLocal }),
    masqueradeAll: flags['masqueradeAll'] === true,
    masqueradeBit: integerFlag('iptables-masquerade-bit', text('iptablesMasqueradeBit'), 0, 31),
    ...(nodePortAddresses === undefined ? {} : { nodePortAddresses }),
    localhostNodePorts: localhost === 'true',
    conntrackTCPLiberal: flags['conntrackTcpBeLiberal'] === true,
    ipvsScheduler: ipvsSchedulerFlag(text('ipvsScheduler')),
    ipvsStrictArp: flags['ipvsStrictArp'] === true,
    ...(proxyPortRange === undefined ? {} : { proxyPortRange }),
    udpTimeoutMs,
  };
}

function detectLocalFrom(text: (name: string) => string): DetectLocal | undefined {
  const mode = text('detectLocalMode');
  switch (mode) {
    case 'ClusterCIDR':
      return text('clusterCidr') === '' ? undefined : { kind: 'clusterCidr', cidrs: text('clusterCidr').split(',') };
    case 'NodeCIDR':
      return { kind: 'nodeCidr' };
    case 'BridgeInterface':
      if (text('podBridgeInterface') === '')
        throw new FlagError('--detect-local-mode BridgeInterface needs --pod-bridge-interface');
      return { kind: 'bridgeInterface', name: text('podBridgeInterface') };
    case 'InterfaceNamePrefix':
      if (text('podInterfaceNamePrefix') === '')
        throw new FlagError('--detect-local-mode InterfaceNamePrefix needs --pod-interface-name-prefix');
      return { kind: 'interfaceNamePrefix', prefix: text('podInterfaceNamePrefix') };
    default:
      throw invalidArgument('detect-local-mode', mode, `there are ${DETECT_MODES.join(', ')}`);
  }
}
