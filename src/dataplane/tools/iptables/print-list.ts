import { parseCidr } from '../../../machinery/cidr.js';
import { joinHostPort } from '../../../machinery/ip.js';
import type { Kernel } from '../../kernel/types.js';
import { BUILTIN_CHAINS } from '../../kernel/xtables/builtin-chains.js';
import {
  defaultReject,
  inKernelOrder,
  kernelProbability,
  setXmark,
  STATE_ORDER,
} from '../../kernel/xtables/kernel-form.js';
import type { ChainSnapshot, Match, Rule, RuleSnapshot, TableName, Verdict } from '../../kernel/xtables/rule.js';
import type { Family, Packet } from '../../packet.js';
import { orderedChains } from './ordered-chains.js';

export interface PrintListOptions {
  readonly table: TableName;
  /** Only this one. */
  readonly chain?: string;
  /** -v: counters and interfaces. */
  readonly verbose?: boolean;
  /** -n: no names of addresses, protocols and ports. */
  readonly numeric?: boolean;
  /** -x: counters as they are. */
  readonly exact?: boolean;
  readonly lineNumbers?: boolean;
  /** The name of a port, where it has one. */
  readonly portName?: (port: number) => string;
}

/** What `iptables -L` 1.8.9 (nf_tables) prints of a table, chain by chain; of a chain that is not there nothing. */
export function* listLines({ family, xtables }: Kernel, options: PrintListOptions): Generator<string> {
  const table = xtables.tables().find(each => each.table === options.table);
  if (table === undefined) return;
  const references = new Map<string, number>();
  for (const { rules } of table.chains) {
    yield '';
    for (const { rule } of rules) {
      const { verdict } = rule;
      if (verdict.kind === 'jump' || verdict.kind === 'goto')
        references.set(verdict.chain, (references.get(verdict.chain) ?? 0) + 1);
    }
  }
  const builtin = BUILTIN_CHAINS[options.table];
  let between = '';
  for (const chain of yield* orderedChains(table)) {
    if (options.chain !== undefined && chain.name !== options.chain) continue;
    const head = builtin.includes(chain.name)
      ? `policy ${policyText(chain, options)}`
      : `${references.get(chain.name) ?? 0} references`;
    yield `${between}Chain ${chain.name} (${head})\n${titles(options)}\n`;
    between = '\n';
    for (const [at, rule] of chain.rules.entries()) yield `${ruleLine(rule, at + 1, family, options)}\n`;
  }
}

function policyText(
  { policy = 'ACCEPT', packets, bytes }: ChainSnapshot,
  { verbose, exact }: PrintListOptions,
): string {
  if (verbose !== true) return policy;
  const count = (value: number): string => (exact === true ? String(value) : counterText(value, 0));
  return `${policy} ${count(packets)} packets, ${count(bytes)} bytes`;
}

const titles = ({ verbose, exact, lineNumbers }: PrintListOptions): string => {
  const number = lineNumbers === true ? 'num  ' : '';
  const counters = verbose !== true ? '' : exact === true ? '    pkts      bytes ' : ' pkts bytes ';
  const links = verbose === true ? 'in     out     ' : '';
  return `${number}${counters}target     prot opt ${links}source               destination         `;
};

/** 100000 is "100K": a thousand at a time, as long as it does not fit (FMT_KILOMEGAGIGA). */
function counterText(value: number, width: number): string {
  if (value <= 99_999) return String(value).padStart(width);
  let left = value;
  for (const unit of ['K', 'M', 'G', 'T']) {
    left = Math.floor((left + 500) / 1000);
    if (left <= 9999 || unit === 'T') return `${left}${unit}`.padStart(width);
  }
  return String(value);
}

const PROTOCOL_NUMBERS: Readonly<Record<Packet['protocol'], number>> = {
  tcp: 6,
  udp: 17,
  sctp: 132,
  icmp: 1,
  'ipv6-icmp': 58,
};

function ruleLine(
  { rule, packets, bytes }: RuleSnapshot,
  number: number,
  family: Family,
  options: PrintListOptions,
): string {
  const { verbose, exact, numeric, lineNumbers } = options;
  const find = <K extends Match['kind']>(kind: K): Extract<Match, { kind: K }> | undefined =>
    rule.matches.find((match): match is Extract<Match, { kind: K }> => match.kind === kind);
  const counters =
    verbose !== true
      ? ''
      : exact === true
        ? `${String(packets).padStart(8)} ${String(bytes).padStart(8)} `
        : `${counterText(packets, 5)} ${counterText(bytes, 5)} `;
  const protocol = find('protocol');
  const shown =
    protocol === undefined
      ? numeric === true
        ? '0'
        : 'all'
      : numeric === true
        ? String(PROTOCOL_NUMBERS[protocol.protocol])
        : protocol.protocol;
  const proto = `${protocol?.invert === true ? '!' : ''}${shown}`;
  const link = (match: { readonly name: string; readonly invert?: boolean } | undefined): string =>
    `${match === undefined ? (numeric === true ? '*' : 'any') : `${match.invert === true ? '!' : ''}${match.name}`}`.padEnd(
      6,
    );
  const links = verbose === true ? ` ${link(find('inInterface'))} ${link(find('outInterface'))} ` : '';
  const address = (match: Extract<Match, { kind: 'source' | 'destination' }> | undefined): string => {
    const everything = numeric === true ? (family === 'IPv4' ? '0.0.0.0/0' : '::/0') : 'anywhere';
    const range = match === undefined ? undefined : parseCidr(match.cidr);
    const text =
      range === undefined || (range.prefix === 0 && match?.invert !== true)
        ? everything
        : range.prefix === (family === 'IPv4' ? 32 : 128)
          ? range.network
          : range.text;
    return `${match?.invert === true ? '!' : ' '}${text.padEnd(19)}`;
  };
  const line = lineNumbers === true ? String(number).padEnd(4) + ' ' : '';
  const where = `${address(find('source'))} ${address(find('destination'))} `;
  const went = rule.verdict.kind === 'goto' ? '[goto] ' : '';
  const more = [...matchTexts(rule, family, options), ...verdictTexts(rule.verdict, family)];
  return `${line}${counters}${targetName(rule.verdict).padEnd(9)}  ${proto.padEnd(4)} -- ${links}${where}${went}${more.map(text => ` ${text}`).join('')}`;
}

