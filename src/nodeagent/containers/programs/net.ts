import { NetworkError } from '../../network/errors.js';
import { ipv4ToNumber } from '../../network/ip.js';
import { reverseName, type Lookup, type RecordType } from '../../network/resolver.js';
import type { NetStream } from '../../network/types.js';
import type { Process, Program } from '../process.js';
import { deadline, DeadlineExceeded } from './deadline.js';
import { parseOptions } from './options.js';

/** nc [-zvnu] [-w SEC] HOST PORT, nc -l [-k] -p PORT [-e PROG]. */
export const nc: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'zvnulktw:p:i:e:q:N' });
  if (options.has('l')) return listen(process, Number(options.get('p') ?? options.operands[0] ?? 0), options.has('k'));
  const [host = '', portText = ''] = options.operands;
  const port = Number(portText);
  if (host === '' || !Number.isInteger(port) || port <= 0) {
    await process.stderr.write('nc: usage: nc [OPTIONS] HOST PORT\n');
    return 1;
  }
  const { resolver, network, clock } = process.container;
  const seconds = options.get('w');
  const limit = deadline(clock, seconds === undefined ? Infinity : Number(seconds) * 1000, process.signal);
  let address: string | undefined;
  try {
    [address] = (await resolver.lookup(host, { signal: limit.signal })).addresses;
    if (address === undefined) {
      await process.stderr.write(`nc: bad address '${host}'\n`);
      return 1;
    }
    if (options.has('u')) return await datagram(process, { address, port }, options.has('z'), limit.signal);
    const stream = await network.connect({ address, port }, { signal: limit.signal });
    limit.cancel();
    if (options.has('v')) await process.stderr.write(`${host} (${address}:${port}) open\n`);
    if (options.has('z')) {
      stream.destroy();
      return 0;
    }
    return await talk(process, stream);
  } catch (error) {
    if (!(error instanceof NetworkError || error instanceof DeadlineExceeded)) throw error;
    const text = error instanceof NetworkError ? error.text : 'Connection timed out';
    // BusyBox is silent about a failed -z unless asked.
    if (options.has('v') || !options.has('z'))
      await process.stderr.write(`nc: ${host} (${address ?? '?'}:${port}): ${text}\n`);
    return 1;
  } finally {
    limit.cancel();
  }
};

async function datagram(
  process: Process,
  to: { address: string; port: number },
  scan: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { readAll } = await import('../io.js');
  const payload = scan ? Buffer.alloc(0) : await readAll(process.stdin, process.signal);
  const reply = await process.container.network.exchange(to, payload, { signal, timeoutMs: 5000 });
  if (!scan) await process.stdout.write(reply);
  return 0;
}

/** Copies stdin to the stream and the stream to stdout until both end. */
async function talk(process: Process, stream: NetStream): Promise<number> {
  const end = (): void => {
    stream.destroy();
  };
  process.signal.addEventListener('abort', end, { once: true });
  const send = async (): Promise<void> => {
    for (
      let chunk = await process.stdin.read(process.signal);
      chunk !== undefined;
      chunk = await process.stdin.read(process.signal)
    )
      stream.write(chunk);
    stream.end();
  };
  const sending = send().catch((error: unknown) => {
    // The process was killed, which ends the stream and with it the loop below.
    if (!process.signal.aborted) throw error;
  });
  try {
    for await (const chunk of stream) await process.stdout.write(chunk as Buffer);
    return 0;
  } finally {
    process.signal.removeEventListener('abort', end);
    stream.destroy();
    void sending;
  }
}

async function listen(process: Process, port: number, keep: boolean): Promise<number> {
  const waiting: NetStream[] = [];
  let wake: () => void = () => undefined;
  const close = process.container.network.listen(port, stream => {
    waiting.push(stream);
    wake();
  });
  try {
    do {
      while (waiting.length === 0)
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          process.signal.addEventListener('abort', () => reject(process.signal.reason as Error), { once: true });
        });
      const stream = waiting.shift();
      if (stream !== undefined) await talk(process, stream);
    } while (keep);
    return 0;
  } finally {
    close();
  }
}

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
  const reverse = ipv4ToNumber(name) !== undefined;
  const type = (wanted ?? (reverse ? 'PTR' : 'A')) as RecordType;
  const using = at ?? resolver.config.nameservers[0] ?? '';
  const serverAddress =
    at === undefined || ipv4ToNumber(at) !== undefined
      ? at
      : (await resolver.lookup(at, { signal: process.signal })).addresses[0];
  const options = { signal: process.signal, ...server(serverAddress) };
  const question = reverse && type === 'PTR' ? `${reverseName(name)}.` : name;
  const lookup = await resolver.search(question, type, options);
  if (lookup.failure === 'TIMEOUT' || lookup.failure === 'NO_SERVERS') {
    await process.stdout.write(explain(name, lookup));
    return 1;
  }
  await process.stdout.write(`Server:\t\t${using}\nAddress:\t${using}:53\n\n`);
  if (lookup.addresses.length === 0) {
    await process.stdout.write(`${explain(name, lookup)}\n`);
    return 1;
  }
  for (const { name: owner, type: kind, data } of lookup.queries.at(-1)?.records ?? []) {
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
  for (const name of names) {
    const found = await process.container.resolver.lookup(name, { signal: process.signal });
    if (found.addresses.length === 0) return 2;
    for (const address of found.addresses) await process.stdout.write(`${address.padEnd(15)} ${found.canonicalName}\n`);
  }
  return 0;
};

export const ip: Program = async process => {
  const { address } = process.container.network;
  const what = process.args[1] ?? '';
  if ('address'.startsWith(what) && what !== '')
    await process.stdout.write(
      `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet ${address}/24 scope global eth0\n`,
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
