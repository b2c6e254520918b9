import { parseCidr } from '../../../machinery/cidr.js';
import { canonicalIP } from '../../../machinery/ip.js';
import { NetfilterError } from '../../kernel/errors.js';
import type { CtState } from '../../kernel/flow.js';
import type { AddressType, Match, Rule, Verdict } from '../../kernel/xtables/rule.js';
import type { Family, Protocol } from '../../packet.js';
import { protocol } from './parse-protocol.js';
import { parseIpvs, parseSet } from './parse-set.js';
import { createReader, expect, type Reader, take } from './rule-reader.js';

/** The opposite of the printers: reads a rule's arguments. Throws NetfilterError for what is unknown or malformed. */
export function parseRule(chain: string, args: readonly string[], family: Family): Rule {
  const reader = createReader(args, family);
  let verdict: Verdict = { kind: 'none' };
  for (let option = reader.next(); option !== undefined; option = reader.next()) {
    if (option === '!') reader.invertNext();
    else if (option === '-j' || option === '--jump') verdict = parseTarget(reader);
    else if (option === '-g' || option === '--goto') verdict = { kind: 'goto', chain: reader.value(option) };
    else if (!parseHeader(option, reader) && !parseModule(option, reader)) {
      throw new NetfilterError(option.startsWith('-') ? `unknown option "${option}"` : `Bad argument \`${option}'`);
    }
  }
  return { kind: 'rule', chain, matches: reader.matches, verdict };
}

function parseHeader(option: string, reader: Reader): boolean {
  const { matches } = reader;
  switch (option) {
    case '-s':
    case '--source':
    case '-d':
    case '--destination': {
      const text = reader.value(option);
      const cidr = parseCidr(text);
      if (cidr?.family !== reader.family) throw new NetfilterError(`host/network \`${text}' not found`);
      const kind = option === '-s' || option === '--source' ? 'source' : 'destination';
      matches.push({ kind, cidr: cidr.text, ...reader.takeInvert() });
      return true;
    }
    case '-i':
    case '--in-interface':
    case '-o':
    case '--out-interface': {
      const kind = option === '-i' || option === '--in-interface' ? 'inInterface' : 'outInterface';
      matches.push({ kind, name: reader.value(option), ...reader.takeInvert() });
      return true;
    }
    case '-p':
    case '--protocol':
      matches.push({ kind: 'protocol', protocol: protocol(reader.value(option)), ...reader.takeInvert() });
      return true;
    case '--sport':
    case '--source-port':
    case '--dport':
    case '--destination-port': {
      const kind = option.startsWith('--s') ? 'sourcePort' : 'destinationPort';
      matches.push({ kind, ...ports(reader.value(option)), ...reader.takeInvert() });
      return true;
    }
    default:
      return false;
  }
}

function ports(text: string): { from: number; to: number } {
  const [from, to] = text.split(':');
  const low = from === '' ? 0 : Number(from);
  const high = to === undefined ? low : to === '' ? 65_535 : Number(to);
  const valid = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535;
  if (!valid(low) || !valid(high)) throw new NetfilterError(`invalid port/service \`${text}' specified`);
  return { from: low, to: high };
}

function parseModule(option: string, reader: Reader): boolean {
  if (option !== '-m' && option !== '--match') return false;
  const name = reader.value(option);
  switch (name) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      reader.matches.push({ kind: 'l4', protocol: name satisfies Protocol });
      return true;
    case 'comment':
      expect(reader, '--comment');
      reader.matches.push({ kind: 'comment', text: reader.value('--comment') });
      return true;
    case 'conntrack': {
      const invert = expect(reader, '--ctstate');
      const states = reader.value('--ctstate').split(',').map(state);
      reader.matches.push({ kind: 'conntrack', states, ...invert });
      return true;
    }
    case 'state': {
      const invert = expect(reader, '--state');
      const states = reader.value('--state').split(',').map(stateOfAlias);
      reader.matches.push({ kind: 'conntrack', states, alias: 'state', ...invert });
      return true;
    }
    case 'mark': {
      const invert = expect(reader, '--mark');
      reader.matches.push({ kind: 'mark', ...masked(reader.value('--mark')), ...invert });
      return true;
    }
    case 'addrtype':
      return parseAddrtype(reader);
    case 'physdev':
      reader.matches.push({ kind: 'physdevIsIn', ...expect(reader, '--physdev-is-in') });
      return true;
    case 'statistic':
      return parseStatistic(reader);
    case 'recent':
      return parseRecent(reader);
    case 'set':
      return parseSet(reader);
    case 'ipvs':
      return parseIpvs(reader);
    default:
      throw new NetfilterError(`Couldn't load match \`${name}':No such file or directory`);
  }
}

const STATES: readonly CtState[] = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'];

function state(text: string): CtState {
  const known = STATES.find(name => name === text.toUpperCase());
  if (known === undefined) throw new NetfilterError(`Bad ctstate "${text}"`);
  return known;
}

/** The older match knows what a packet's flow is, not what was done to it. */
function stateOfAlias(text: string): CtState {
  const known = state(text);
  if (known === 'SNAT' || known === 'DNAT') throw new NetfilterError(`Bad state "${text}"`);
  return known;
}

function integer(text: string): number {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new NetfilterError(`"${text}" is no number`);
  return Number(text);
}

