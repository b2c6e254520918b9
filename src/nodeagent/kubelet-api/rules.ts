import { entryText } from '../../dataplane/kernel/ipset/ipset.js';
import { printIpsetSave } from '../../dataplane/tools/ipset/print-save.js';
import { printSave } from '../../dataplane/tools/iptables/print-save.js';
import { saveText } from '../../dataplane/tools/iptables/rule-text.js';
import { printIpvsadmList } from '../../dataplane/tools/ipvsadm/print-list.js';
import { printIpvsadmSave } from '../../dataplane/tools/ipvsadm/print-save.js';
import { printNftList } from '../../dataplane/tools/nft/print-list.js';
import { nftRuleText } from '../../dataplane/tools/nft/rule-text.js';
import { elementText } from '../../dataplane/tools/nft/set-text.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { TableName } from '../../dataplane/kernel/xtables/rule.js';
import { familyLike } from '../network/links.js';
import { HttpError, sendJson, sendText, type KubeletContext, type KubeletRoute } from './types.js';

const TABLES: readonly string[] = ['raw', 'mangle', 'nat', 'filter'];

/** Every chain and rule with its counters and the API object behind it. */
export function describeRules(kernel: Kernel, table?: TableName) {
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
export const describeNftables = ({ nftables, family }: Kernel) =>
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
export const describeIpvs = ({ ipvs }: Kernel) =>
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

export const describeIpsets = ({ ipsets }: Kernel) =>
  ipsets
    .all()
    .map(set => ({ name: set.name, type: set.type, entries: [...set.entries].map(key => entryText(set, key)) }));

const FORMATS = ['iptables-save', 'nft', 'ipvsadm-save', 'ipvsadm-list', 'ipset-save', 'json'] as const;

/** What the tool of the node's mode lists. */
function formatOfMode({ nftables, ipvs }: Kernel): (typeof FORMATS)[number] {
  if (nftables.tables().length > 0) return 'nft';
  return ipvs.virtualServers().length > 0 ? 'ipvsadm-save' : 'iptables-save';
}

/** Of the family that is asked for, or the node's primary one. @throws HttpError for one that there is not */
function kernelOf({ kernels, network }: KubeletContext, family: string | null): Kernel {
  switch (family) {
    case null:
      return kernels[familyLike(network.node.addresses[0])];
    case 'ipv4':
      return kernels.IPv4;
    case 'ipv6':
      return kernels.IPv6;
    default:
      throw new HttpError(400, `unknown family ${JSON.stringify(family)}: there are ipv4, ipv6`);
  }
}

/**
 * GET /rules?format=(one of FORMATS)&family=ipv4|ipv6&table=nat&counters=true. Without a format: as the tool of the node's
 * mode has it; without a family: the node's primary one.
 */
export const rules: KubeletRoute = async (context, { url, response }) => {
  const { nodeName } = context;
  const kernel = kernelOf(context, url.searchParams.get('family'));
  const format = url.searchParams.get('format') ?? formatOfMode(kernel);
  const table = url.searchParams.get('table') ?? undefined;
  if (table !== undefined && !TABLES.includes(table))
    throw new HttpError(400, `unknown table ${JSON.stringify(table)}`);
  const only = table === undefined ? {} : { table: table as TableName };
  switch (format) {
    case 'iptables-save': {
      const counters = url.searchParams.get('counters') === 'true';
      return sendText(response, printSave(kernel, { ...only, counters }));
    }
    case 'nft':
      return sendText(response, printNftList(kernel));
    case 'ipvsadm-save':
      return sendText(response, printIpvsadmSave(kernel));
    case 'ipvsadm-list':
      return sendText(response, printIpvsadmList(kernel));
    case 'ipset-save':
      return sendText(response, printIpsetSave(kernel));
    case 'json':
      return sendJson(response, {
        node: nodeName,
        family: kernel.family,
        tables: describeRules(kernel, only.table),
        nftables: describeNftables(kernel),
        ipvs: describeIpvs(kernel),
        ipsets: describeIpsets(kernel),
      });
    default:
      throw new HttpError(400, `unknown format ${JSON.stringify(format)}: there are ${FORMATS.join(', ')}`);
  }
};
