import { familyOf } from '../../../machinery/ip.js';
import type { CapturedPacket } from '../../network/captured-packet.js';
import type { NetworkStack } from '../../network/stack.js';
import type { Process, Program } from '../../process.js';
import { parseOptions, UsageError } from '../options.js';
import { formatTime } from '../times.js';
import { FilterError, namesIn, type PacketTest, parseFilter } from './capture-filter.js';
import { PacketPrinter } from './packet-text.js';
import { addressOf } from './resolve.js';
import { mayCapture, NotSimulated, refusing, withStack } from './stack-of.js';

/** Lines that wait for somebody to read them; packets beyond are dropped, as from the kernel's buffer. */
const MAX_WAITING = 4096;
const MAX_NAMES = 16;

/** tcpdump [-n] [-i LINK|any] [-c COUNT] [-Q in|out] [-q] [-S] [-t...] [FILTER]: what the namespace sends and receives. */
export const tcpdump: Program = refusing(withStack(run));

async function run(process: Process, stack: NetworkStack): Promise<number> {
  const options = parseOptions(process.args.slice(1), {
    short: 'nNlqStUpKi:c:Q:s:DvAXxewr:W:G:C:fOb#',
    long: {
      interface: 'i:',
      'immediate-mode': 'U',
      'list-interfaces': 'D',
      number: '#',
      direction: 'Q:',
      count: 'count',
    },
  });
  const { has, get, all } = options;
  const fail = async (text: string): Promise<number> => {
    await process.stderr.write(`tcpdump: ${text}\n`);
    return 1;
  };
  const unknown = [...'vAXxewrWGCb#', 'count'].find(has);
  if (unknown !== undefined) throw new NotSimulated(`tcpdump ${unknown.length > 1 ? '--' : '-'}${unknown}`);
  const links = stack.links();
  if (has('D')) {
    await process.stdout.write(interfaces(links.map(({ name }) => name)));
    return 0;
  }
  const link = get('i') ?? links.find(({ kind }) => kind !== 'loopback')?.name ?? 'lo';
  if (!mayCapture(process))
    return fail(
      `${link}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)`,
    );
  const found = links.find(({ name }) => name === link);
  if (link !== 'any' && found === undefined)
    return fail(`${link.slice(0, 64)}: No such device exists\n(No such device exists)`);
  if (found?.kind === 'veth' && found.master !== undefined)
    throw new NotSimulated(`a single Pod's link (${link}): capture on ${found.master} or any, with "host ADDRESS"`);
  const count = get('c') === undefined ? Infinity : Number(get('c'));
  if (!(count >= 1)) return fail(`invalid packet count ${(get('c') ?? '').slice(0, 64)}`);
  const direction = get('Q') ?? 'inout';
  if (!['in', 'out', 'inout'].includes(direction))
    throw new UsageError(`unknown capture direction '${direction.slice(0, 64)}'`);

  const text = options.operands.join(' ');
  const known = new Map<string, string>();
  for (const name of namesIn(text).slice(0, MAX_NAMES)) {
    const address = await addressOf(process, name);
    if (address !== undefined) known.set(name, address);
  }
  let matches: PacketTest;
  try {
    matches = parseFilter(text, name => (familyOf(name) === undefined ? known.get(name) : name));
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return fail(error.message === 'syntax error' ? "can't parse filter expression: syntax error" : error.message);
  }

  const {
    default: { decode },
  } = await import('dns-packet');
  const printer = new PacketPrinter({ numeric: has('n'), quick: has('q'), absolute: has('S') }, decode);
  const stamp = timeOf(all('t').length, process.container.clock.now());
  const waiting: string[] = [];
  let captured = 0;
  let dropped = 0;
  let wake: () => void = () => undefined;
  let interrupted = false;
  const end = (): void => {
    interrupted = true;
    wake();
  };
  const untrap = [process.trap('INT', end), process.trap('TERM', end)];
  const stop = stack.capture(packet => {
    if (captured >= count || (link !== 'any' && packet.link !== link)) return;
    if ((direction !== 'inout' && packet.direction !== direction) || !matches(packet)) return;
    if (waiting.length >= MAX_WAITING) return void dropped++;
    captured++;
    const where =
      link === 'any' ? `${packet.link.padEnd(5)} ${(packet.direction === 'in' ? 'In' : 'Out').padEnd(3)} ` : '';
    waiting.push(`${stamp(packet)}${where}${printer.text(packet)}\n`);
    wake();
  });
  const abort = (): void => wake();
  process.signal.addEventListener('abort', abort, { once: true });
  try {
    await process.stderr.write(banner(link));
    let printed = 0;
    while (printed < count) {
      while (waiting.length === 0 && !interrupted && !process.signal.aborted)
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      if (process.signal.aborted) throw process.signal.reason as Error;
      const lines = waiting.splice(0);
      printed += lines.length;
      if (lines.length > 0) await process.stdout.write(lines.join(''));
      else if (interrupted) break;
    }
  } finally {
    stop();
    for (const each of untrap) each();
    process.signal.removeEventListener('abort', abort);
  }
  const packets = (number: number): string => `${number} packet${number === 1 ? '' : 's'}`;
  await process.stderr.write(
    `${interrupted ? '\n' : ''}${packets(captured)} captured\n${packets(captured + dropped)} received by filter\n${packets(dropped)} dropped by kernel\n`,
  );
  return 0;
}

const banner = (link: string): string =>
  link === 'any'
    ? 'tcpdump: data link type LINUX_SLL2\ntcpdump: verbose output suppressed, use -v[v]... for full protocol decode\nlistening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes\n'
    : `tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\nlistening on ${link}, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n`;

const interfaces = (names: readonly string[]): string =>
  [...names.filter(name => name !== 'lo'), 'any', 'lo']
    .map((name, at) => {
      const more =
        name === 'any'
          ? ' (Pseudo-device that captures on all interfaces) [Up, Running]'
          : name === 'lo'
            ? ' [Up, Running, Loopback]'
            : ' [Up, Running, Connected]';
      return `${at + 1}.${name}${more}\n`;
    })
    .join('');

/** What stands before each line: -t nothing, -tt seconds, -ttt the time since the last, -tttt the date too, -ttttt since the first. */
function timeOf(flags: number, start: number): (packet: CapturedPacket) => string {
  let last: number | undefined;
  let first: number | undefined;
  const micro = (ms: number): string => `${String(Math.floor(ms) % 1000).padStart(3, '0')}000`;
  const span = (ms: number): string => ` ${formatTime('%H:%M:%S', ms)}.${micro(ms)} `;
  return ({ at }) => {
    const before = last ?? at;
    last = at;
    first ??= Math.max(start, at);
    switch (flags) {
      case 0:
        return `${formatTime('%H:%M:%S', at)}.${micro(at)} `;
      case 1:
        return '';
      case 2:
        return `${Math.floor(at / 1000)}.${micro(at)} `;
      case 3:
        return span(at - before);
      case 4:
        return `${formatTime('%Y-%m-%d %H:%M:%S', at)}.${micro(at)} `;
      default:
        return span(at - first);
    }
  };
}
