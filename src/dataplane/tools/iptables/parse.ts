import { NetfilterError } from '../../kernel/errors.js';
import { BUILTIN_CHAINS, TABLES } from '../../kernel/xtables/builtin-chains.js';
import type { Rule, TableName } from '../../kernel/xtables/rule.js';
import type { Family } from '../../packet.js';
import { MAX_LINE_LENGTH, numberedLines, TEXT_LIMITS } from '../lines.js';
import { parseRule } from './parse-rule.js';

interface At {
  /** 1-based line of the text. */
  readonly line: number;
}

interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

export type RestoreCommand = At &
  (
    | ({ readonly kind: 'declare'; readonly chain: string; readonly policy?: 'ACCEPT' | 'DROP' } & Counters)
    | ({ readonly kind: 'append'; readonly rule: Rule } & Counters)
    | ({ readonly kind: 'insert'; readonly rule: Rule; readonly position: number } & Counters)
    | { readonly kind: 'delete'; readonly chain: string; readonly position: number }
    | { readonly kind: 'delete'; readonly chain: string; readonly rule: Rule }
    | { readonly kind: 'flush' | 'newChain' | 'deleteChain'; readonly chain: string }
  );

/** One `*table ... COMMIT`. */
export interface RestoreBlock {
  readonly table: TableName;
  readonly commands: readonly RestoreCommand[];
}

/** Reads iptables-restore input, and so iptables-save output. Throws NetfilterError naming the line. */
export function* parseRestore(text: string, family: Family, limits = TEXT_LIMITS): Generator<RestoreBlock> {
  let block: { table: TableName; commands: RestoreCommand[] } | undefined;
  let last = 0;
  for (const [number, raw] of numberedLines(text, limits)) {
    last = number;
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      if (line.length > MAX_LINE_LENGTH) throw new NetfilterError(`the line is longer than ${MAX_LINE_LENGTH}`);
      if (line.startsWith('*')) {
        block = { table: tableName(line.slice(1)), commands: [] };
      } else if (block === undefined) {
        throw new NetfilterError(`"${line}" stands outside of a table`);
      } else if (line === 'COMMIT') {
        yield block;
        block = undefined;
      } else {
        block.commands.push(parseLine(line, number, family, block.table));
      }
    } catch (error) {
      if (error instanceof NetfilterError && !error.message.startsWith('line ')) {
        throw new NetfilterError(`line ${number}: ${error.message}`);
      }
      throw error;
    }
  }
  if (block !== undefined) throw new NetfilterError(`COMMIT expected at line ${last}`);
}

function tableName(text: string): TableName {
  const table = TABLES.find(name => name === text);
  if (table === undefined) throw new NetfilterError(`table name '${text}' invalid`);
  return table;
}

function parseLine(text: string, line: number, family: Family, table: TableName): RestoreCommand {
  if (text.startsWith(':')) return parseDeclaration(text, line, table);
  const counters = /^\[(\d+):(\d+)\]\s+/.exec(text);
  const packets = Number(counters?.[1] ?? 0);
  const bytes = Number(counters?.[2] ?? 0);
  const [option, chain, ...rest] = tokenize(text.slice(counters?.[0].length ?? 0));
  if (option === undefined || !option.startsWith('-')) throw new NetfilterError(`Bad argument \`${option ?? ''}'`);
  if (chain === undefined) throw new NetfilterError(`option "${option}" requires an argument`);
  const rule = (args: readonly string[]): Rule => parseRule(chain, args, family);
  const number = rest[0] !== undefined && /^\d+$/.test(rest[0]) ? Number(rest[0]) : undefined;
  switch (option) {
    case '-A':
    case '--append':
      return { kind: 'append', line, rule: rule(rest), packets, bytes };
    case '-I':
    case '--insert':
      return number === undefined
        ? { kind: 'insert', line, rule: rule(rest), position: 1, packets, bytes }
        : { kind: 'insert', line, rule: rule(rest.slice(1)), position: number, packets, bytes };
    case '-D':
    case '--delete':
      return number === undefined || rest.length > 1
        ? { kind: 'delete', line, chain, rule: rule(rest) }
        : { kind: 'delete', line, chain, position: number };
    case '-F':
    case '--flush':
      return { kind: 'flush', line, chain };
    case '-N':
    case '--new-chain':
      return { kind: 'newChain', line, chain };
    case '-X':
    case '--delete-chain':
      return { kind: 'deleteChain', line, chain };
    default:
      throw new NetfilterError(`unknown option "${option}"`);
  }
}

function parseDeclaration(text: string, line: number, table: TableName): RestoreCommand {
  const parts = /^:(\S+)\s+(\S+)(?:\s+\[(\d+):(\d+)\])?$/.exec(text);
  const chain = parts?.[1];
  if (chain === undefined) throw new NetfilterError('chain name invalid');
  const policy = parts?.[2];
  const counters = { packets: Number(parts?.[3] ?? 0), bytes: Number(parts?.[4] ?? 0) };
  if (policy === '-') return { kind: 'declare', line, chain, ...counters };
  if ((policy !== 'ACCEPT' && policy !== 'DROP') || !BUILTIN_CHAINS[table].includes(chain)) {
    throw new NetfilterError(`Can't set policy \`${policy ?? ''}' on \`${chain}': Bad policy name`);
  }
  return { kind: 'declare', line, chain, policy, ...counters };
}

/** Words, with "double quoted" ones and backslash escapes inside quotes. */
export function tokenize(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (quoted && character === '\\') word = (word ?? '') + (text[++i] ?? '');
    else if (character === '"') {
      quoted = !quoted;
      word ??= '';
    } else if (!quoted && (character === ' ' || character === '\t')) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quoted) throw new NetfilterError('unterminated quote');
  return word === undefined ? words : [...words, word];
}
