import { atOnce, type Steps } from '../../machinery/steps.js';
import { entryText } from '../kernel/ipset/ipset.js';
import type { Kernel } from '../kernel/types.js';
import type { TableName } from '../kernel/xtables/rule.js';
import { saveText } from './iptables/rule-text.js';
import { nftRuleText } from './nft/rule-text.js';
import { elementText } from './nft/set-text.js';

/** `each` for all of them; others may have a turn after each one. */
function* listed<T, U>(all: Iterable<T>, each: (one: T, index: number) => U): Steps<U[]> {
  const made: U[] = [];
  for (const one of all) {
    made.push(each(one, made.length));
    yield;
  }
  return made;
}

/** Every chain and rule with its counters and the API object behind it. */
function* describeXtables({ xtables, family }: Kernel, only?: TableName) {
  const tables = [];
  for (const { table, touched, chains } of xtables.tables()) {
    if (!touched || (only !== undefined && only !== table)) continue;
    const described = [];
    for (const { name, policy, packets, bytes, rules } of chains)
      described.push({
        name,
        ...(policy === undefined ? {} : { policy }),
        packets,
        bytes,
        rules: yield* listed(rules, ({ rule, packets, bytes }, i) => ({
          number: i + 1,
          text: saveText(rule, family),
          packets,
          bytes,
          ...(rule.origin === undefined ? {} : { origin: rule.origin }),
        })),
      });
    tables.push({ table, chains: described });
  }
  return tables;
}

/** The same of nftables: sets and maps with their elements, chains with their rules. */
function* describeNftables({ nftables, family }: Kernel) {
  const tables = [];
  for (const { name, sets, chains } of nftables.tables())
    tables.push({
      table: name,
      sets: yield* listed(sets.values(), ({ set, elements, learned }) => ({
        name: set.name,
        kind: set.kind,
        elements: [...[...elements.values()].map(elementText), ...learned.keys()],
      })),
      chains: yield* listed(chains.values(), ({ chain, rules }) => ({
        name: chain.name,
        ...(chain.base === undefined ? {} : chain.base),
        rules: rules.map((rule, i) => ({
          number: i + 1,
          text: nftRuleText(rule, family),
          ...(rule.origin === undefined ? {} : { origin: rule.origin }),
        })),
      })),
    });
  return tables;
}

/** The same of IPVS: virtual servers with their real ones, and the sets that rules ask. */
const describeIpvs = ({ ipvs }: Kernel) =>
  listed(ipvs.virtualServers(), ({ definition: { realServers: _wanted, origin, ...definition }, servers }) => ({
    ...definition,
    realServers: servers.all.map(({ address, port, weight, active, inactive }) => ({
      address,
      port,
      weight,
      activeConnections: active,
      inactiveConnections: inactive,
    })),
    ...(origin === undefined ? {} : { origin }),
  }));

const describeIpsets = ({ ipsets }: Kernel) =>
  listed(ipsets.all(), set => ({
    name: set.name,
    type: set.type,
    entries: [...set.entries].map(key => entryText(set, key)),
  }));

/** All that is loaded into a kernel, as JSON; `table`: only that one of iptables. */
export function* describeSteps(kernel: Kernel, table?: TableName) {
  return {
    family: kernel.family,
    tables: yield* describeXtables(kernel, table),
    nftables: table === undefined ? yield* describeNftables(kernel) : [],
    ipvs: table === undefined ? yield* describeIpvs(kernel) : [],
    ipsets: table === undefined ? yield* describeIpsets(kernel) : [],
  };
}

export const describeKernel = (kernel: Kernel, table?: TableName) => atOnce(describeSteps(kernel, table));
