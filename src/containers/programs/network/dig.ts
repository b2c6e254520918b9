import { familyOf } from '../../../machinery/ip.js';
import { NetworkError } from '../../network/errors.js';
import type { DnsAnswer, QueryOptions, RecordType } from '../../network/dns-question.js';
import { reverseName } from '../../network/resolver.js';
import type { Process, Program } from '../../process.js';
import { UsageError } from '../options.js';
import { formatTime } from '../times.js';
import { dataText, inColumns, recordLine } from './dns-text.js';
import { addressOf } from './resolve.js';
import { NotSimulated, refusing } from './stack-of.js';

const TYPES: readonly RecordType[] = ['A', 'AAAA', 'SRV', 'PTR', 'TXT', 'CNAME', 'MX', 'NS', 'SOA', 'ANY'];
const OTHER_TYPES = /^(CAA|DS|DNSKEY|NAPTR|TLSA|SSHFP|HINFO|LOC|RRSIG|NSEC3?|SVCB|HTTPS|AXFR|IXFR|SPF|DNAME)$/i;

/** +name and +noname: what is shown, and how it is asked. */
interface Flags {
  short: boolean;
  search: boolean;
  tcp: boolean;
  edns: boolean;
  recurse: boolean;
  cmd: boolean;
  comments: boolean;
  question: boolean;
  answer: boolean;
  authority: boolean;
  additional: boolean;
  stats: boolean;
}

interface Call {
  readonly flags: Flags;
  readonly server: string | undefined;
  readonly port: number;
  readonly timeoutMs: number;
  readonly tries: number;
  readonly questions: readonly { readonly name: string; readonly type: RecordType }[];
}

/** dig(1) of BIND 9.18. */
export const dig: Program = refusing(async process => {
  const call = parse(process.args.slice(1));
  const { server, port } = call;
  let at: string | undefined;
  if (server !== undefined) {
    at = familyOf(server) === undefined ? await addressOf(process, server) : server;
    if (at === undefined) {
      await process.stderr.write(`dig: couldn't get address for '${server.slice(0, 255)}': not found\n`);
      return 10;
    }
  }
  let status = 0;
  for (const [index, question] of call.questions.entries()) {
    const options = {
      signal: process.signal,
      timeoutMs: call.timeoutMs,
      attempts: call.tries,
      tcp: call.flags.tcp,
      edns0: call.flags.edns,
      recursionDesired: call.flags.recurse,
      ...(at === undefined ? {} : { server: { address: at, port } }),
    };
    status = Math.max(status, await ask(process, call, question, options, index === 0));
  }
  return status;
});

function parse(args: readonly string[]): Call {
  const flags: Flags = {
    short: false,
    search: false,
    tcp: false,
    edns: true,
    recurse: true,
    cmd: true,
    comments: true,
    question: true,
    answer: true,
    authority: true,
    additional: true,
    stats: true,
  };
  const rest = [...args];
  const questions: { name: string; type: RecordType | undefined }[] = [];
  let server: string | undefined;
  let port = 53;
  let timeoutMs = 5_000;
  let tries = 3;
  let type: RecordType | undefined;
  const typeOf = (text: string): RecordType | undefined => {
    if (OTHER_TYPES.test(text)) throw new NotSimulated(`records of type ${text.toUpperCase()}`);
    return TYPES.find(name => name === text.toUpperCase());
  };
  const setType = (found: RecordType): void => {
    const last = questions.at(-1);
    if (last !== undefined && last.type === undefined) last.type = found;
    else type = found;
  };
  while (rest.length > 0) {
    const arg = rest.shift() ?? '';
    if (arg.startsWith('@')) server = arg.slice(1);
    else if (arg.startsWith('+')) {
      const [name = '', value] = arg.slice(1).split('=', 2);
      if (name === 'time' || name === 'timeout') timeoutMs = 1000 * Math.max(1, Number(value) || 5);
      else if (name === 'tries') tries = Math.min(10, Math.max(1, Math.floor(Number(value) || 1)));
      else if (name === 'retry') tries = Math.min(10, 1 + Math.max(0, Math.floor(Number(value) || 0)));
      else setFlag(flags, name);
    } else if (arg === '-x') {
      const address = rest.shift() ?? '';
      if (familyOf(address) === undefined) throw new UsageError(`Invalid IP address ${address.slice(0, 64)}`);
      questions.push({ name: reverseName(address), type: 'PTR' });
    } else if (arg.startsWith('-t') || arg.startsWith('-q') || arg.startsWith('-p') || arg.startsWith('-c')) {
      const value = arg.length > 2 ? arg.slice(2) : (rest.shift() ?? '');
      if (arg[1] === 'q') questions.push({ name: value, type });
      else if (arg[1] === 'p') port = Math.min(65_535, Math.max(0, Number(value) || 53));
      else if (arg[1] === 't') {
        const found = typeOf(value);
        if (found === undefined) throw new UsageError(`;; Warning, ignoring invalid type ${value.slice(0, 64)}`);
        setType(found);
      }
    } else if (/^-[46un]$/.test(arg)) continue;
    else if (arg.startsWith('-')) throw new NotSimulated(`dig ${arg.slice(0, 64)}`);
    else if (/^IN$/i.test(arg)) continue;
    else {
      const found = typeOf(arg);
      if (found === undefined) questions.push({ name: arg, type });
      else setType(found);
    }
  }
  const asked = questions.map(({ name, type: own }) => ({ name, type: own ?? type ?? ('A' as const) }));
  return {
    flags,
    server,
    port,
    timeoutMs,
    tries,
    questions: asked.length > 0 ? asked : [{ name: '.', type: type ?? 'NS' }],
  };
}

