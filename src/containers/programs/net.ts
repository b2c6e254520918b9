import { familyOf } from '../../machinery/ip.js';
import type { RecordType } from '../network/dns-question.js';
import { reverseName, type Lookup } from '../network/resolver.js';
import type { Program } from '../process.js';

const server = (text: string | undefined) =>
  text === undefined ? {} : { server: { address: text.replace(/^@/, ''), port: 53 } };

const explain = (name: string, lookup: Lookup): string => {
  switch (lookup.failure) {
    case 'NODATA':
      return `*** Can't find ${name}: No answer\n`;
    case 'TIMEOUT':
      return ';; connection timed out; no servers could be reached\n';
    case 'SERVFAIL':
      return `** server can't find ${name}: SERVFAIL\n`;
    case 'NO_SERVERS':
      return ';; no name server is configured\n';
    default:
      return `** server can't find ${name}: NXDOMAIN\n`;
  }
};

/** nslookup [-type=TYPE] NAME [SERVER], as BusyBox prints it. */
export const nslookup: Program = async process => {
  const rest = process.args.slice(1);
  const flags = rest.filter(arg => arg.startsWith('-'));
  const [name, at] = rest.filter(arg => !arg.startsWith('-'));
  if (name === undefined) {
    await process.stderr.write('nslookup: usage: nslookup [-type=TYPE] HOST [DNS_SERVER]\n');
    return 1;
  }
  const { resolver } = process.container;
  const wanted = /^-(?:q|qt|query|querytype|type)=(\w+)$/i.exec(flags.at(-1) ?? '')?.[1]?.toUpperCase();
  const reverse = familyOf(name) !== undefined;
  const type = (wanted ?? (reverse ? 'PTR' : 'A')) as RecordType;
  const using = at ?? resolver.config.nameservers[0] ?? '';
  const serverAddress =
    at === undefined || familyOf(at) !== undefined
      ? at
      : (await resolver.lookup(at, { signal: process.signal })).addresses[0];
  const options = { signal: process.signal, ...server(serverAddress) };
  const question = reverse && type === 'PTR' ? `${reverseName(name)}.` : name;
  const first = await resolver.search(question, type, options);
  // Without a type both families are asked for, as BusyBox does.
  const own = first.queries.find(query => query.rcode === 'NOERROR')?.question.name;
  const second =
    wanted !== undefined || type !== 'A' || own === undefined
      ? undefined
      : await resolver.search(`${own}.`, 'AAAA', options);
  const lookup = first.addresses.length === 0 && second !== undefined ? second : first;
  if (lookup.failure === 'TIMEOUT' || lookup.failure === 'NO_SERVERS') {
    await process.stdout.write(explain(name, lookup));
    return 1;
  }
  await process.stdout.write(`Server:\t\t${using}\nAddress:\t${using}:53\n\n`);
  if (lookup.addresses.length === 0) {
    await process.stdout.write(`${explain(name, lookup)}\n`);
    return 1;
  }
  const more = lookup === first ? (second?.queries.at(-1)?.records ?? []) : [];
  for (const { name: owner, type: kind, data } of [
    ...(lookup.queries.at(-1)?.records ?? []),
    ...more.filter(record => record.type === 'AAAA'),
  ]) {
    if (kind === 'CNAME') await process.stdout.write(`${owner}\tcanonical name = ${data}\n`);
    else if (kind === 'A' || kind === 'AAAA') await process.stdout.write(`Name:\t${owner}\nAddress: ${data}\n`);
    else if (kind === 'PTR') await process.stdout.write(`${owner}\tname = ${data}\n`);
    else if (kind === 'SRV') await process.stdout.write(`${owner}\tservice = ${data}\n`);
    else await process.stdout.write(`${owner}\t${kind.toLowerCase()} = ${data}\n`);
  }
  await process.stdout.write('\n');
  return 0;
};

/** getent hosts NAME. */
export const getent: Program = async process => {
  const [, database, ...names] = process.args;
  if (database !== 'hosts' && database !== 'ahosts' && database !== 'ahostsv4') {
    await process.stderr.write(`getent: unknown database ${database ?? ''}\n`);
    return 1;
  }
  const family = database === 'ahostsv4' ? ({ type: 'A' } as const) : {};
  for (const name of names) {
    const found = await process.container.resolver.lookup(name, { signal: process.signal, ...family });
    if (found.addresses.length === 0) return 2;
    for (const address of found.addresses) await process.stdout.write(`${address.padEnd(15)} ${found.canonicalName}\n`);
  }
  return 0;
};
