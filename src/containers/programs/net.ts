import { familyOf } from '../../machinery/ip.js';
import { NetworkError } from '../network/errors.js';
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

/** dig [@server] [-x ADDRESS] NAME [TYPE] [+short] [+search] [+tcp is not needed: truncation falls back by itself]. */
export const dig: Program = async process => {
  const args = process.args.slice(1);
  const plus = args.filter(arg => arg.startsWith('+'));
  const at = args.find(arg => arg.startsWith('@'));
  const inverse = args[args.indexOf('-x') + 1];
  const words = args.filter(arg => !/^[+@-]/.test(arg));
  const known = /^(A|AAAA|SRV|PTR|TXT|CNAME|MX|NS|SOA|ANY)$/i;
  const type = (args.includes('-x') ? 'PTR' : (words.find(w => known.test(w))?.toUpperCase() ?? 'A')) as RecordType;
  const name =
    args.includes('-x') && inverse !== undefined ? reverseName(inverse) : (words.find(w => !known.test(w)) ?? '.');
  const { resolver } = process.container;
  const options = { signal: process.signal, ...server(at) };
  const short = plus.includes('+short');
  try {
    const answer = plus.includes('+search')
      ? (await resolver.search(name, type, options)).queries.at(-1)
      : await resolver.query(name.replace(/\.$/, ''), type, options);
    if (answer === undefined) throw new NetworkError('ETIMEDOUT');
    if (short) {
      for (const record of answer.records)
        await process.stdout.write(`${record.data}${['A', 'AAAA', 'TXT'].includes(record.type) ? '' : '.'}\n`);
      return 0;
    }
    const q = `${answer.question.name}.`;
    await process.stdout.write(
      `;; ->>HEADER<<- opcode: QUERY, status: ${answer.rcode}\n;; flags: qr${answer.authoritative ? ' aa' : ''} rd; QUERY: 1, ANSWER: ${answer.records.length}\n\n;; QUESTION SECTION:\n;${q}\tIN\t${type}\n\n`,
    );
    if (answer.records.length > 0) await process.stdout.write(';; ANSWER SECTION:\n');
    for (const { name: owner, ttl, type: kind, data } of answer.records)
      await process.stdout.write(`${owner}.\t${ttl}\tIN\t${kind}\t${data}\n`);
    await process.stdout.write(`\n;; SERVER: ${answer.server}#53(${answer.server}) (UDP)\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    await process.stdout.write(';; connection timed out; no servers could be reached\n');
    return 9;
  }
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

export const ip: Program = async process => {
  const own = process.container.network.addresses.map(address =>
    address.includes(':') ? `    inet6 ${address}/64 scope global\n` : `    inet ${address}/24 scope global eth0\n`,
  );
  const what = process.args[1] ?? '';
  if ('address'.startsWith(what) && what !== '')
    await process.stdout.write(
      `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n    inet6 ::1/128 scope host\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n${own.join('')}`,
    );
  else if (/^l(i(nk?)?)?$/.test(what) && process.args[2] === 'add') {
    if (process.container.security.privileged) return 0;
    await process.stderr.write('ip: RTNETLINK answers: Operation not permitted\n');
    return 2;
  } else if ('route'.startsWith(what) && what !== '') await process.stdout.write('default dev eth0\n');
  else {
    await process.stderr.write(`ip: ${what}: not simulated: only "ip address" and "ip route"\n`);
    return 1;
  }
  return 0;
};