const SHOWN: readonly (keyof Flags)[] = ['cmd', 'comments', 'question', 'answer', 'authority', 'additional', 'stats'];
/** What changes nothing that is simulated. */
const WITHOUT_EFFECT = new Set([
  'cookie',
  'all',
  'multiline',
  'dnssec',
  'adflag',
  'cdflag',
  'ttlid',
  'class',
  'idnin',
  'idnout',
  'ignore',
  'showsearch',
  'qr',
  'bufsize',
  'expandaaaa',
  'crypto',
  'split',
  'rrcomments',
  'keepopen',
  'sit',
  'ednsopt',
  'aaonly',
  'aaflag',
  'besteffort',
  'fail',
  'ndots',
  'defname',
]);

function setFlag(flags: Flags, word: string): void {
  const on = !word.startsWith('no');
  const name = on ? word : word.slice(2);
  if (name === 'all') for (const each of SHOWN) flags[each] = on;
  else if (name === 'vc') flags.tcp = on;
  else if (name === 'rec' || name === 'rd' || name === 'rdflag') flags.recurse = on;
  else if (Object.hasOwn(flags, name)) flags[name as keyof Flags] = on;
  else if (name === 'trace' || name === 'nssearch' || name === 'yaml') throw new NotSimulated(`dig +${name}`);
  else if (!WITHOUT_EFFECT.has(name)) throw new UsageError(`Invalid option: +${word.slice(0, 64)}`);
}

async function ask(
  process: Process,
  { flags, port, server }: Call,
  { name, type }: { readonly name: string; readonly type: RecordType },
  options: QueryOptions,
  first: boolean,
): Promise<number> {
  const { resolver, clock } = process.container;
  const { stdout } = process;
  const began = clock.monotonic();
  const header =
    first && flags.cmd && !flags.short
      ? `\n; <<>> DiG 9.18.49 <<>> ${process.args.slice(1).join(' ')}\n${server === undefined ? '' : '; (1 server found)\n'};; global options: +cmd\n`
      : '';
  const bare = name.replace(/\.$/, '');
  const using = options.server?.address ?? resolver.config.nameservers[0] ?? '';
  let answer: DnsAnswer | undefined;
  try {
    answer = flags.search
      ? (await resolver.search(name, type, options)).queries.at(-1)
      : await resolver.query(bare, type, options);
    if (answer === undefined) throw new NetworkError('ETIMEDOUT');
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const why =
      error.code === 'ECONNREFUSED'
        ? 'connection refused'
        : error.code === 'ETIMEDOUT'
          ? 'timed out'
          : error.text.toLowerCase();
    const times = error.code === 'ETIMEDOUT' ? (options.attempts ?? 3) : 1;
    const line = `;; communications error to ${using}#${port}: ${why}\n`;
    await stdout.write(`${line.repeat(times)}${header}${flags.short ? '' : ';; no servers could be reached\n'}`);
    return 9;
  }
  if (flags.short) {
    await stdout.write(answer.records.map(record => `${dataText(record)}\n`).join(''));
    return 0;
  }
  const ms = Math.round(clock.monotonic() - began);
  await stdout.write(header + text(answer, flags, port, ms, clock.now()));
  return 0;
}

function text(answer: DnsAnswer, flags: Flags, port: number, ms: number, now: number): string {
  const { question, records, rcode, server, message } = answer;
  const {
    authorities = [],
    additionals = [],
    udpSize,
    size = 0,
    overTcp = false,
    id = 0,
    flags: set = ['qr'],
  } = message ?? {};
  const extra = additionals.length + (udpSize === undefined ? 0 : 1);
  const parts: string[] = [];
  if (flags.comments) {
    const multicast = /(^|\.)local$/i.test(question.name)
      ? ';; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n'
      : '';
    const refused =
      set.includes('rd') && !set.includes('ra') ? ';; WARNING: recursion requested but not available\n' : '';
    parts.push(
      `;; Got answer:\n${multicast};; ->>HEADER<<- opcode: QUERY, status: ${rcode}, id: ${id}\n;; flags: ${set.join(' ')}; QUERY: 1, ANSWER: ${records.length}, AUTHORITY: ${authorities.length}, ADDITIONAL: ${extra}\n${refused}\n`,
    );
    if (udpSize !== undefined) parts.push(`;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: ${udpSize}\n`);
  }
  const title = (name: string): string => (flags.comments ? `;; ${name} SECTION:\n` : '');
  const gap = flags.comments ? '\n' : '';
  if (flags.question)
    parts.push(
      `${title('QUESTION')}${inColumns(
        [
          [`;${question.name}.`, 32],
          ['IN', 40],
        ],
        question.type,
      )}\n${gap}`,
    );
  for (const [name, shown, list] of [
    ['ANSWER', flags.answer, records],
    ['AUTHORITY', flags.authority, authorities],
    ['ADDITIONAL', flags.additional, additionals],
  ] as const)
    if (shown && list.length > 0) parts.push(`${title(name)}${list.map(recordLine).join('')}${gap}`);
  if (flags.stats)
    parts.push(
      `;; Query time: ${ms} msec\n;; SERVER: ${server}#${port}(${server}) (${overTcp ? 'TCP' : 'UDP'})\n;; WHEN: ${formatTime('%a %b %d %H:%M:%S UTC %Y', now)}\n;; MSG SIZE  rcvd: ${size}\n\n`,
    );
  return parts.join('');
}
