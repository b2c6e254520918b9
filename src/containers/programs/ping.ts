import { NetworkError } from '../network/errors.js';
import type { ProbeAnswer } from '../network/probe.js';
import type { NetworkStack } from '../network/stack.js';
import type { Process, Program } from '../process.js';
import { UsageError } from './options.js';
import { addressOf } from './network/resolve.js';
import { mayCapture, NotSimulated, refusing, withStack } from './network/stack-of.js';
import { statistics } from './network/round-trips.js';

interface Ping {
  readonly host: string;
  readonly count: number;
  readonly intervalMs: number;
  /** Of one answer. */
  readonly waitMs: number;
  /** Of all; undefined: for ever. */
  readonly deadlineMs: number | undefined;
  readonly size: number;
  readonly ttl: number;
  readonly quiet: boolean;
  readonly family: 'IPv4' | 'IPv6' | undefined;
}

/** ping(8), as BusyBox has it, and as iputils does. */
export const ping: Program = refusing(withStack((process, stack) => run(process, stack, 'busybox')));
export const iputilsPing: Program = refusing(withStack((process, stack) => run(process, stack, 'iputils')));

type Form = 'busybox' | 'iputils';
const HEADER = 8;
const MAX_SIZE = 65_507;

function parse(process: Process): Ping {
  const rest = process.args.slice(1);
  const name = process.args[0] ?? 'ping';
  const options = new Map<string, string>();
  let host: string | undefined;
  while (rest.length > 0) {
    const arg = rest.shift() ?? '';
    const parsed = /^-([46nqcisWwtADfIpv])(.*)$/.exec(arg);
    if (parsed === null) {
      if (arg.startsWith('-')) throw new UsageError(`unrecognized option: ${arg.slice(1, 64)}`);
      host = arg;
      continue;
    }
    const [, letter = '', value = ''] = parsed;
    if ('cisWwtIp'.includes(letter)) options.set(letter, value === '' ? (rest.shift() ?? '') : value);
    else {
      options.set(letter, '');
      if (value !== '') rest.unshift(`-${value}`);
    }
  }
  for (const letter of 'AfIpD') if (options.has(letter)) throw new NotSimulated(`${name} -${letter}`);
  if (host === undefined) throw new UsageError('usage: ping [OPTIONS] HOST');
  const number = (letter: string, otherwise: number, most: number): number => {
    const value = Number(options.get(letter) ?? otherwise);
    if (!Number.isFinite(value) || value < 0 || value > most)
      throw new UsageError(`invalid number '${options.get(letter)?.slice(0, 64) ?? ''}'`);
    return value;
  };
  const v6 = options.has('6') || name === 'ping6';
  return {
    host,
    count: options.has('c') ? Math.max(1, Math.floor(number('c', 1, Number.MAX_SAFE_INTEGER))) : Infinity,
    // As for anybody but root.
    intervalMs: Math.max(2, 1000 * number('i', 1, 86_400)),
    waitMs: 1000 * number('W', 10, 86_400),
    deadlineMs: options.has('w') ? 1000 * number('w', 0, 86_400) : undefined,
    size: Math.floor(number('s', 56, MAX_SIZE)),
    ttl: Math.max(1, Math.floor(number('t', 64, 255))),
    quiet: options.has('q'),
    family: v6 ? 'IPv6' : options.has('4') ? 'IPv4' : undefined,
  };
}

