import type { ConntrackEntry } from '../../../dataplane/kernel/flow.js';
import type { Kernel } from '../../../dataplane/kernel/types.js';
import { flowText } from '../../../dataplane/tools/conntrack/flow-text.js';
import { canonicalIP } from '../../../machinery/ip.js';
import { parseCidr } from '../../../machinery/cidr.js';
import type { Program } from '../../process.js';
import { parseOptions, type Options, UsageError } from '../options.js';
import { printLines, rulesProgram } from './node-rules.js';
import { NotSimulated } from './stack-of.js';

const VERSION = 'conntrack v1.4.7 (conntrack-tools)';

/** conntrack -L|-D|-C|-F [-p PROTO] [-s ADDRESS] [-d ADDRESS] [-r ADDRESS] [-q ADDRESS] [--sport N] [--dport N] [--state S] */
export const conntrack: Program = rulesProgram(
  () => `${VERSION}: Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this`,
  1,
  async (process, kernels) => {
    const options = parseOptions(process.args.slice(1), {
      short: 'LDCFSEGIUp:s:d:r:q:f:o:nguj',
      long: {
        dump: 'L',
        delete: 'D',
        count: 'C',
        flush: 'F',
        stats: 'S',
        event: 'E',
        proto: 'p:',
        src: 's:',
        'orig-src': 's:',
        dst: 'd:',
        'orig-dst': 'd:',
        'reply-src': 'r:',
        'reply-dst': 'q:',
        family: 'f:',
        output: 'o:',
        sport: 'sport:',
        'orig-port-src': 'sport:',
        dport: 'dport:',
        'orig-port-dst': 'dport:',
        'reply-port-src': 'rsport:',
        'reply-port-dst': 'rdport:',
        state: 'state:',
        'src-nat': 'n',
        'dst-nat': 'g',
        'any-nat': 'j',
      },
    });
    const { has, get } = options;
    const unknown = [...'SEGIU'].find(has);
    if (unknown !== undefined) throw new NotSimulated(`conntrack -${unknown}`);
    if (has('o')) throw new NotSimulated(`conntrack -o ${(get('o') ?? '').slice(0, 64)}`);
    const family = get('f');
    const chosen = family === undefined || family === 'ipv4' ? kernels('IPv4') : kernels('IPv6');
    const matches = filterOf(options);
    const flows = (kernel: Kernel | undefined): ConntrackEntry[] => kernel?.conntrack().filter(matches) ?? [];
    const { stdout, stderr, container } = process;
    if (has('C')) {
      await stdout.write(`${chosen?.conntrack().length ?? 0}\n`);
      return 0;
    }
    if (has('F')) {
      for (const each of ['IPv4', 'IPv6'] as const)
        for (const flow of kernels(each)?.conntrack() ?? []) kernels(each)?.forget(flow);
      await stderr.write(`${VERSION}: connection tracking table has been emptied.\n`);
      return 0;
    }
    if (!has('L') && !has('D')) throw new UsageError(`${VERSION}: You need to supply at least one command`);
    const found = flows(chosen);
    const now = container.clock.now();
    if (has('D')) for (const flow of found) chosen?.forget(flow);
    await printLines(process, textOf(found, now));
    const what = has('D') ? 'deleted' : 'shown';
    await stderr.write(`${VERSION}: ${found.length} flow entries have been ${what}.\n`);
    return has('D') && found.length === 0 ? 1 : 0;
  },
);

function* textOf(flows: readonly ConntrackEntry[], now: number): Generator<string> {
  for (const flow of flows) yield `${flowText(flow, now)}\n`;
}

/** @throws UsageError */
function filterOf({ get, has }: Options): (entry: ConntrackEntry) => boolean {
  const tests: ((entry: ConntrackEntry) => boolean)[] = [];
  const address = (name: string, of: (entry: ConntrackEntry) => string): void => {
    const text = get(name);
    if (text === undefined) return;
    const range = parseCidr(text) ?? parseCidr(canonicalIP(text) ?? '');
    if (range === undefined) throw new UsageError(`Invalid IP address \`${text.slice(0, 64)}\``);
    tests.push(entry => range.contains(of(entry)));
  };
  address('s', ({ original }) => original.src);
  address('d', ({ original }) => original.dst);
  address('r', ({ reply }) => reply.src);
  address('q', ({ reply }) => reply.dst);
  const port = (name: string, of: (entry: ConntrackEntry) => number): void => {
    const text = get(name);
    if (text !== undefined) tests.push(entry => of(entry) === Number(text));
  };
  port('sport', ({ original }) => original.srcPort);
  port('dport', ({ original }) => original.dstPort);
  port('rsport', ({ reply }) => reply.srcPort);
  port('rdport', ({ reply }) => reply.dstPort);
  const protocol = get('p')?.toLowerCase();
  const named = protocol === 'icmpv6' ? 'ipv6-icmp' : { 6: 'tcp', 17: 'udp', 132: 'sctp', 1: 'icmp' }[protocol ?? ''];
  if (protocol !== undefined) tests.push(({ original }) => original.protocol === (named ?? protocol));
  const state = get('state')?.toUpperCase();
  if (state !== undefined) tests.push(({ tcpState }) => tcpState === state);
  if (has('n')) tests.push(({ snat }) => snat);
  if (has('g')) tests.push(({ dnat }) => dnat);
  if (has('j')) tests.push(({ snat, dnat }) => snat || dnat);
  return entry => tests.every(test => test(entry));
}