function masked(text: string): { value: number; mask: number } {
  const [value, mask] = text.split('/');
  return { value: integer(value ?? ''), mask: mask === undefined ? 0xffffffff : integer(mask) };
}

const ADDRESS_TYPES: readonly AddressType[] = ['LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST'];

function parseAddrtype(reader: Reader): boolean {
  let found = false;
  for (let next = reader.peek(); next === '!' || next === '--src-type' || next === '--dst-type'; next = reader.peek()) {
    reader.next();
    if (next === '!') {
      reader.invertNext();
      continue;
    }
    const text = reader.value(next);
    const type = ADDRESS_TYPES.find(name => name === text);
    if (type === undefined) throw new NetfilterError(`addrtype: bad type \`${text}'`);
    reader.matches.push({
      kind: 'addrtype',
      side: next === '--src-type' ? 'src' : 'dst',
      type,
      ...reader.takeInvert(),
    });
    found = true;
  }
  if (!found) throw new NetfilterError('addrtype: you must specify --src-type or --dst-type');
  return true;
}

function parseStatistic(reader: Reader): boolean {
  expect(reader, '--mode');
  const mode = reader.value('--mode');
  if (mode !== 'random') throw new NetfilterError(`statistic: mode "${mode}" is not simulated, only random`);
  const invert = expect(reader, '--probability');
  const probability = Number(reader.value('--probability'));
  if (!(probability >= 0 && probability <= 1)) throw new NetfilterError('statistic: --probability must be in [0, 1]');
  reader.matches.push({ kind: 'statistic', probability, ...invert });
  return true;
}

type RecentMatch = Extract<Match, { kind: 'recent' }>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

function parseRecent(reader: Reader): boolean {
  const match: Partial<Writable<RecentMatch>> = {};
  for (;;) {
    const next = reader.peek();
    if (next === '!') reader.invertNext();
    else if (next === '--set' || next === '--rcheck' || next === '--update' || next === '--remove') {
      Object.assign(match, { action: next.slice(2), ...reader.takeInvert() });
    } else if (next === '--reap') match.reap = true;
    else if (next === '--name' || next === '--seconds' || next === '--mask') {
      reader.next();
      const value = reader.peek() ?? '';
      if (next === '--name') match.name = value;
      else if (next === '--seconds') match.seconds = integer(value);
      else if (!/^(255\.255\.255\.255|ffff(:ffff){7})$/.test(value)) {
        throw new NetfilterError(`recent: mask ${value} is not simulated, only whole addresses`);
      }
    } else if (next === '--rdest') throw new NetfilterError('recent: --rdest is not simulated, only --rsource');
    else if (next !== '--rsource') break;
    reader.next();
  }
  const { action, name = 'DEFAULT', ...rest } = match;
  if (action === undefined) {
    throw new NetfilterError("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'");
  }
  reader.matches.push({ ...rest, kind: 'recent', name, action });
  return true;
}

function parseTarget(reader: Reader): Verdict {
  const target = reader.value('-j');
  switch (target) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    case 'NOTRACK':
      return { kind: 'notrack' };
    case 'CT':
      expect(reader, '--notrack');
      return { kind: 'notrack' };
    case 'REJECT':
      return take(reader, '--reject-with')
        ? { kind: 'reject', with: reader.value('--reject-with') }
        : { kind: 'reject' };
    case 'MARK':
      return parseMark(reader);
    case 'DNAT':
      expect(reader, '--to-destination');
      return { kind: 'dnat', ...translation(reader.value('--to-destination'), reader.family) };
    case 'SNAT':
      expect(reader, '--to-source');
      return { kind: 'snat', ...translation(reader.value('--to-source'), reader.family) };
    case 'REDIRECT':
      return take(reader, '--to-ports')
        ? { kind: 'redirect', port: ports(reader.value('--to-ports')).from }
        : { kind: 'redirect' };
    case 'MASQUERADE':
      return { kind: 'masquerade', randomFully: take(reader, '--random-fully') };
    default:
      return { kind: 'jump', chain: target };
  }
}

function parseMark(reader: Reader): Verdict {
  const option = reader.next();
  const text = reader.value(option ?? '-j MARK');
  switch (option) {
    case '--set-xmark':
      return { kind: 'mark', op: 'set', ...masked(text) };
    case '--set-mark': {
      const { value, mask } = masked(text);
      return { kind: 'mark', op: 'set', value, mask: (mask | value) >>> 0 };
    }
    case '--or-mark':
    case '--and-mark':
    case '--xor-mark': {
      const op = option === '--or-mark' ? 'or' : option === '--and-mark' ? 'and' : 'xor';
      const value = integer(text);
      return { kind: 'mark', op, value, mask: value };
    }
    default:
      throw new NetfilterError(`unknown option "${option ?? ''}"`);
  }
}

/** "1.2.3.4", "1.2.3.4:80" or "[fd00::1]:80". */
function translation(text: string, family: Family): { address: string; port?: number } {
  const parts = family === 'IPv4' ? /^([^:]+)(?::(\d+))?$/.exec(text) : /^\[?([^\]]+)\]?(?:(?<=\]):(\d+))?$/.exec(text);
  const address = canonicalIP(parts?.[1] ?? '');
  if (address === undefined) throw new NetfilterError(`Bad IP address "${text}"`);
  return parts?.[2] === undefined ? { address } : { address, port: ports(parts[2]).from };
}