function targetName(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'none':
      return '';
    case 'jump':
    case 'goto':
      return verdict.chain;
    case 'notrack':
      return 'CT';
    default:
      return verdict.kind.toUpperCase();
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const not = (match: { readonly invert?: boolean }): string => (match.invert === true ? '! ' : '');

/** Every match with its own text, ports with the module that they belong to. */
function matchTexts(rule: Rule, family: Family, { numeric, portName }: PrintListOptions): string[] {
  const port = (value: number): string => (numeric === true ? String(value) : (portName?.(value) ?? String(value)));
  const texts: string[] = [];
  for (const match of inKernelOrder(rule.matches)) {
    switch (match.kind) {
      case 'source':
      case 'destination':
      case 'inInterface':
      case 'outInterface':
      case 'protocol':
        break;
      case 'l4':
        texts.push(match.protocol);
        break;
      case 'sourcePort':
      case 'destinationPort': {
        const side = match.kind === 'sourcePort' ? 'spt' : 'dpt';
        const inverted = match.invert === true ? '!' : '';
        const range =
          match.from === match.to
            ? `${side}:${inverted}${port(match.from)}`
            : `${side}s:${inverted}${port(match.from)}:${port(match.to)}`;
        texts.push(range);
        break;
      }
      case 'comment':
        texts.push(`/* ${match.text} */`);
        break;
      case 'conntrack':
        texts.push(
          `${not(match)}${match.alias === 'state' ? 'state' : 'ctstate'} ${STATE_ORDER.filter(state => match.states.includes(state)).join(',')}`,
        );
        break;
      case 'mark':
        texts.push(
          `mark match ${not(match)}${hex(match.value)}${match.mask === 0xffffffff ? '' : `/${hex(match.mask)}`}`,
        );
        break;
      case 'addrtype':
        texts.push(`ADDRTYPE match ${match.side}-type ${match.invert === true ? '!' : ''}${match.type}`);
        break;
      case 'physdevIsIn':
        texts.push(`PHYSDEV match ${not(match)}--physdev-is-in`);
        break;
      case 'statistic':
        texts.push(
          `statistic mode random ${not(match)}probability ${kernelProbability(match.probability).toFixed(11)}`,
        );
        break;
      case 'recent': {
        const action = { set: 'SET', rcheck: 'CHECK', update: 'UPDATE', remove: 'REMOVE' }[match.action];
        const seconds = match.seconds === undefined ? '' : `seconds: ${match.seconds} `;
        const reap = match.reap === true ? 'reap ' : '';
        const mask = family === 'IPv4' ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
        texts.push(`${not(match)}recent: ${action} ${seconds}${reap}name: ${match.name} side: source mask: ${mask}`);
        break;
      }
      case 'set':
        texts.push(`${not(match)}match-set ${match.set} ${match.sides.join(',')}`);
        break;
      case 'ipvs':
        texts.push(
          `${not(match)}vproto ${PROTOCOL_NUMBERS[match.protocol]} vaddr ${match.address} vport ${match.port}`,
        );
        break;
      default:
        match satisfies never;
    }
  }
  return texts;
}

function verdictTexts(verdict: Verdict, family: Family): string[] {
  switch (verdict.kind) {
    case 'none':
    case 'accept':
    case 'drop':
    case 'return':
    case 'jump':
    case 'goto':
      return [];
    case 'notrack':
      return ['CT notrack'];
    case 'reject':
      return [`reject-with ${verdict.with ?? defaultReject(family)}`];
    case 'mark': {
      const { value, mask } = setXmark(verdict);
      if (value === 0) return [`MARK and ${hex(~mask >>> 0)}`];
      if (value === mask) return [`MARK or ${hex(value)}`];
      if (mask === 0) return [`MARK xor ${hex(value)}`];
      return mask === 0xffffffff ? [`MARK set ${hex(value)}`] : [`MARK xset ${hex(value)}/${hex(mask)}`];
    }
    case 'dnat':
    case 'snat':
      return [`to:${verdict.port === undefined ? verdict.address : joinHostPort(verdict.address, verdict.port)}`];
    case 'redirect':
      return verdict.port === undefined ? [] : [`redir ports ${verdict.port}`];
    case 'masquerade':
      return verdict.randomFully ? ['random-fully'] : [];
    default:
      return verdict satisfies never;
  }
}
