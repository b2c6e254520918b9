import { printSave } from '../../dataplane/tools/iptables/print-save.js';
import { saveText } from '../../dataplane/tools/iptables/rule-text.js';
import { printNftList } from '../../dataplane/tools/nft/print-list.js';
import { nftRuleText } from '../../dataplane/tools/nft/rule-text.js';
import { elementText } from '../../dataplane/tools/nft/set-text.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { TableName } from '../../dataplane/kernel/xtables/rule.js';
import { HttpError, sendJson, sendText, type KubeletRoute } from './types.js';

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

const FORMATS = ['iptables-save', 'nft', 'json'] as const;

/** GET /rules?format=iptables-save|nft|json&table=nat&counters=true. Without a format: as the tool of the node's mode has it. */
export const rules: KubeletRoute = async ({ kernel, nodeName }, { url, response }) => {
  const ofMode = kernel.nftables.tables().length > 0 ? 'nft' : 'iptables-save';
  const format = url.searchParams.get('format') ?? ofMode;
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
    case 'json':
      return sendJson(response, {
        node: nodeName,
        family: kernel.family,
        tables: describeRules(kernel, only.table),
        nftables: describeNftables(kernel),
      });
    default:
      throw new HttpError(400, `unknown format ${JSON.stringify(format)}: there are ${FORMATS.join(', ')}`);
  }
};