async function run(process: Process, stack: NetworkStack, form: Form): Promise<number> {
  const call = parse(process);
  const { host, size, count } = call;
  const name = process.args[0] ?? 'ping';
  const address = await addressOf(process, host, call.family);
  if (address === undefined) {
    const shown = host.slice(0, 255);
    await process.stderr.write(
      form === 'busybox' ? `${name}: bad address '${shown}'\n` : `${name}: ${shown}: Name or service not known\n`,
    );
    return form === 'busybox' ? 1 : 2;
  }
  const groups = process.container.security.sysctls['net.ipv4.ping_group_range'];
  if (!mayCapture(process) && groups === '1\t0') {
    await process.stderr.write(`${name}: permission denied (are you root?)\n`);
    return 1;
  }
  const { stdout } = process;
  const v6 = address.includes(':');
  await stdout.write(
    form === 'busybox'
      ? `PING ${host} (${address}): ${size} data bytes\n`
      : v6
        ? `PING ${host} (${address}) ${size} data bytes\n`
        : `PING ${host} (${address}) ${size}(${size + HEADER + 20}) bytes of data.\n`,
  );
  const { clock } = process.container;
  const times: number[] = [];
  let sent = 0;
  let errors = 0;
  let stopped = false;
  const untrap = process.trap('INT', () => {
    stopped = true;
    stop.abort();
  });
  const stop = new AbortController();
  const signal = AbortSignal.any([process.signal, stop.signal]);
  const began = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - began;
  const id = process.pid & 0xffff;
  try {
    while (sent < count && !stopped && (call.deadlineMs === undefined || elapsed() < call.deadlineMs)) {
      const seq = form === 'busybox' ? sent : sent + 1;
      const at = clock.monotonic();
      sent++;
      // The next is sent in its time whether this one is answered or not; only the last is waited for longer.
      const patience = sent === count ? call.waitMs : Math.min(call.waitMs, call.intervalMs);
      const left = call.deadlineMs === undefined ? patience : Math.min(patience, call.deadlineMs - elapsed());
      const probe = {
        protocol: 'icmp',
        dst: address,
        dstPort: 0,
        ttl: call.ttl,
        size: size + HEADER,
        id,
        seq,
      } as const;
      const answer = await stack.probe(probe, { timeoutMs: Math.max(1, left), signal });
      const ms = clock.monotonic() - at;
      if (answer?.kind === 'echo') times.push(ms);
      else if (answer !== undefined) errors++;
      if (!call.quiet && answer !== undefined) await stdout.write(answerText(answer, seq, size, ms, form));
      if (sent < count) await clock.sleep(Math.max(0, call.intervalMs - (clock.monotonic() - at)), signal);
    }
  } catch (error) {
    if (process.signal.aborted || (!stopped && !(error instanceof NetworkError))) throw error;
    if (error instanceof NetworkError) {
      await process.stderr.write(
        form === 'busybox' ? `${name}: sendto: ${error.text}\n` : `${name}: connect: ${error.text}\n`,
      );
      return form === 'busybox' ? 1 : 2;
    }
  } finally {
    untrap();
  }
  await stdout.write(statisticsText(host, sent, errors, times, elapsed(), form));
  return times.length > 0 ? 0 : 1;
}

const UNREACHABLE = {
  net: 'Destination Net Unreachable',
  host: 'Destination Host Unreachable',
  port: 'Destination Port Unreachable',
  admin: 'Packet filtered',
} as const;

function answerText(answer: ProbeAnswer, seq: number, size: number, ms: number, form: Form): string {
  const { from } = answer;
  if (answer.kind === 'echo')
    return form === 'busybox'
      ? `${size + HEADER} bytes from ${from}: seq=${seq} ttl=${answer.ttl} time=${ms.toFixed(3)} ms\n`
      : `${size + HEADER} bytes from ${from}: icmp_seq=${seq} ttl=${answer.ttl} time=${timeText(ms)} ms\n`;
  // BusyBox listens for answers alone.
  if (form === 'busybox') return '';
  if (answer.kind === 'expired') return `From ${from} icmp_seq=${seq} Time to live exceeded\n`;
  return answer.kind === 'unreachable' ? `From ${from} icmp_seq=${seq} ${UNREACHABLE[answer.what]}\n` : '';
}

/** Three digits, as iputils shows them. */
const timeText = (ms: number): string => ms.toFixed(ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0);

function statisticsText(
  host: string,
  sent: number,
  errors: number,
  times: readonly number[],
  elapsedMs: number,
  form: Form,
): string {
  const received = times.length;
  const loss = sent === 0 ? 0 : Math.floor((100 * (sent - received)) / sent);
  const { min, average, max, deviation } = statistics(times);
  const show = (value: number): string => value.toFixed(3);
  if (form === 'busybox') {
    const trips = received === 0 ? '' : `round-trip min/avg/max = ${show(min)}/${show(average)}/${show(max)} ms\n`;
    return `\n--- ${host} ping statistics ---\n${sent} packets transmitted, ${received} packets received, ${loss}% packet loss\n${trips}`;
  }
  const failed = errors === 0 ? '' : `+${errors} errors, `;
  const trips =
    received === 0 ? '\n' : `rtt min/avg/max/mdev = ${show(min)}/${show(average)}/${show(max)}/${show(deviation)} ms\n`;
  return `\n--- ${host} ping statistics ---\n${sent} packets transmitted, ${received} received, ${failed}${loss}% packet loss, time ${Math.round(elapsedMs)}ms\n${trips}`;
}
