import { parseCidr } from '../../../machinery/cidr.js';
import type { StackSocket } from '../../network/stack.js';
import type { Program } from '../../process.js';
import { parseOptions } from '../options.js';
import { parsePort, portText } from './ports.js';
import { NotSimulated, refusing, withStack } from './stack-of.js';

const STATES: Readonly<Record<StackSocket['state'], string>> = {
  LISTEN: 'LISTEN',
  ESTABLISHED: 'ESTAB',
  UNCONNECTED: 'UNCONN',
};
/** What users may call a state. */
const STATE_NAMES: Readonly<Record<string, readonly StackSocket['state'][]>> = {
  all: ['LISTEN', 'ESTABLISHED', 'UNCONNECTED'],
  established: ['ESTABLISHED'],
  connected: ['ESTABLISHED'],
  listening: ['LISTEN', 'UNCONNECTED'],
};

interface Cells {
  readonly netid: string;
  readonly state: string;
  readonly receive: string;
  readonly send: string;
  readonly local: string;
  readonly localPort: string;
  readonly peer: string;
  readonly peerPort: string;
}

/** ss [-altunpHs46] [state STATE] [FILTER], as iproute2 6.1 prints it where no terminal says how wide. */
export const ss: Program = refusing(
  withStack(async (process, stack) => {
    const { has, operands } = parseOptions(process.args.slice(1), {
      short: 'altunpHs46ePorimSwx',
      long: {
        all: 'a',
        listening: 'l',
        tcp: 't',
        udp: 'u',
        numeric: 'n',
        processes: 'p',
        'no-header': 'H',
        summary: 's',
        ipv4: '4',
        ipv6: '6',
        sctp: 'S',
        options: 'o',
        extended: 'e',
        info: 'i',
      },
    });
    const unknown = ['e', 'o', 'i', 'm', 'x', 'w', 'r'].find(has);
    if (unknown !== undefined) throw new NotSimulated(`ss -${unknown}`);
    const all = stack.sockets();
    if (has('s')) {
      await process.stdout.write(summary(all));
      return 0;
    }
    const { states, matches } = parseFilter(operands);
    const protocols = new Set([
      ...(has('t') ? ['tcp'] : []),
      ...(has('u') ? ['udp'] : []),
      ...(has('S') ? ['sctp'] : []),
    ]);
    const wanted = states ?? (has('a') ? STATE_NAMES['all'] : has('l') ? STATE_NAMES['listening'] : ['ESTABLISHED']);
    const isOfFamily = ({ local }: StackSocket): boolean =>
      (!has('4') || !local.address.includes(':')) && (!has('6') || local.address.includes(':'));
    const chosen = all.filter(
      socket =>
        (protocols.size === 0 || protocols.has(socket.protocol)) &&
        wanted?.includes(socket.state) === true &&
        isOfFamily(socket) &&
        matches(socket),
    );
    const order = ['udp', 'tcp', 'sctp'];
    const rows = [...chosen]
      .sort((a, b) => order.indexOf(a.protocol) - order.indexOf(b.protocol))
      .map(socket => cellsOf(socket, has('n')));
    const columns = {
      netid: protocols.size !== 1,
      state: states?.length !== 1 && !(states !== undefined && operands.includes('listening')),
      header: !has('H'),
    };
    await process.stdout.write(table(rows, columns));
    return 0;
  }),
);

function cellsOf({ protocol, state, local, remote }: StackSocket, numeric: boolean): Cells {
  const bracket = (address: string): string => (address.includes(':') ? `[${address}]` : address);
  const any = local.address.includes(':') ? '[::]' : '0.0.0.0';
  return {
    netid: protocol,
    state: STATES[state],
    receive: '0',
    send: state === 'LISTEN' ? '128' : '0',
    local: bracket(local.address),
    localPort: portText(local.port, numeric),
    peer: remote === undefined ? any : bracket(remote.address),
    peerPort: remote === undefined ? '*' : portText(remote.port, numeric),
  };
}

/** Of the title of the queues' columns, whether it is printed or not. */
const QUEUE_WIDTH = 6;

