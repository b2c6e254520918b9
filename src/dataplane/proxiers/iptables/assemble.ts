import type { ChainRules, Jump, XtablesCommand, XtablesProgram } from '../../kernel/program.js';
import type { Match, Rule, TableName } from '../../kernel/xtables/rule.js';
import type { Origin } from '../../trace.js';
import { nodePortAddresses } from '../node-port-addresses.js';
import type { ProxierConfig } from '../types.js';
import type { ServiceFragment } from './compile-service.js';
import * as names from './names.js';
import { addrtypeLocal, comment, ctstate, destination, inChains, jump, rule, source } from '../xtables-rules.js';

export interface AssembleInput {
  readonly full: boolean;
  /** All service ports, in order. */
  readonly fragments: readonly ServiceFragment[];
  /** The service ports whose own chains are written; the others' stay as they are in the kernel. */
  readonly changed: ReadonlySet<ServiceFragment>;
  /** Chains of earlier programs that nothing uses any more. */
  readonly staleChains: readonly string[];
}

const PROXY: Origin = { kind: 'Proxy', name: 'kube-proxy' };
const LOOPBACK = { IPv4: '127.0.0.0/8', IPv6: '::1/128' } as const;

/** The part of the rules that depends on the configuration only; made once, so that unchanged rules stay the same objects. */
interface FixedRules {
  readonly firewall: readonly Rule[];
  readonly forward: readonly Rule[];
  readonly postrouting: readonly Rule[];
  readonly nodePorts: readonly Rule[];
}

/**
 * Returns a pure function that joins the service ports' fragments with the fixed chains to a program. The cost is one
 * pass over the dispatch rules.
 */
export function createAssembler(config: ProxierConfig): (input: AssembleInput) => XtablesProgram {
  const fixed: FixedRules = {
    firewall: firewallRules(config),
    forward: forwardRules(config),
    postrouting: postroutingRules(config),
    nodePorts: nodePortRules(config),
  };
  return input => ({
    kind: 'xtables',
    family: config.family,
    full: input.full,
    jumps: input.full ? jumps() : [],
    ensureChains: input.full ? ensuredChains() : [],
    tables: [
      { table: 'filter', chains: filterChains(config), commands: filterCommands(input, fixed) },
      { table: 'nat', chains: natChains(input), commands: natCommands(input, fixed) },
    ],
  });
}

/** In the order in which they are inserted: each lands above the one before. */
function jumps(): Jump[] {
  const state = ctstate(['NEW']);
  const portals = comment('kubernetes service portals');
  const external = comment('kubernetes externally-visible service portals');
  const firewall = comment('kubernetes load balancer firewall');
  const from = (table: TableName, chain: string, target: string, matches: readonly Match[]): Jump => ({
    table,
    rule: rule(chain, matches, jump(target), PROXY),
  });
  return [
    from('filter', 'INPUT', names.EXTERNAL_SERVICES, [state, external]),
    from('filter', 'FORWARD', names.EXTERNAL_SERVICES, [state, external]),
    from('filter', 'INPUT', names.NODEPORTS, [comment('kubernetes health check service ports')]),
    from('filter', 'FORWARD', names.SERVICES, [state, portals]),
    from('filter', 'OUTPUT', names.SERVICES, [state, portals]),
    from('filter', 'FORWARD', names.FORWARD, [comment('kubernetes forwarding rules')]),
    from('filter', 'INPUT', names.PROXY_FIREWALL, [state, firewall]),
    from('filter', 'OUTPUT', names.PROXY_FIREWALL, [state, firewall]),
    from('filter', 'FORWARD', names.PROXY_FIREWALL, [state, firewall]),
    from('nat', 'OUTPUT', names.SERVICES, [portals]),
    from('nat', 'PREROUTING', names.SERVICES, [portals]),
    from('nat', 'POSTROUTING', names.POSTROUTING, [comment('kubernetes postrouting rules')]),
    from('filter', 'INPUT', names.FIREWALL, []),
    from('filter', 'OUTPUT', names.FIREWALL, []),
  ];
}

function ensuredChains(): XtablesProgram['ensureChains'] {
  const canaries = (['mangle', 'nat', 'filter'] as const).map(table => ({ table, chain: names.CANARY }));
  return [...canaries, { table: 'filter', chain: names.FIREWALL }];
}

const filterChains = (config: ProxierConfig): string[] => [
  names.SERVICES,
  names.EXTERNAL_SERVICES,
  names.FORWARD,
  names.NODEPORTS,
  names.PROXY_FIREWALL,
  ...(localhostNodePorts(config) ? [names.FIREWALL] : []),
];

