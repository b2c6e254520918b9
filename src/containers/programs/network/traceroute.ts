import { NetworkError } from '../../network/errors.js';
import type { ProbeAnswer } from '../../network/probe.js';
import type { NetworkStack } from '../../network/stack.js';
import type { Process, Program } from '../../process.js';
import { parseOptions, UsageError } from '../options.js';
import { addressOf } from './resolve.js';
import { mayCapture, refusing, withStack } from './stack-of.js';

/** traceroute(8), as BusyBox has it, and as the usual one of distributions does; names are not asked for. */
export const traceroute: Program = refusing(withStack((process, stack) => run(process, stack, 'busybox')));
export const fullTraceroute: Program = refusing(withStack((process, stack) => run(process, stack, 'full')));

type Form = 'busybox' | 'full';

/** Of a port that nobody listens at, and one more for each packet. */
const FIRST_PORT = 33_434;
const PACKET = { busybox: 46, full: 60 } as const;
const HEADERS = 20;

async function run(process: Process, stack: NetworkStack, form: Form): Promise<number> {
  const { has, get, operands } = parseOptions(process.args.slice(1), {
    short: '46FIlnrdvTUm:p:q:s:t:w:z:f:i:N:',
    long: { icmp: 'I', tcp: 'T', 'max-hops': 'm:', queries: 'q:', wait: 'w:', first: 'f:', port: 'p:' },
  });
  const [host, length] = operands;
  if (host === undefined) throw new UsageError('usage: traceroute [-nIT] [-m HOPS] [-q PROBES] [-w SECONDS] HOST');
  const number = (name: string, otherwise: number, most: number): number => {
    const value = Number(get(name) ?? otherwise);
    if (!Number.isFinite(value) || value < 0 || value > most)
      throw new UsageError(`invalid number '${(get(name) ?? '').slice(0, 64)}'`);
    return value;
  };
  const name = process.args[0] ?? 'traceroute';
  const family = has('6') || name === 'traceroute6' ? 'IPv6' : has('4') ? 'IPv4' : undefined;
  const address = await addressOf(process, host, family);
  if (address === undefined) {
    const shown = host.slice(0, 255);
    await process.stderr.write(
      form === 'busybox'
        ? `${name}: bad address '${shown}'\n`
        : `${shown}: Name or service not known\nCannot handle "host" cmdline arg \`${shown}' on position 1 (argc ${process.args.length - 1})\n`,
    );
    return form === 'busybox' ? 1 : 2;
  }
  if (!mayCapture(process) && (form === 'busybox' || has('T'))) {
    const what =
      form === 'busybox'
        ? `${name}: socket: Operation not permitted`
        : 'You do not have enough privileges to use this traceroute method.';
    await process.stderr.write(`${what}\n`);
    return 1;
  }
  const hops = Math.min(255, Math.max(1, number('m', 30, 255)));
  const probes = Math.min(10, Math.max(1, number('q', 3, 10)));
  const waitMs = 1000 * number('w', form === 'busybox' ? 3 : 5, 600);
  const size = Number.isInteger(Number(length)) && length !== undefined ? Number(length) : PACKET[form];
  const protocol = has('I') ? 'icmp' : has('T') ? 'tcp' : 'udp';
  const fixed = get('p') === undefined ? undefined : number('p', 0, 65_535);
  await process.stdout.write(`traceroute to ${host} (${address}), ${hops} hops max, ${size} byte packets\n`);
  const { clock } = process.container;
  let port = fixed ?? (protocol === 'tcp' ? 80 : FIRST_PORT);
  for (let ttl = Math.max(1, number('f', 1, 255)); ttl <= hops; ttl++) {
    await process.stdout.write(`${String(ttl).padStart(2)} `);
    let last = '';
    let arrived = false;
    for (let sent = 0; sent < probes; sent++) {
      const began = clock.monotonic();
      const probe = {
        protocol,
        dst: address,
        dstPort: protocol === 'icmp' ? 0 : port,
        ttl,
        size: Math.max(0, size - HEADERS),
      } as const;
      if (protocol === 'udp' && port < 65_535) port++;
      let answer: ProbeAnswer | undefined;
      try {
        answer = await stack.probe(probe, { timeoutMs: Math.max(1, waitMs), signal: process.signal });
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        await process.stderr.write(`\n${name}: sendto: ${error.text}\n`);
        return 1;
      }
      const ms = clock.monotonic() - began;
      if (answer === undefined) {
        await process.stdout.write(form === 'busybox' ? '  *' : ' *');
        continue;
      }
      const { from } = answer;
      const named = has('n') ? from : `${from} (${from})`;
      const who = from === last ? '' : form === 'busybox' ? ` ${named}` : ` ${named}`;
      last = from;
      await process.stdout.write(`${who}  ${ms.toFixed(3)} ms${markOf(answer, protocol)}`);
      arrived ||= answer.kind !== 'expired';
    }
    await process.stdout.write('\n');
    if (arrived) return 0;
  }
  return 0;
}

/** What stands behind a time: why it ended there. */
function markOf(answer: ProbeAnswer, protocol: 'icmp' | 'udp' | 'tcp'): string {
  if (answer.kind !== 'unreachable') return '';
  const mark = { net: ' !N', host: ' !H', port: '', admin: ' !X' }[answer.what];
  // A port that nobody listens at is what is looked for.
  return answer.what === 'port' && protocol !== 'udp' ? ' !P' : mark;
}
