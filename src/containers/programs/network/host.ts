import { familyOf } from '../../../machinery/ip.js';
import { NetworkError } from '../../network/errors.js';
import type { DnsRecord, RecordType } from '../../network/dns-question.js';
import { type Lookup, reverseName } from '../../network/resolver.js';
import type { Program } from '../../process.js';
import { parseOptions, UsageError } from '../options.js';
import { dataText } from './dns-text.js';
import { addressOf } from './resolve.js';
import { NotSimulated, refusing } from './stack-of.js';

const TYPES: readonly RecordType[] = ['A', 'AAAA', 'SRV', 'PTR', 'TXT', 'CNAME', 'MX', 'NS', 'SOA', 'ANY'];

/** host(1) of BIND 9.18: host [-t TYPE] NAME [SERVER]. */
export const host: Program = refusing(async process => {
  const { has, get, operands } = parseOptions(process.args.slice(1), { short: '46Trvsat:W:R:p:c:N:d' });
  const unknown = ['v', 'a', 'd', 's'].find(has);
  if (unknown !== undefined) throw new NotSimulated(`host -${unknown}`);
  const [name, server] = operands;
  if (name === undefined) throw new UsageError('Usage: host [-t type] [-W time] [-R number] hostname [server]');
  const asked = get('t')?.toUpperCase();
  const type = TYPES.find(each => each === asked);
  if (asked !== undefined && type === undefined) throw new NotSimulated(`records of type ${asked.slice(0, 64)}`);
  const { stdout, container } = process;
  const address = server === undefined ? undefined : await addressOf(process, server);
  if (server !== undefined && address === undefined) {
    await stdout.write(`host: couldn't get address for '${server.slice(0, 255)}': not found\n`);
    return 1;
  }
  const port = Number(get('p') ?? 53);
  const attempts = Math.min(10, 1 + Math.max(0, Math.floor(Number(get('R') ?? 1)) || 0));
  const options = {
    signal: process.signal,
    tcp: has('T'),
    attempts,
    timeoutMs: 1000 * Math.max(1, Number(get('W') ?? 5) || 5),
    ...(address === undefined ? {} : { server: { address, port } }),
  };
  if (server !== undefined)
    await stdout.write(`Using domain server:\nName: ${server}\nAddress: ${address ?? ''}#${port}\nAliases: \n\n`);
  const reverse = familyOf(name) !== undefined && type === undefined;
  const question = reverse ? `${reverseName(name)}.` : name;
  const types: readonly RecordType[] = reverse ? ['PTR'] : type === undefined ? ['A', 'AAAA', 'MX'] : [type];
  const using = address ?? container.resolver.config.nameservers[0] ?? '';
  let found = 0;
  let known: string | undefined;
  for (const each of types) {
    let lookup: Lookup;
    try {
      lookup = await container.resolver.search(known === undefined ? question : `${known}.`, each, options);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      lookup = { addresses: [], canonicalName: name, queries: [], failure: 'TIMEOUT' };
    }
    if (lookup.failure === 'TIMEOUT' || lookup.failure === 'NO_SERVERS') {
      const line = `;; communications error to ${using}#${port}: timed out\n`;
      await stdout.write(`${line.repeat(attempts)};; no servers could be reached\n`);
      return 1;
    }
    const answer = lookup.queries.find(query => query.rcode === 'NOERROR') ?? lookup.queries.at(-1);
    if (answer === undefined || answer.rcode !== 'NOERROR') {
      const [code, text] = answer?.rcode === 'SERVFAIL' ? [2, 'SERVFAIL'] : [3, 'NXDOMAIN'];
      await stdout.write(`Host ${question} not found: ${code}(${text})\n`);
      return 1;
    }
    // What else there is belongs to the name behind an alias.
    known = answer.records.findLast(({ type: kind }) => kind === 'CNAME')?.data ?? answer.question.name;
    // An alias is told once, with the first that is asked for.
    for (const record of answer.records)
      if (record.type !== 'CNAME' || each === types[0]) await stdout.write(`${lineOf(record)}\n`);
    found += answer.records.length;
    if (type !== undefined && answer.records.length === 0) await stdout.write(`${name} has no ${type} record\n`);
  }
  return found > 0 || type !== undefined ? 0 : 1;
});

function lineOf(record: DnsRecord): string {
  const { name, type, data } = record;
  switch (type) {
    case 'A':
      return `${name} has address ${data}`;
    case 'AAAA':
      return `${name} has IPv6 address ${data}`;
    case 'CNAME':
      return `${name} is an alias for ${dataText(record)}`;
    case 'PTR':
      return `${name} domain name pointer ${dataText(record)}`;
    case 'MX':
      return `${name} mail is handled by ${dataText(record)}`;
    case 'NS':
      return `${name} name server ${dataText(record)}`;
    case 'TXT':
      return `${name} descriptive text ${data}`;
    default:
      return `${name} has ${type} record ${dataText(record)}`;
  }
}