function filterCommands({ fragments }: AssembleInput, fixed: FixedRules): ChainRules[] {
  const rules = [...fixed.firewall];
  for (const fragment of fragments) for (const r of fragment.filter) rules.push(r);
  rules.push(...fixed.forward);
  return inChains(rules);
}

function firewallRules(config: ProxierConfig): Rule[] {
  if (!localhostNodePorts(config)) return [];
  const matches = [
    comment('block incoming localnet connections'),
    destination(LOOPBACK.IPv4),
    source(LOOPBACK.IPv4, true),
    ctstate(['RELATED', 'ESTABLISHED', 'DNAT'], true),
  ];
  return [rule(names.FIREWALL, matches, { kind: 'drop' }, PROXY)];
}

function forwardRules(config: ProxierConfig): Rule[] {
  const mark = masqueradeMark(config);
  const accept = (text: string, match: Match): Rule =>
    rule(names.FORWARD, [comment(text), match], { kind: 'accept' }, PROXY);
  const invalid = rule(names.FORWARD, [ctstate(['INVALID'])], { kind: 'drop' }, PROXY);
  return [
    ...(config.conntrackTCPLiberal === true ? [] : [invalid]),
    accept('kubernetes forwarding rules', { kind: 'mark', value: mark, mask: mark }),
    accept('kubernetes forwarding conntrack rule', ctstate(['RELATED', 'ESTABLISHED'])),
  ];
}

function natChains({ fragments, changed, staleChains }: AssembleInput): string[] {
  const chains = [names.SERVICES, names.NODEPORTS, names.POSTROUTING, names.MARK_MASQ];
  for (const fragment of fragments) if (changed.has(fragment)) for (const chain of fragment.chains) chains.push(chain);
  return [...chains, ...staleChains];
}

function natCommands({ fragments, changed, staleChains }: AssembleInput, fixed: FixedRules): XtablesCommand[] {
  const commands: XtablesCommand[] = inChains(fixed.postrouting);
  for (const fragment of fragments) {
    for (const command of fragment.dispatch) commands.push(command);
    if (changed.has(fragment)) for (const command of fragment.rules) commands.push(command);
  }
  for (const chain of staleChains) commands.push({ kind: 'deleteChain', chain });
  commands.push(...inChains(fixed.nodePorts));
  return commands;
}

function postroutingRules(config: ProxierConfig): Rule[] {
  const mark = masqueradeMark(config);
  const snat = comment('kubernetes service traffic requiring SNAT');
  return [
    rule(names.POSTROUTING, [{ kind: 'mark', value: mark, mask: mark, invert: true }], { kind: 'return' }, PROXY),
    // Cleared, so that the packet is not masqueraded again when it goes through a second time (e.g. a tunnel).
    rule(names.POSTROUTING, [], { kind: 'mark', op: 'xor', value: mark, mask: 0 }, PROXY),
    rule(names.POSTROUTING, [snat], { kind: 'masquerade', randomFully: true }, PROXY),
    rule(names.MARK_MASQ, [], { kind: 'mark', op: 'or', value: mark, mask: mark }, PROXY),
  ];
}

const masqueradeMark = (config: ProxierConfig): number => (1 << (config.masqueradeBit ?? 14)) >>> 0;

/** The tail of KUBE-SERVICES: what was no service address may be a node port. */
function nodePortRules(config: ProxierConfig): Rule[] {
  const text = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  const nodePorts = (matches: readonly Match[]): Rule =>
    rule(names.SERVICES, [text, ...matches], jump(names.NODEPORTS), PROXY);
  if (matchesAllAddresses(config)) {
    const excluded = config.family === 'IPv6' || !localhostNodePorts(config);
    const loopback = excluded ? [destination(LOOPBACK[config.family], true)] : [];
    return [nodePorts([addrtypeLocal('dst'), ...loopback])];
  }
  const candidates = [...config.nodeAddresses, ...(localhostNodePorts(config) ? ['127.0.0.1'] : [])];
  return (nodePortAddresses(config, candidates) ?? []).map(ip => nodePorts([destination(ip)]));
}

const matchesAllAddresses = (config: ProxierConfig): boolean => nodePortAddresses(config) === undefined;

/** Node ports on 127.0.0.1 need route_localnet, which KUBE-FIREWALL guards; only where loopback accepts node ports at all. */
function localhostNodePorts(config: ProxierConfig): boolean {
  if (config.localhostNodePorts === false || config.family === 'IPv6') return false;
  return nodePortAddresses(config, ['127.0.0.1'])?.length !== 0;
}
