import { printSave } from '../../dataplane/tools/iptables/print-save.js';
import { saveText } from '../../dataplane/tools/iptables/rule-text.js';
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

/** GET /rules?format=iptables-save|json&table=nat&counters=true */
export const rules: KubeletRoute = async ({ kernel, nodeName }, { url, response }) => {
  const format = url.searchParams.get('format') ?? 'iptables-save';
  const table = url.searchParams.get('table') ?? undefined;
  if (table !== undefined && !TABLES.includes(table))
    throw new HttpError(400, `unknown table ${JSON.stringify(table)}`);
  const only = table === undefined ? {} : { table: table as TableName };
  if (format === 'iptables-save') {
    const counters = url.searchParams.get('counters') === 'true';
    return sendText(response, printSave(kernel, { ...only, counters }));
  }
  if (format === 'json')
    return sendJson(response, {
      node: nodeName,
      family: kernel.family,
      tables: describeRules(kernel, only.table),
    });
  throw new HttpError(400, `unknown format ${JSON.stringify(format)}: there are iptables-save, json`);
};
