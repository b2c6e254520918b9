import { familyOf } from '../../machinery/ip.js';
import { parseRestore, type RestoreBlock } from '../tools/iptables/parse.js';
import { saveText } from '../tools/iptables/rule-text.js';
import type {
  ConnectRequest,
  Connection,
  Evaluation,
  Netfilter,
  NetfilterOptions,
  Packet,
  Route,
  Ruleset,
  TableName,
  TcpFlags,
} from '../types.js';
import { BUILTIN_CHAINS, TABLES } from './xtables/builtin-chains.js';
import { createConntrack, type Direction, type MutableEntry } from './conntrack.js';
import { NetfilterError } from './errors.js';
import { evaluate, type Machine } from './path.js';
import { createRecentLists } from './xtables/recent.js';
import { checkLoops, createTable, editTable, newLoadedRule, type TableEdit } from './xtables/table.js';

/** See `Netfilter` for the contract. */
export function createNetfilter(options: NetfilterOptions): Netfilter {
  const { clock } = options;
  const family = options.family ?? 'IPv4';
  const tables = {
    raw: createTable('raw'),
    mangle: createTable('mangle'),
    nat: createTable('nat'),
    filter: createTable('filter'),
  };
  const conntrack = createConntrack(clock);
  const recent = createRecentLists(clock);

  const addresses = (): readonly string[] => options.nodeIPs().filter(address => familyOf(address) === family);
  const isLocal = (address: string): boolean =>
    (family === 'IPv4' ? address.startsWith('127.') : address === '::1') || addresses().includes(address);
  const primaryAddress = (): string | undefined => addresses()[0];
  const defaultRoute = (destination: string): Route => {
    const source = primaryAddress();
    const local = isLocal(destination);
    return { local, outInterface: local ? 'lo' : 'eth0', ...(source === undefined ? {} : { sourceAddress: source }) };
  };
  const machine: Machine = {
    family,
    tables,
    conntrack,
    recent,
    random: () => options.random(),
    isLocal,
    route: destination => options.route?.(destination) ?? defaultRoute(destination),
    primaryAddress,
    masquerades: packet => options.masquerades?.(packet) ?? false,
  };

  /** Checks every edit before the first is committed. */
  function commit(edits: Iterable<TableEdit>): void {
    const all = [...edits];
    for (const edit of all) edit.check();
    for (const edit of all) edit.commit();
    recent.keepOnly(name => Object.values(tables).some(table => table.recentUsers.has(name)));
  }

  return {
    family,
    clock,
    apply(ruleset) {
      const edits = new Map<TableName, TableEdit>();
      applyRuleset(ruleset, name => {
        const edit = edits.get(name) ?? editTable(tables[name]);
        edits.set(name, edit);
        return edit;
      });
      commit(edits.values());
    },
    restore(text, { noflush = false } = {}) {
      // As iptables-restore, each COMMIT stands for itself: a later bad block leaves the earlier ones loaded.
      for (const block of parseRestore(text, family)) {
        const edit = editTable(tables[block.table]);
        applyBlock(edit, block, noflush);
        edit.check();
        checkLoops(edit, BUILTIN_CHAINS[block.table]);
        commit([edit]);
      }
    },
    evaluate: (packet, context) => evaluate(machine, packet, context),
    connect: request => connect(machine, request),
    tables: () =>
      TABLES.map(name => ({
        table: name,
        touched: tables[name].touched,
        chains: [...tables[name].chains.values()].map(({ name: chain, policy, packets, bytes, rules }) => ({
          name: chain,
          ...(policy === undefined ? {} : { policy }),
          packets,
          bytes,
          rules,
        })),
      })),
    conntrack: () => conntrack.entries(),
    cleanupUdp: services => conntrack.cleanupUdp(services),
    recent: () => recent.snapshot(),
  };
}

function applyRuleset(ruleset: Ruleset, editOf: (table: TableName) => TableEdit): void {
  for (const { table, chain } of ruleset.ensureChains) editOf(table).ensureChain(chain);
  for (const { table, rule } of ruleset.jumps) {
    const edit = editOf(table);
    if (rule.verdict.kind === 'jump') edit.ensureChain(rule.verdict.chain);
    const text = saveText(rule, ruleset.family);
    if (edit.rules(rule.chain).some(loaded => saveText(loaded.rule, ruleset.family) === text)) continue;
    edit.insert(newLoadedRule(rule), 1);
  }
  for (const { table, chains, commands } of ruleset.tables) {
    const edit = editOf(table);
    for (const chain of chains) edit.declare(chain);
    for (const command of commands) {
      if (command.kind === 'rule') edit.append(newLoadedRule(command));
      else edit.deleteChain(command.chain);
    }
  }
}