/** Columns are as wide as their longest cell, the header's among them; addresses end where their ports begin. */
function table(rows: readonly Cells[], columns: { netid: boolean; state: boolean; header: boolean }): string {
  const title: Cells = {
    netid: 'Netid',
    state: 'State',
    receive: 'Recv-Q',
    send: 'Send-Q',
    local: 'Local Address',
    localPort: 'Port',
    peer: 'Peer Address',
    peerPort: 'Port',
  };
  const all = columns.header ? [title, ...rows] : rows;
  const width = (key: keyof Cells): number => all.reduce((most, cells) => Math.max(most, cells[key].length), 0);
  const widths = Object.fromEntries((Object.keys(title) as (keyof Cells)[]).map(key => [key, width(key)])) as Record<
    keyof Cells,
    number
  >;
  const line = (cells: Cells, last: string): string => {
    const left = (key: keyof Cells): string => cells[key].padEnd(widths[key]);
    const right = (key: keyof Cells): string => cells[key].padStart(widths[key]);
    const head = [...(columns.netid ? [left('netid')] : []), ...(columns.state ? [left('state')] : [])];
    const ends = `${right('local')}:${left('localPort')} ${right('peer')}:${left('peerPort')}`;
    const queues = [left('receive').padEnd(QUEUE_WIDTH), left('send').padEnd(QUEUE_WIDTH)];
    return `${[...head, ...queues, ends].join(' ')}${last}\n`;
  };
  const process = columns.header ? 'Process' : '    ';
  return [
    ...(columns.header ? [line(title, process)] : []),
    ...rows.map(cells => line(cells, columns.header ? ' '.repeat(process.length) : '')),
  ].join('');
}

/** "state established", "sport = :80", "dst 10.0.0.0/8 and dport = :443". */
function parseFilter(words: readonly string[]): {
  readonly states: readonly StackSocket['state'][] | undefined;
  readonly matches: (socket: StackSocket) => boolean;
} {
  let states: readonly StackSocket['state'][] | undefined;
  const tests: ((socket: StackSocket) => boolean)[] = [];
  const rest = words.flatMap(word => word.split(/\s+/)).filter(word => word !== '');
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (word === 'and' || word === '(' || word === ')') continue;
    if (word === 'state') {
      const name = rest.shift() ?? '';
      states = STATE_NAMES[name];
      if (states === undefined) throw new NotSimulated(`state ${name.slice(0, 64)}`);
    } else if (word === 'sport' || word === 'dport') {
      const operator = ['=', '==', 'eq'].includes(rest[0] ?? '') ? (rest.shift() ?? '') : '=';
      const port = parsePort((rest.shift() ?? '').replace(/^:/, ''));
      if (port === undefined) throw new NotSimulated(`the filter "${word} ${operator}"`);
      tests.push(({ local, remote }) => (word === 'sport' ? local.port : remote?.port) === port);
    } else if (word === 'src' || word === 'dst') {
      const range = parseCidr(rest.shift() ?? '');
      if (range === undefined) throw new NotSimulated(`the filter "${word}" without an address`);
      tests.push(({ local, remote }) => range.contains((word === 'src' ? local : remote)?.address ?? ''));
    } else throw new NotSimulated(`the filter "${word.slice(0, 64)}"`);
  }
  return { states, matches: socket => tests.every(test => test(socket)) };
}

function summary(sockets: readonly StackSocket[]): string {
  const count = (protocol: string, state?: string): number =>
    sockets.filter(socket => socket.protocol === protocol && (state === undefined || socket.state === state)).length;
  const row = (name: string, total: number): string =>
    `${name}\t  ${String(total).padEnd(9)} ${String(total).padEnd(9)} ${'0'.padEnd(9)}\n`;
  const [tcp, udp] = [count('tcp'), count('udp')];
  return `Total: ${sockets.length}\nTCP:   ${tcp} (estab ${count('tcp', 'ESTABLISHED')}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\n${row('RAW', 0)}${row('UDP', udp)}${row('TCP', tcp)}${row('INET', tcp + udp)}${row('FRAG', 0)}\n`;
}
