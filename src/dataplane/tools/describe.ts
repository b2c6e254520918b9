import { entryText } from '../kernel/ipset/ipset.js';
import type { Kernel } from '../kernel/types.js';
import type { TableName } from '../kernel/xtables/rule.js';
import { saveText } from './iptables/rule-text.js';
import { nftRuleText } from './nft/rule-text.js';
import { elementText } from './nft/set-text.js';

/** Every chain and rule with its counters and the API object behind it. */
function describeXtables(kernel: Kernel, table?: TableName) {
  return kernel.xtables
    .tables()
    .filter(t => t.touched && (table === undefined || t.table === table))
    .map(({ table: name, chains }) => ({
      table: name,
      chains: chains.map(chain => ({
        name: chain.name,
        ...(chain.policy === undefined ? {} : { policy: chain.policy }),
        packets: chain.packets,
        bytes: chain.bytes,
        rules: chain.rules.map(({ rule, packets, bytes }, i) => ({
          number: i + 1,
          text: saveText(rule, kernel.family),
          packets,
          bytes,
          ...(rule.origin === undefined ? {} : { origin: rule.origin }),
        })),
      })),
    }));
}

/** The same of nftables: sets and maps with their elements, chains with their rules. */
const describeNftables = ({ nftables, family }: Kernel) =>
  nftables.tables().map(({ name, sets, chains }) => ({
    table: name,
    sets: [...sets.values()].map(({ set, elements, learned }) => ({
      name: set.name,
      kind: set.kind,
      elements: [...[...elements.values()].map(elementText), ...learned.keys()],
    })),
    chains: [...chains.values()].map(({ chain, rules }) => ({
      name: chain.name,
      ...(chain.base === undefined ? {} : chain.base),
      rules: rules.map((rule, i) => ({
        number: i + 1,
        text: nftRuleText(rule, family),
        ...(rule.origin === undefined ? {} : { origin: rule.origin }),
      })),
    })),
  }));

/** The same of IPVS: virtual servers with their real ones, and the sets that rules ask. */
const describeIpvs = ({ ipvs }: Kernel) =>
  ipvs.virtualServers().map(({ definition: { realServers: _wanted, origin, ...definition }, servers }) => ({
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
  ipsets
    .all()
    .map(set => ({ name: set.name, type: set.type, entries: [...set.entries].map(key => entryText(set, key)) }));

/** All that is loaded into a kernel, as JSON; `table`: only that one of iptables. */
export const describeKernel = (kernel: Kernel, table?: TableName) => ({
  family: kernel.family,
  tables: describeXtables(kernel, table),
  nftables: table === undefined ? describeNftables(kernel) : [],
  ipvs: table === undefined ? describeIpvs(kernel) : [],
  ipsets: table === undefined ? describeIpsets(kernel) : [],
});