function applyBlock(edit: TableEdit, block: RestoreBlock, noflush: boolean): void {
  if (!noflush) edit.flushAll();
  for (const command of block.commands) {
    try {
      switch (command.kind) {
        case 'declare':
          edit.declare(command.chain, command.policy, command.packets, command.bytes);
          break;
        case 'append':
          edit.append(newLoadedRule(command.rule, command.packets, command.bytes));
          break;
        case 'insert':
          edit.insert(newLoadedRule(command.rule, command.packets, command.bytes), command.position);
          break;
        case 'delete':
          edit.removeRule(command.chain, 'position' in command ? command.position : findRule(edit, command));
          break;
        case 'flush':
          edit.declare(command.chain);
          break;
        case 'newChain':
          if (edit.has(command.chain)) throw new NetfilterError('Chain already exists.');
          edit.ensureChain(command.chain);
          break;
        case 'deleteChain':
          edit.deleteChain(command.chain);
          break;
        default:
          command satisfies never;
      }
    } catch (error) {
      if (error instanceof NetfilterError) throw new NetfilterError(`line ${command.line} failed: ${error.message}`);
      throw error;
    }
  }
}

function findRule(
  edit: TableEdit,
  command: { readonly chain: string; readonly rule: Parameters<typeof saveText>[0] },
): number {
  // The text form does not depend on how the rule was written; the family only shows in masks, the same on both sides.
  const wanted = saveText(command.rule, 'IPv4');
  const position = edit.rules(command.chain).findIndex(loaded => saveText(loaded.rule, 'IPv4') === wanted);
  if (position < 0) throw new NetfilterError('Bad rule (does a matching rule exist in that chain?).');
  return position + 1;
}

/** The usual length of a TCP segment without data. */
const DEFAULT_SIZE = 60;

function connect(machine: Machine, request: ConnectRequest): Connection {
  const dryRun = request.dryRun === true;
  const first: Packet = {
    protocol: request.proto,
    src: request.src,
    srcPort: request.srcPort,
    dst: request.dst,
    dstPort: request.dstPort,
    ...(request.inInterface === undefined ? {} : { inInterface: request.inInterface }),
    mark: 0,
    size: request.size ?? DEFAULT_SIZE,
    ...(request.proto === 'tcp' ? { flags: 'syn' as const } : {}),
  };
  const opened = evaluate(machine, first, { hook: request.hook, dryRun });

  const flowEntry = (): MutableEntry => {
    if (opened.entry === undefined) throw new NetfilterError('the connection was not let through');
    return opened.entry as MutableEntry;
  };
  const pass = (direction: Direction, size: number, flags: TcpFlags): Evaluation => {
    const entry = flowEntry();
    const tuple = direction === 'original' ? entry.original : entry.reply;
    // The answer of a socket of this node starts here; another comes in from where the packet went out.
    const answerHook = opened.delivery === 'local' ? 'output' : 'prerouting';
    const inInterface = direction === 'original' ? first.inInterface : opened.packet.outInterface;
    const packet: Packet = {
      ...tuple,
      ...(inInterface === undefined ? {} : { inInterface }),
      mark: 0,
      size,
      ...(tuple.protocol === 'tcp' ? { flags } : {}),
    };
    const hook = direction === 'original' ? request.hook : answerHook;
    return evaluate(machine, packet, { hook, dryRun, ...(dryRun ? { flow: { entry, direction } } : {}) });
  };
  return {
    ...opened,
    send: (size = DEFAULT_SIZE) => pass('original', size, 'ack'),
    reply(size = DEFAULT_SIZE) {
      const opening = flowEntry().tcpState === 'SYN_SENT';
      const answer = pass('reply', size, opening ? 'synack' : 'ack');
      if (opening && answer.verdict === 'accept') pass('original', DEFAULT_SIZE, 'ack');
      return answer;
    },
    close() {
      const entry = opened.entry as MutableEntry | undefined;
      if (dryRun || entry?.confirmed !== true || entry.tcpState === undefined) return;
      machine.conntrack.advance(entry, 'original', 'fin');
      machine.conntrack.advance(entry, 'reply', 'fin');
    },
  };
}
